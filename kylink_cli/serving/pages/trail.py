"""The audit trail, a page at a time: who did what. A user's key sees what was done to that user's campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from kylink_cli.language import ntr
from kylink_cli.rules.acts import act_words
from kylink_cli.rules.leases import TEXT_LIMIT
from kylink_cli.rules.text import one_line
from kylink_cli.serving.backend import Served
from kylink_cli.serving.keyring import KEY_PREFIX, Caller
from kylink_cli.serving.pages.paging import SIZE, Number, Pager, before
from kylink_cli.serving.pages.reader import Onlooker, PageRoute
from kylink_cli.serving.pages.templates import page
from kylink_cli.store import audit
from kylink_cli.store.audit import TrailPart
from kylink_cli.store.tables import ActRecord

router = APIRouter(route_class=PageRoute)

_PATH: Final = "/audit"

Days = Literal["", "1", "7", "30"]


@dataclass(frozen=True, slots=True)
class _SeenAct:
    at: datetime
    who: str
    did: str
    subject: str
    detail: str


@router.get(_PATH)
async def trail(  # noqa: PLR0913, PLR0917  (FastAPI gives them by name)
    request: Request,
    caller: Onlooker,
    backend: Served,
    days: Days = "",
    who: Annotated[str, Query(max_length=TEXT_LIMIT)] = "",
    number: Annotated[Number, Query(alias="page")] = 1,
) -> Response:
    """Who did what, newest first."""
    # By a name's host, which is not shown to a user's key, it could guess it.
    asked = {"days": days, "who": one_line(who) if caller.user_id is None else ""}
    given = {name: value for name, value in asked.items() if value}

    def look() -> tuple[Sequence[_SeenAct], int]:
        since = backend.now() - timedelta(days=int(days)) if days else None
        wanted = TrailPart(since, given.get("who"), SIZE, before(number), caller.user_id)

        def read(session: Session) -> tuple[Sequence[_SeenAct], int]:
            acts = [_seen_by(caller, act) for act in audit.read(session, wanted)]
            return acts, audit.count(session, wanted)

        return backend.database.read(read)

    acts, total = await backend.workers.look(look)
    offered = [(one, ntr("{n} day", "{n} days", int(one))) for one in ("1", "7", "30")]
    return page(
        request, "audit.html.j2", acts=acts, asked=asked, offered=offered, pager=Pager(_PATH, number, total, given)
    )


def _seen_by(caller: Caller, act: ActRecord) -> _SeenAct:
    # Of hosts, a user's key is told nothing.
    is_whole = caller.user_id is None or act.who.startswith(KEY_PREFIX)
    who = act.who if is_whole else act.who.partition("@")[0]
    return _SeenAct(act.at, who, act_words(act.act), act.subject, act.detail or "-")
