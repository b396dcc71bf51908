"""Pages put together from their templates."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from kylink_cli import __version__
from kylink_cli.language import tr
from kylink_cli.report.words import state_words
from kylink_cli.rules.moments import milliseconds, readable
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import Ability, ResultStatus
from kylink_cli.serving.pages.words import words

_TEXT_LENGTH: Final = 300


def page(
    request: Request, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """A page as an answer.

    Args:
        template: its file.
        status: the status of HTTP.
        values: what the template speaks of; all of it is escaped.
    """
    caller, session = request.state.caller, request.state.session
    html = (
        _environment()
        .get_template(template)
        .render(
            html_lang="zh-CN" if request.state.language == "zh" else "en",
            path=request.url.path,
            caller=caller,
            can_operate=caller is not None and Ability.OPERATE in caller.abilities,
            token="" if session is None else session.token,
            say=words(),
            states=state_words() | {status: tr(status) for status in ResultStatus},
            version=__version__,
            **values,
        )
    )
    return HTMLResponse(html, status, dict(headers or {}))


def in_path(name: str) -> str:
    """An id as a part of a path."""
    return quote(name, safe="")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("kylink_cli.serving.pages", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = _moment
    environment.filters["duration"] = lambda value: milliseconds(value) or "-"
    environment.filters["clean"] = lambda value: one_line(str(value), _TEXT_LENGTH)
    environment.filters["in_path"] = in_path
    return environment


def _moment(value: datetime | str | None) -> str:
    if value is None:
        return "-"
    return readable(datetime.fromisoformat(value) if isinstance(value, str) else value)
