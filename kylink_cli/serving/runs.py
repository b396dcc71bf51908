"""Runs over HTTP: how one went, and how one goes, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Path
from sqlalchemy.orm import Session
from starlette.responses import Response, StreamingResponse

from kylink_cli.documents.jobs import RunDocument, WholeRunDocument, run_document, whole_run_document
from kylink_cli.errors import KylinkError, NotFoundError
from kylink_cli.language import tr
from kylink_cli.overview.status import as_found
from kylink_cli.rules.moments import json_value
from kylink_cli.rules.vocabulary import RunStatus
from kylink_cli.serving.answers import LARGEST_ID, Reply
from kylink_cli.serving.authentication import Reader
from kylink_cli.serving.backend import Backend, Served
from kylink_cli.serving.keyring import Caller
from kylink_cli.serving.problems import Problem
from kylink_cli.store import campaign_results, runs
from kylink_cli.store.tables import Run

_LOOK_SECONDS: Final = 0.5
# So that a proxy does not take a run that has nothing to tell for a dead connection.
_SIGN_OF_LIFE_SECONDS: Final = 15.0

router = APIRouter(prefix="/runs", tags=["runs"])

RunId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
AnyRun = TypeVar("AnyRun", RunDocument, WholeRunDocument)


def seen_by(caller: Caller, document: AnyRun) -> AnyRun:
    """A run as a caller may see it: a user's key is not told what may be of others' campaigns."""
    if caller.user_id is None:
        return document
    document["figures"] = {}
    document["error"] = None
    return document


@router.get("/{run_id}", response_model=WholeRunDocument)
async def show(run_id: RunId, caller: Reader, backend: Served) -> Response:
    """One run, and how each campaign fared in it."""
    return Reply(await backend.workers.look(lambda: seen_run(backend, caller, run_id)))


def seen_run(backend: Backend, caller: Caller, run_id: int) -> WholeRunDocument:
    """A run, and how each campaign of a caller's fared in it.

    Raises:
        NotFoundError: there is no such run.
    """

    def read(session: Session) -> WholeRunDocument:
        run = _found(session, run_id)
        results = [
            result for result in campaign_results.of_run(session, run_id) if caller.user_id in {None, result[1].user_id}
        ]
        return whole_run_document(as_found(run, backend.parts.locks, backend.database.now()), results)

    return seen_by(caller, backend.database.read(read))


@router.get("/{run_id}/events", responses={200: {"content": {"text/event-stream": {}}}}, response_class=Response)
async def events(run_id: RunId, caller: Reader, backend: Served) -> Response:
    """How a run goes, as server-sent events: `progress` when something has changed, `end` with the run."""
    await backend.workers.read(lambda session: _found(session, run_id))
    backend.audience.require_room()
    return StreamingResponse(_follow(backend, caller, run_id), media_type="text/event-stream")


async def _follow(backend: Backend, caller: Caller, run_id: int) -> AsyncIterator[str]:
    said: dict[str, Any] | None = None
    silent_seconds = 0.0
    with backend.audience.seat():
        while not backend.waiting_room.is_closed:
            try:
                document, progress = await backend.workers.read(lambda session: _progress(session, backend, run_id))
            except (KylinkError, Problem):
                # The database is away for a moment, or the run was deleted: the reader asks again, and is told.
                return
            if document["status"] != RunStatus.RUNNING:
                yield _event("end", seen_by(caller, document))
                return
            if progress != said:
                said, silent_seconds = progress, 0.0
                yield _event("progress", {"run_id": run_id, "status": document["status"], **progress})
            elif silent_seconds >= _SIGN_OF_LIFE_SECONDS:
                silent_seconds = 0.0
                yield ": still running\n\n"
            await asyncio.sleep(_LOOK_SECONDS)
            silent_seconds += _LOOK_SECONDS


def _progress(session: Session, backend: Backend, run_id: int) -> tuple[RunDocument, dict[str, Any]]:
    run = as_found(_found(session, run_id), backend.parts.locks, backend.database.now())
    progress = asdict(runs.read_progress(session, run_id, run.started_at))
    del progress["run_id"]
    return run_document(run), progress


def _found(session: Session, run_id: int) -> Run:
    run = runs.get(session, run_id)
    if run is None:
        raise NotFoundError(tr("there is no run {run_id}: 'kylink jobs history' shows the last ones", run_id=run_id))
    return run


def _event(name: str, document: Any) -> str:
    return f"event: {name}\ndata: {json.dumps(document, ensure_ascii=False, default=json_value)}\n\n"
