"""Whether it works: for load balancers and monitoring."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response
from typing_extensions import TypedDict

from kylink_cli.serving.answers import PROBLEMS, Reply
from kylink_cli.serving.authentication import Reader, require_everybodys
from kylink_cli.serving.backend import Served
from kylink_cli.store.engine.schema import require_current

router = APIRouter(tags=["health"])


_PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"


class HealthDocument(TypedDict):
    """How it is."""

    status: str


@router.get("/healthz", response_model=HealthDocument)
async def healthz() -> Response:
    """Whether the process answers."""
    return Reply({"status": "ok"})


@router.get("/readyz", response_model=HealthDocument, responses={503: PROBLEMS[503]})
async def readyz(backend: Served) -> Response:
    """Whether the database answers, and is of this kylink's version."""
    await backend.workers.look(lambda: require_current(backend.database))
    return Reply({"status": "ready"})


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}, **PROBLEMS})
async def metrics(caller: Reader, backend: Served) -> Response:
    """The state of kylink for Prometheus, which shows a key that can read, of no user's."""
    require_everybodys(caller)
    return Response(await backend.workers.look(backend.parts.read_metrics), media_type=_PROMETHEUS)
