"""Who looks at pages, in which language, and what is refused to them."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse, Response

from kylink_cli.errors import DatabaseReplacedError, KylinkError
from kylink_cli.language import Language, preferred, speaking, tr
from kylink_cli.rules.vocabulary import Ability
from kylink_cli.serving.keyring import Caller
from kylink_cli.serving.pages.templates import page
from kylink_cli.serving.problems import Problem, problem_of

_LANGUAGES: Final[dict[str, Language]] = {"en": "en", "zh": "zh"}


class StrangerError(Exception):
    """Nobody has logged in."""


class PageRoute(APIRoute):
    """Answers with pages, also where something is refused, in the reader's language."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        answer = super().get_route_handler()

        async def answer_as_page(request: Request) -> Response:
            request.state.language = language_of(request.headers.get("accept-language", ""))
            with speaking(request.state.language):
                try:
                    return await answer(request)
                except StrangerError:
                    return RedirectResponse("/login", 303)
                except RequestValidationError:
                    return _refused(request, Problem(404, "NOT_FOUND", tr("there is no such page")))
                except (KylinkError, Problem) as error:
                    return _refused(request, error)

        return answer_as_page


def language_of(accepted: str) -> Language:
    """The language of a reader: the first that the browser asks for and kylink speaks, else the server's.

    Args:
        accepted: the header `Accept-Language` (RFC 9110, section 12.5.4).
    """
    wishes: list[tuple[float, Language]] = []
    for wish in accepted.split(",")[:20]:
        tag, _, weight = wish.partition(";q=")
        language = _LANGUAGES.get(tag.strip().lower().partition("-")[0])
        if language is not None:
            wishes.append((_number(weight), language))
    best = max(wishes, key=lambda wish: wish[0], default=None)
    return preferred() if best is None or best[0] <= 0 else best[1]


def _number(weight: str) -> float:
    try:
        return float(weight or "1")
    except ValueError:
        return 0.0


def _refused(request: Request, error: KylinkError | Problem) -> Response:
    if isinstance(error, DatabaseReplacedError):
        request.app.state.backend.fail(error)
    return refusal_page(request, problem_of(error) if isinstance(error, KylinkError) else error)


def refusal_page(request: Request, problem: Problem) -> Response:
    """The page that says what is refused, and why."""
    return page(request, "refusal.html.j2", problem.status, problem.headers, message=str(problem))


def require_same_site(request: Request) -> None:
    """Refuse a form that another site's page has sent.

    Raises:
        Problem: it did, or it can't be told.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        is_own = site == "same-origin"
    else:
        is_own = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    if not is_own:
        raise Problem(403, "FORBIDDEN", tr("this form was not sent by a page of kylink's: open the page again"))


async def _looking(request: Request) -> Caller:
    caller: Caller | None = request.state.caller
    if caller is None:
        raise StrangerError
    if Ability.READ not in caller.abilities:
        raise Problem(403, "FORBIDDEN", tr("this key can't {ability}", ability=Ability.READ.value))
    return caller


async def _acting(
    request: Request,
    caller: Annotated[Caller, Depends(_looking)],
    token: Annotated[str, Form()] = "",
) -> Caller:
    require_same_site(request)
    if not request.state.session.owns(token):
        raise Problem(403, "FORBIDDEN", tr("this form was not sent by a page of kylink's: open the page again"))
    return caller


async def _operating(caller: Annotated[Caller, Depends(_acting)]) -> Caller:
    if Ability.OPERATE not in caller.abilities:
        raise Problem(403, "FORBIDDEN", tr("this key can't {ability}", ability=Ability.OPERATE.value))
    return caller


# As parameters of pages.
Onlooker = Annotated[Caller, Depends(_looking)]
Sender = Annotated[Caller, Depends(_acting)]
PageOperator = Annotated[Caller, Depends(_operating)]
