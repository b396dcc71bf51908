"""How a refusal looks: a page to a browser that asks for one, a problem document to everybody else."""

from typing import Final

from fastapi import Request
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kylink_cli.errors import KylinkError
from kylink_cli.language import speaking
from kylink_cli.serving.pages.reader import language_of, refusal_page
from kylink_cli.serving.problems import Problem, problem_of

_API: Final = "/api/"


def wants_page(scope: Scope) -> bool:
    """Whether a request is a browser's that wants to show the answer; what is asked of the API never is."""
    return not scope["path"].startswith(_API) and "text/html" in Headers(scope=scope).get("accept", "")


def refusal(scope: Scope, problem: Problem) -> Response:
    """The answer to a request that is refused."""
    if not wants_page(scope):
        return problem.response()
    state = scope["state"]
    state.setdefault("caller", None)
    state.setdefault("session", None)
    state["language"] = language_of(Headers(scope=scope).get("accept-language", ""))
    with speaking(state["language"]):
        return refusal_page(Request(scope), problem)


class Refusing:
    """Answers for what is refused before a request meets its endpoint, in its reader's language."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            if not wants_page(scope):
                await self._app(scope, receive, send)
                return
            with speaking(language_of(Headers(scope=scope).get("accept-language", ""))):
                await self._app(scope, receive, send)
        except Problem as problem:
            await refusal(scope, problem)(scope, receive, send)
        except KylinkError as error:
            await refusal(scope, problem_of(error))(scope, receive, send)
