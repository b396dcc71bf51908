"""Whether it works: for load balancers and monitoring."""

from fastapi import APIRouter
from starlette.responses import Response
from typing_extensions import TypedDict

from kylink_cli.serving.answers import Reply
from kylink_cli.serving.backend import Served
from kylink_cli.store.engine.schema import require_current

router = APIRouter(tags=["health"])


class HealthDocument(TypedDict):
    """How it is."""

    status: str


@router.get("/healthz", response_model=HealthDocument)
async def healthz() -> Response:
    """Whether the process answers."""
    return Reply({"status": "ok"})


@router.get("/readyz", response_model=HealthDocument)
async def readyz(backend: Served) -> Response:
    """Whether the database answers, and is of this kylink's version."""
    await backend.workers.look(lambda: require_current(backend.database))
    return Reply({"status": "ready"})
