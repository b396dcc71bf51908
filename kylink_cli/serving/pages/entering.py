"""Logging in by a key, and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from kylink_cli.language import tr
from kylink_cli.rules.keys import read_key
from kylink_cli.rules.vocabulary import Ability
from kylink_cli.serving.backend import Backend, Served
from kylink_cli.serving.keyring import Grant
from kylink_cli.serving.limits import FAILURES_A_SECOND, Buckets, too_many
from kylink_cli.serving.pages.reader import PageRoute, Sender, require_same_site
from kylink_cli.serving.pages.templates import page
from kylink_cli.serving.sessions import LIFE_SECONDS

router = APIRouter(route_class=PageRoute)

_failures = Buckets(FAILURES_A_SECOND)


@router.get("/login")
async def ask(request: Request) -> Response:
    """Ask for a key."""
    if request.state.caller is not None:
        return RedirectResponse("/", 303)
    return page(request, "login.html.j2", wrong="")


@router.post("/login")
async def log_in(request: Request, backend: Served, key: Annotated[str, Form()] = "") -> Response:
    """Begin a session for who shows a key that can read."""
    require_same_site(request)
    given = read_key(key.strip())
    caller = None if given is None else await backend.keyring.caller(str(given))
    if given is None or caller is None:
        if (seconds := _failures.take("" if request.client is None else request.client.host)) > 0:
            raise too_many(seconds)
        return page(request, "login.html.j2", 401, wrong=tr("this is no key of this kylink, or it was revoked"))
    if Ability.READ not in caller.abilities:
        return page(request, "login.html.j2", 403, wrong=tr("this key can't {ability}", ability=Ability.READ.value))
    _end(request, backend)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        backend.sessions.cookie,
        backend.sessions.begin(Grant(given.public_id, given.secret_hash)),
        max_age=LIFE_SECONDS,
        httponly=True,
        samesite="strict",
        secure=backend.sessions.is_secure,
    )
    return answer


@router.post("/logout")
async def log_out(request: Request, backend: Served, _: Sender) -> Response:
    """End the session."""
    _end(request, backend)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(backend.sessions.cookie, httponly=True, samesite="strict", secure=backend.sessions.is_secure)
    return answer


def _end(request: Request, backend: Backend) -> None:
    backend.sessions.end(request.cookies.get(backend.sessions.cookie, ""))
