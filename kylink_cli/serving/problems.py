"""What went wrong, as RFC 9457 problem documents: `code` is for programs, `detail` for people."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NotRequired

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from typing_extensions import TypedDict

from kylink_cli.errors import DatabaseReplacedError, KylinkError
from kylink_cli.language import tr
from kylink_cli.rules.text import one_line

_STATUSES: Final = {
    "USAGE": 400,
    "NOT_FOUND": 404,
    "NO_STOCK": 409,
    "LEASE_OVER": 409,
    "PARTLY_DONE": 409,
    "LOCKED": 409,
    "CONFIG": 503,
    "SUPPLY": 502,
    "DATABASE": 503,
}
_DETAIL_LENGTH: Final = 300
_METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_ERRORS: Final = 20


class FaultDocument(TypedDict):
    """One thing that is wrong with a request."""

    where: str
    message: str


class ProblemDocument(TypedDict):
    """A problem (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: NotRequired[list[FaultDocument]]


class Problem(Exception):  # noqa: N818  (as RFC 9457 calls it)
    """Why a request is not answered as its sender wished."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[FaultDocument] = (),
    ) -> None:
        """Say what is wrong.

        Args:
            status: the status of HTTP.
            code: what programs read (contract, section 6).
            detail: one line for people.
            errors: the parts of the request that are wrong, if it is the request.
        """
        super().__init__(detail)
        self.status = status
        self.code = code
        self.headers = headers
        self.errors = errors

    def document(self) -> ProblemDocument:
        """The problem as JSON."""
        document: ProblemDocument = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": one_line(str(self), _DETAIL_LENGTH),
            "code": self.code,
        }
        if self.errors:
            document["errors"] = list(self.errors)
        return document

    def response(self) -> Response:
        """The answer."""
        return JSONResponse(self.document(), self.status, dict(self.headers or {}), "application/problem+json")


def status_of(code: str) -> int:
    """The status of HTTP for a code of kylink's errors."""
    return _STATUSES.get(code, 500)


def problem_of(error: KylinkError) -> Problem:
    """The problem of an error of kylink's."""
    status = status_of(error.code)
    return Problem(status, error.code, str(error), {"Retry-After": "1"} if status == 503 else None)


def internal_problem() -> Problem:
    """The problem of whatever nobody foresaw; what it was stands in the log."""
    return Problem(500, "INTERNAL", tr("unexpected error: the server's log says more"))


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer with what kylink itself has refused; with another database in its place, the server has to begin anew."""
    if isinstance(error, DatabaseReplacedError):
        request.app.state.backend.fail(error)
    problem = problem_of(error) if isinstance(error, KylinkError) else error
    assert isinstance(problem, Problem)  # noqa: S101  (it is registered for these two)
    return problem.response()


async def answer_invalid(request: Request, error: Exception) -> Response:
    """Answer a request that is not of the form that the OpenAPI document says; its values are not repeated."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  (it is registered for this one)
    kind = request.headers.get("content-type", "")
    if request.method == "POST" and "json" not in kind:
        return Problem(415, "USAGE", tr("the body must be JSON: Content-Type: application/json")).response()
    faults: list[FaultDocument] = [_fault(one) for one in error.errors()[:_ERRORS]]
    detail = "; ".join(f"{fault['where']}: {fault['message']}" for fault in faults)
    return Problem(422, "USAGE", detail, errors=faults).response()


def http_problem(request: Request, error: HTTPException) -> Problem:
    """The problem of what the router refuses: a path, a method."""
    code = "NOT_FOUND" if error.status_code == 404 else "USAGE"
    headers = {"Allow": ", ".join(_methods(request))} if error.status_code == 405 else error.headers
    return Problem(error.status_code, code, str(error.detail), headers)


def _methods(request: Request) -> list[str]:
    """The methods of everything that answers at this path; the router itself names those of the first."""
    return [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] == Match.FULL for route in request.app.routes)
    ]


def _fault(error: Mapping[str, Any]) -> FaultDocument:
    where = ".".join(str(part) for part in error["loc"])
    return {"where": one_line(where, 100), "message": one_line(str(error["msg"]), 200)}
