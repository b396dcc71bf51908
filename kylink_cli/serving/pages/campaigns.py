"""All campaigns, a page at a time, filtered by state, user and text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from kylink_cli.overview.campaigns import read_campaigns
from kylink_cli.rules.leases import TEXT_LIMIT
from kylink_cli.rules.text import one_line
from kylink_cli.serving.backend import Backend, Served
from kylink_cli.serving.keyring import Caller
from kylink_cli.serving.pages.paging import SIZE, Number, Pager, before
from kylink_cli.serving.pages.reader import Onlooker, PageRoute
from kylink_cli.serving.pages.rows import ListedCampaign
from kylink_cli.serving.pages.templates import page
from kylink_cli.store.campaign_list import CampaignPart, ListedState, WantedCampaigns, read_part, users
from kylink_cli.store.levels import Scope

router = APIRouter(route_class=PageRoute)

_PATH: Final = "/campaigns"
_STATES: Final[tuple[ListedState, ...]] = ("active", "empty", "paused")

Text = Annotated[str, Query(max_length=TEXT_LIMIT)]


@dataclass(frozen=True, slots=True)
class _Seen:
    rows: Sequence[ListedCampaign]
    total: int
    users: Sequence[str]  # for choice; none to a user's key


@router.get(_PATH)
async def campaigns(  # noqa: PLR0913, PLR0917  (FastAPI gives them by name)
    request: Request,
    caller: Onlooker,
    backend: Served,
    state: Annotated[Literal["", ListedState], Query()] = "",
    user: Text = "",
    text: Text = "",
    number: Annotated[Number, Query(alias="page")] = 1,
) -> Response:
    """Campaigns by name, with their stock."""
    asked = {"state": state, "user": one_line(user), "text": one_line(text)}
    given: dict[str, Any] = {name: value for name, value in asked.items() if value}
    user_id = caller.user_id or given.get("user")
    wanted = WantedCampaigns(user_id, given.get("state"), given.get("text"))
    seen = await backend.workers.look(lambda: _look(backend, caller, wanted, number))
    return page(
        request,
        "campaigns.html.j2",
        rows=seen.rows,
        users=seen.users,
        pager=Pager(_PATH, number, seen.total, given),
        asked=asked,
        offered=_STATES,
    )


def _look(backend: Backend, caller: Caller, wanted: WantedCampaigns, number: int) -> _Seen:
    now = backend.now()

    def read(session: Session) -> _Seen:
        part = read_part(session, wanted, now, limit=SIZE, offset=before(number))
        known = users(session) if caller.user_id is None else []
        found = read_campaigns(session, backend.settings.policy, now, Scope(campaign_ids=part.campaign_ids))
        by_id = {one.stock.level.campaign_id: ListedCampaign(one.need) for one in found}
        return _Seen(_in_order(part, by_id), part.total, known)

    return backend.database.read(read)


def _in_order(part: CampaignPart, rows: dict[str, ListedCampaign]) -> list[ListedCampaign]:
    return [rows[campaign_id] for campaign_id in part.campaign_ids if campaign_id in rows]
