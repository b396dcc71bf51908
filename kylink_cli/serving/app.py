"""The application: what is asked passes through these doors, and comes to these endpoints."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from kylink_cli import __version__
from kylink_cli.errors import KylinkError
from kylink_cli.serving import alerts, campaigns, health, jobs, leases, pages, runs
from kylink_cli.serving.answers import PROBLEMS
from kylink_cli.serving.authentication import Authentication
from kylink_cli.serving.backend import Backend
from kylink_cli.serving.bodies import BoundedBodies
from kylink_cli.serving.limits import RateLimit
from kylink_cli.serving.problems import Problem, answer_invalid, answer_problem, http_problem
from kylink_cli.serving.refusing import Refusing, refusal
from kylink_cli.serving.reporting import Reporting

API: Final = "/api/v1"
_NOTE_EVERY_SECONDS: Final = 5


def build_app(backend: Backend) -> FastAPI:
    """The application around a backend, which it closes at its end."""
    app = FastAPI(
        title="kylink",
        version=__version__,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.state.backend = backend
    api = APIRouter(prefix=API, responses=PROBLEMS)
    for router in (
        leases.router,
        jobs.router,
        runs.router,
        campaigns.router,
        alerts.router,
        alerts.silences_router,
    ):
        api.include_router(router)
    app.include_router(api)
    app.include_router(health.router)
    app.include_router(pages.router)
    for kind in (KylinkError, Problem):
        app.add_exception_handler(kind, answer_problem)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    # The last that is added is the first that a request meets.
    app.add_middleware(BoundedBodies)
    app.add_middleware(RateLimit, per_second=backend.settings.serve_requests_per_second)
    app.add_middleware(Authentication, keyring=backend.keyring, sessions=backend.sessions)
    app.add_middleware(Refusing)
    app.add_middleware(Reporting, tell=backend.parts.tell)
    return app


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (it is registered for this one)
    return refusal(request.scope, http_problem(request, error))


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    backend: Backend = app.state.backend
    tasks = [asyncio.create_task(backend.waiting_room.watch()), asyncio.create_task(_note_use(backend))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(KylinkError):
            await backend.keyring.note_use()
        backend.workers.close()


async def _note_use(backend: Backend) -> None:
    """Write down now and then which keys were used."""
    while True:
        await asyncio.sleep(_NOTE_EVERY_SECONDS)
        if backend.keyring.is_note_due():
            with suppress(KylinkError, Problem):
                await backend.keyring.note_use()
