"""An alert, what can be done with it, and what is silenced."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request
from sqlalchemy.orm import Session
from starlette.responses import RedirectResponse, Response

from kylink_cli.alerting.acts import REASON_LENGTH
from kylink_cli.documents.alerts import WholeAlertDocument
from kylink_cli.language import ntr
from kylink_cli.rules.vocabulary import AlertType
from kylink_cli.serving import alerts
from kylink_cli.serving.backend import Served
from kylink_cli.serving.pages.reader import Onlooker, PageOperator, PageRoute
from kylink_cli.serving.pages.templates import page
from kylink_cli.serving.texts import PlainText

router = APIRouter(route_class=PageRoute)

_HOUR_MINUTES: Final = 60
_OFFERED_HOURS: Final = (1, 8, 24, 168)
# An alert may be about thousands of campaigns.
_OFFERED_CAMPAIGNS: Final = 50

# As fields of the form by which an alert is silenced.
Hours = Annotated[int, Form(ge=1, le=max(_OFFERED_HOURS))]
AboutCampaign = Annotated[PlainText | None, Form()]
Reason = Annotated[str, Form(max_length=REASON_LENGTH)]


@router.get("/alerts/{alert_id}")
async def alert(request: Request, alert_id: alerts.Id, caller: Onlooker, backend: Served) -> Response:
    """An alert, with the forms by which it is acted on."""

    def read(session: Session) -> tuple[WholeAlertDocument, bool]:
        return alerts.seen_alert(session, caller, alert_id), alerts.is_own(session, caller, alert_id)

    seen, is_own = await backend.workers.read(read)
    hours = [(one, ntr("{n} hour", "{n} hours", one)) for one in _OFFERED_HOURS]
    return page(request, "alert.html.j2", alert=seen, is_own=is_own, campaigns=_campaigns(seen), hours=hours)


@router.post("/alerts/{alert_id}/resolve")
async def resolve(alert_id: alerts.Id, caller: PageOperator, backend: Served) -> Response:
    """Mark an alert as resolved."""
    await alerts.resolve(alert_id, caller, backend)
    return RedirectResponse(f"/alerts/{alert_id}", 303)


@router.post("/alerts/{alert_id}/silence")
async def silence(  # noqa: PLR0913, PLR0917  (FastAPI gives them by name)
    alert_id: alerts.Id,
    caller: PageOperator,
    backend: Served,
    hours: Hours,
    campaign: AboutCampaign = None,
    reason: Reason = "",
) -> Response:
    """Mute alerts of this one's type for a time: all that are the caller's, or those about a campaign."""
    seen = await backend.workers.read(lambda session: alerts.seen_alert(session, caller, alert_id))
    wanted = alerts.Mute(
        minutes=hours * _HOUR_MINUTES,
        type=AlertType(seen["type"]),
        campaign_id=campaign,
        reason=reason.strip() or None,
    )
    await alerts.mute(wanted, caller, backend)
    return RedirectResponse("/silences", 303)


@router.get("/silences")
async def silences(request: Request, caller: Onlooker, backend: Served) -> Response:
    """The silences that last."""
    seen = await backend.workers.look(lambda: alerts.seen_silences(backend, caller))
    return page(request, "silences.html.j2", silences=seen["silences"])


@router.post("/silences/{silence_id}/end")
async def end_silence(silence_id: alerts.Id, caller: PageOperator, backend: Served) -> Response:
    """End a silence."""
    await alerts.end_silence(silence_id, caller, backend)
    return RedirectResponse("/silences", 303)


def _campaigns(seen: WholeAlertDocument) -> list[tuple[str, str]]:
    """The campaigns that an alert names, each with its name, as far as its reader may see them."""
    lists: list[list[Any]] = [value for value in seen["metadata"].values() if isinstance(value, list)]
    named = [one for entries in lists for one in entries if isinstance(one, dict) and "campaignId" in one]
    found = {str(one["campaignId"]): str(one.get("campaignName") or one["campaignId"]) for one in named}
    return list(found.items())[:_OFFERED_CAMPAIGNS]
