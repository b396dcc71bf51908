"""What operators do with jobs over HTTP: look, start, pause, resume."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response
from typing_extensions import TypedDict

from kylink_cli.documents.jobs import RunsDocument, StatusDocument, run_document, status_document
from kylink_cli.errors import UnknownCampaignError
from kylink_cli.language import tr
from kylink_cli.overview.status import as_found, read_status
from kylink_cli.rules.notices import GIVE_UP_AFTER
from kylink_cli.rules.vocabulary import JobWord
from kylink_cli.running import pausing
from kylink_cli.scheduling.host import read_schedule
from kylink_cli.scheduling.jobs import REPLENISH, job_called
from kylink_cli.serving.answers import Reply
from kylink_cli.serving.authentication import Operator, Reader, require_everybodys
from kylink_cli.serving.backend import Backend, Served
from kylink_cli.serving.keyring import Caller
from kylink_cli.serving.problems import Problem
from kylink_cli.serving.runs import seen_by
from kylink_cli.serving.starting import JobOrder, Started, start
from kylink_cli.serving.texts import Body, PlainText
from kylink_cli.store import campaigns, outbox, runs

router = APIRouter(prefix="/jobs", tags=["jobs"])

_CAMPAIGNS_LIMIT = 500


class Replenish(Body):
    """Which campaigns to fill."""

    mode: Literal["all", "campaigns"] = Field(description="Every low campaign, or those that are named.")
    campaign_ids: Annotated[list[PlainText], Field(max_length=_CAMPAIGNS_LIMIT)] = Field(default_factory=list)
    force: bool = Field(default=False, description="JobOrder even if the stock is not low.")


class StartedDocument(TypedDict):
    """What was started."""

    job: str
    run_id: int | None  # None if it ended at once, with nothing to record
    url: str | None  # where to look at it
    by: Literal["systemd", "process"]


class PausedDocument(TypedDict):
    """Whether a job's scheduled runs do something."""

    job: str
    paused: bool
    changed: bool


@router.get("", response_model=StatusDocument)
async def status(caller: Reader, backend: Served) -> Response:
    """How every job is doing. Of hosts and channels, a user's key is told nothing."""
    return Reply(await backend.workers.look(lambda: seen_status(backend, caller)))


def seen_status(backend: Backend, caller: Caller) -> StatusDocument:
    """How every job is doing, as a caller may see it."""
    now = backend.now()
    schedule = read_schedule(backend.settings, now)
    found = read_status(backend.database, backend.parts.locks, backend.settings, now, schedule)
    undelivered = backend.database.read(lambda session: outbox.undelivered(session, now - GIVE_UP_AFTER))
    document = status_document(found, undelivered, schedule, auto_cron=backend.settings.enable_auto_cron)
    if caller.user_id is not None:
        document["undelivered"] = []
        for job in document["jobs"]:
            job["hosts"] = []
    return document


@router.get("/{job}/runs", response_model=RunsDocument)
async def history(
    job: JobWord, caller: Reader, backend: Served, limit: Annotated[int, Query(ge=1, le=1_000)] = 20
) -> Response:
    """The last runs of a job, newest first."""
    return Reply(await backend.workers.look(lambda: seen_history(backend, caller, job_called(job).name, limit)))


def seen_history(backend: Backend, caller: Caller, job: str, limit: int) -> RunsDocument:
    """The last runs of a job, newest first, as a caller may see them."""
    now = backend.now()
    found = backend.database.read(lambda session: runs.history(session, job, limit))
    shown = [as_found(run, backend.parts.locks, now) for run in found]
    return {"runs": [seen_by(caller, run_document(run)) for run in shown]}


# Before `/{job}/run`: the call of the original system.
@router.post("/replenish", status_code=202, response_model=StartedDocument)
async def replenish(body: Replenish, caller: Operator, backend: Served) -> Response:
    """Fill campaigns now: every low one, or those that are named. A user's key fills that user's."""
    if (body.mode == "campaigns") != bool(body.campaign_ids):
        # Whoever names campaigns and says `all` does not want every one filled.
        raise Problem(422, "USAGE", tr("give campaign_ids with the mode 'campaigns', and with no other"))
    if body.mode == "all":
        return _accepted(await start(backend, caller, _everything(caller, force=body.force)))
    wanted = list(dict.fromkeys(body.campaign_ids))
    await backend.workers.read(lambda session: require_known(session, caller, wanted))
    # In one word: an id that begins with a dash is no option.
    arguments = [f"--campaign={campaign_id}" for campaign_id in wanted]
    return _accepted(await start(backend, caller, JobOrder(REPLENISH, (*arguments, *_forced(force=body.force)))))


@router.post("/{job}/run", status_code=202, response_model=StartedDocument)
async def run(job: JobWord, caller: Operator, backend: Served) -> Response:
    """Start a job now, as its timer would; also while it is paused."""
    return _accepted(await run_now(job, caller, backend))


async def run_now(job: JobWord, caller: Caller, backend: Backend) -> Started:
    """Start a job now, for the campaigns that are a caller's.

    Raises:
        Problem: it is not this caller's to start, or ended at once with an error.
        LockedError: it is under way.
    """
    if job_called(job) is REPLENISH:
        return await start(backend, caller, _everything(caller, force=False))
    require_everybodys(caller)
    return await start(backend, caller, JobOrder(job_called(job), (), as_timer=True))


@router.post("/{job}/pause", response_model=PausedDocument)
async def pause(job: JobWord, caller: Operator, backend: Served) -> Response:
    """Let a job's scheduled runs do nothing until it is resumed."""
    require_everybodys(caller)
    name = job_called(job).name
    changed = await backend.workers.write(lambda: pausing.pause(backend.database, name, caller.who))
    return Reply({"job": name, "paused": True, "changed": changed})


@router.post("/{job}/resume", response_model=PausedDocument)
async def resume(job: JobWord, caller: Operator, backend: Served) -> Response:
    """Let a paused job run again."""
    require_everybodys(caller)
    name = job_called(job).name
    changed = await backend.workers.write(lambda: pausing.resume(backend.database, name, caller.who))
    return Reply({"job": name, "paused": False, "changed": changed})


def _everything(caller: Caller, *, force: bool) -> JobOrder:
    """Every campaign that a caller may have filled."""
    if caller.user_id is not None:
        return JobOrder(REPLENISH, (f"--user={caller.user_id}", *_forced(force=force)))
    return JobOrder(REPLENISH, ("--all", *_forced(force=force)), as_timer=not force)


def _forced(*, force: bool) -> tuple[str, ...]:
    return ("--force",) if force else ()


def require_known(session: Session, caller: Caller, campaign_ids: list[str]) -> None:
    """Refuse campaigns that do not exist for a caller.

    Raises:
        UnknownCampaignError: names the first.
    """
    known = campaigns.facts(session, campaign_ids)
    for campaign_id in campaign_ids:
        if campaign_id not in known or caller.user_id not in {None, known[campaign_id].user_id}:
            raise UnknownCampaignError(campaign_id)


def _accepted(started: Started) -> Response:
    url = None if started.run_id is None else f"/api/v1/runs/{started.run_id}"
    document = {"job": started.job, "run_id": started.run_id, "url": url, "by": started.by}
    return Reply(document, 202, None if url is None else {"Location": url})
