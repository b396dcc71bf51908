"""Who may ask: a key in `Authorization: Bearer KEY`, looked at before anything else of a request is read."""

from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from kylink_cli.language import tr
from kylink_cli.rules.vocabulary import Ability
from kylink_cli.serving.keyring import Caller, Keyring
from kylink_cli.serving.limits import FAILURES_A_SECOND, Buckets, too_many
from kylink_cli.serving.problems import Problem
from kylink_cli.serving.sessions import Sessions

# What may be seen without a key: whether the process and the database answer, and what can be asked.
OPEN_PATHS: Final = frozenset({"/healthz", "/readyz", "/api/v1/openapi.json"})
_PAGES: Final = frozenset({"/", "/login", "/logout", "/campaigns", "/jobs", "/alerts", "/silences", "/audit"})
_BELOW_PAGES: Final = ("/jobs/", "/alerts/", "/silences/", "/campaigns/", "/runs/", "/assets/")

_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


def is_page(path: str) -> bool:
    """Whether a path is one of the pages', which a browser's session opens and no key in a header."""
    return path in _PAGES or path.startswith(_BELOW_PAGES)


class Authentication:
    """Lets nobody through without a key, and notes in the request whose it is.

    Pages are asked for by people who have logged in; those who have not are led to the log-in by the pages themselves.
    """

    def __init__(self, app: ASGIApp, keyring: Keyring, sessions: Sessions) -> None:
        self._app = app
        self._keyring = keyring
        self._sessions = sessions
        self._failures = Buckets(FAILURES_A_SECOND)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through.

        Raises:
            Problem: it is refused.
            DatabaseError: nobody can tell whose the key is.
        """
        if scope["type"] == "http" and scope["path"] not in OPEN_PATHS:
            if is_page(scope["path"]):
                await self._remember(scope)
            else:
                client = scope["client"][0] if scope["client"] else ""
                scope["state"]["caller"] = await self._caller(Headers(scope=scope), client)
        await self._app(scope, receive, send)

    async def _remember(self, scope: Scope) -> None:
        session = self._sessions.find(HTTPConnection(scope).cookies.get(self._sessions.cookie, ""))
        scope["state"]["session"] = session
        scope["state"]["caller"] = None if session is None else await self._keyring.holder(session.grant)

    async def _caller(self, headers: Headers, client: str) -> Caller:
        shown = headers.getlist("authorization")
        if len(shown) != 1:
            raise Problem(401, "UNAUTHORIZED", tr("show a key: Authorization: Bearer KEY"), _CHALLENGE)
        scheme, _, key = shown[0].partition(" ")
        caller = await self._keyring.caller(key.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            if (seconds := self._failures.take(client)) > 0:
                raise too_many(seconds)
            raise Problem(401, "UNAUTHORIZED", tr("this is no key of this kylink, or it was revoked"), _CHALLENGE)
        return caller


_BEARER: Final = HTTPBearer(auto_error=False, description="A key of 'kylink keys add'.")


class _May:
    """What an endpoint asks of its caller: an ability."""

    def __init__(self, ability: Ability) -> None:
        self._ability = ability

    async def __call__(self, request: Request, _: Annotated[object, Depends(_BEARER)]) -> Caller:
        """The caller.

        Raises:
            Problem: the key may not do that.
        """
        caller: Caller = request.state.caller
        if self._ability not in caller.abilities:
            raise Problem(403, "FORBIDDEN", tr("this key can't {ability}", ability=self._ability.value))
        return caller


def require_everybodys(caller: Caller) -> None:
    """Refuse a key of one user's where everybody's campaigns are meant.

    Raises:
        Problem: it is one.
    """
    if caller.user_id is not None:
        raise Problem(403, "FORBIDDEN", tr("this key is for one user's campaigns, and this is about everybody's"))


# As parameters of endpoints.
Consumer = Annotated[Caller, Depends(_May(Ability.CONSUME))]
Operator = Annotated[Caller, Depends(_May(Ability.OPERATE))]
Reader = Annotated[Caller, Depends(_May(Ability.READ))]
