"""What operators do with alerts over HTTP. A user's key sees, of an alert, what it says of that user's campaigns."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response
from typing_extensions import TypedDict

from kylink_cli.alerting import acts
from kylink_cli.documents.alerts import (
    AlertResultDocument,
    AlertsDocument,
    AlertViewer,
    SilenceDocument,
    SilencesDocument,
    WholeAlertDocument,
    alert_document,
    alerts_document,
    result_document,
    silence_document,
)
from kylink_cli.errors import NotFoundError, UnknownCampaignError
from kylink_cli.language import tr
from kylink_cli.rules.silences import LONGEST, Silence
from kylink_cli.rules.vocabulary import AlertLevel, AlertState, AlertType
from kylink_cli.serving.answers import LARGEST_ID, Reply
from kylink_cli.serving.authentication import Operator, Reader
from kylink_cli.serving.backend import Backend, Served
from kylink_cli.serving.keyring import Caller
from kylink_cli.serving.problems import Problem
from kylink_cli.serving.texts import Body, PlainText
from kylink_cli.store import alerts, campaigns
from kylink_cli.store.alerts import AlertFilter
from kylink_cli.store.levels import Scope, statuses
from kylink_cli.store.tables import Alert

_MINUTES_LIMIT: Final = LONGEST // timedelta(minutes=1)

router = APIRouter(prefix="/alerts", tags=["alerts"])
silences_router = APIRouter(prefix="/silences", tags=["alerts"])

Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]


class Mute(Body):
    """Which alerts are to be muted, and for how long; an alert must match all that is named."""

    minutes: Annotated[int, Field(ge=1, le=_MINUTES_LIMIT)]
    type: Annotated[AlertType | None, Field(strict=False)] = None
    campaign_id: PlainText | None = None
    user_id: PlainText | None = None
    reason: Annotated[str, Field(max_length=acts.REASON_LENGTH)] | None = None


class EndedDocument(TypedDict):
    """A silence that is over."""

    id: int
    ended: bool


@router.get("", response_model=AlertsDocument)
async def list_alerts(  # noqa: PLR0913, PLR0917  (FastAPI gives them by name)
    caller: Reader,
    backend: Served,
    state: Annotated[AlertState | None, Query()] = None,
    type: Annotated[AlertType | None, Query()] = None,  # noqa: A002  (as the contract names it)
    level: Annotated[AlertLevel | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 20,
) -> Response:
    """Alerts, those that are not resolved first, then newest first."""
    wanted = AlertFilter(state, type, level, caller.user_id, limit)
    return Reply(await backend.workers.read(lambda session: seen_alerts(session, caller, wanted)))


def seen_alerts(session: Session, caller: Caller, wanted: AlertFilter) -> AlertsDocument:
    """Alerts, and of each what a caller may see."""
    return alerts_document(alerts.read_alerts(session, wanted), _viewer(session, caller))


@router.get("/{alert_id}", response_model=WholeAlertDocument)
async def show(alert_id: Id, caller: Reader, backend: Served) -> Response:
    """One alert, and the users whom it concerns."""
    return Reply(await backend.workers.read(lambda session: seen_alert(session, caller, alert_id)))


def seen_alert(session: Session, caller: Caller, alert_id: int) -> WholeAlertDocument:
    """An alert as a caller may see it.

    Raises:
        NotFoundError: there is none for the caller.
    """
    alert, users = _found(session, caller, alert_id)
    return alert_document(alert, users, _viewer(session, caller))


def is_own(session: Session, caller: Caller, alert_id: int) -> bool:
    """Whether an alert concerns nobody but a caller, who therefore may act on it."""
    return caller.user_id is None or alerts.users_of(session, alert_id) == [caller.user_id]


@router.post("/{alert_id}/ack", response_model=AlertResultDocument)
async def acknowledge(alert_id: Id, caller: Operator, backend: Served) -> Response:
    """Take an alert on: it is no longer repeated unless it gets worse."""
    await backend.workers.read(lambda session: _require_own(session, caller, alert_id))
    results = await backend.workers.write(
        lambda: acts.acknowledge(backend.database, [alert_id], backend.now(), caller.who)
    )
    return Reply(result_document(results[0]), 200 if results[0].ok else 409)


@router.post("/{alert_id}/resolve", response_model=AlertResultDocument)
async def resolve(alert_id: Id, caller: Operator, backend: Served) -> Response:
    """Mark an alert as resolved; if its condition persists, the next check opens it again."""
    await backend.workers.read(lambda session: _require_own(session, caller, alert_id))
    results = await backend.workers.write(
        lambda: acts.resolve(backend.database, backend.parts.alerting, [alert_id], backend.now(), caller.who)
    )
    return Reply(result_document(results[0]))


@silences_router.get("", response_model=SilencesDocument)
async def list_silences(caller: Reader, backend: Served) -> Response:
    """The silences that last; a user's key sees that user's."""
    return Reply(await backend.workers.look(lambda: seen_silences(backend, caller)))


def seen_silences(backend: Backend, caller: Caller) -> SilencesDocument:
    """The silences that last, as a caller may see them; those that end soonest first."""
    now = backend.now()
    found = backend.database.read(lambda session: alerts.active_silences(session, now))
    shown = [record for record in found if caller.user_id in {None, record.user_id}]
    return {"silences": [silence_document(record) for record in shown]}


@silences_router.post("", status_code=201, response_model=SilenceDocument)
async def silence(body: Mute, caller: Operator, backend: Served) -> Response:
    """Mute alerts for a time. A user's key mutes what is about that user's campaigns."""
    return Reply(await mute(body, caller, backend), 201)


async def mute(body: Mute, caller: Caller, backend: Backend) -> SilenceDocument:
    """Mute alerts for a time, as far as they are a caller's to mute.

    Raises:
        NotFoundError: there is no such user or campaign for the caller.
    """
    user_id = caller.user_id or body.user_id
    if body.user_id not in {None, user_id}:
        raise NotFoundError(tr("there is no user {user_id}", user_id=body.user_id))
    if body.campaign_id is not None:
        wanted_id = body.campaign_id
        await backend.workers.read(lambda session: _require_campaign(session, caller, wanted_id))

    def act() -> SilenceDocument:
        now = backend.now()
        wanted = Silence(now + timedelta(minutes=body.minutes), body.type, body.campaign_id, user_id)
        return silence_document(acts.silence(backend.database, wanted, body.reason, now, caller.who))

    return await backend.workers.write(act)


@silences_router.delete("/{silence_id}", response_model=EndedDocument)
async def unsilence(silence_id: Id, caller: Operator, backend: Served) -> Response:
    """End a silence."""
    await end_silence(silence_id, caller, backend)
    return Reply({"id": silence_id, "ended": True})


async def end_silence(silence_id: int, caller: Caller, backend: Backend) -> None:
    """End a silence that is a caller's.

    Raises:
        NotFoundError: there is none.
    """

    def act() -> None:
        _require_silence(backend, caller, silence_id)
        acts.unsilence(backend.database, silence_id, backend.now(), caller.who)

    await backend.workers.write(act)


def _viewer(session: Session, caller: Caller) -> AlertViewer | None:
    if caller.user_id is None:
        return None
    return AlertViewer(caller.user_id, statuses(session, Scope(user_id=caller.user_id)))


def _found(session: Session, caller: Caller, alert_id: int) -> tuple[Alert, list[str]]:
    """An alert that exists for a caller, and the users whom it concerns.

    Raises:
        NotFoundError: there is none.
    """
    alert, users = alerts.get(session, [alert_id]).get(alert_id), alerts.users_of(session, alert_id)
    if alert is None or (caller.user_id is not None and caller.user_id not in users):
        raise NotFoundError(tr("there is no alert {alert_id}: 'kylink alerts list' shows them", alert_id=alert_id))
    return alert, users


def _require_own(session: Session, caller: Caller, alert_id: int) -> None:
    """Refuse an act on what concerns others too.

    Raises:
        NotFoundError: there is no such alert for the caller.
        Problem: it concerns others' campaigns as well.
    """
    _, users = _found(session, caller, alert_id)
    if caller.user_id is not None and users != [caller.user_id]:
        raise Problem(
            403, "FORBIDDEN", tr("this alert is about other users' campaigns too: a key for all can act on it")
        )


def _require_campaign(session: Session, caller: Caller, campaign_id: str) -> None:
    facts = campaigns.facts(session, [campaign_id]).get(campaign_id)
    if facts is None or caller.user_id not in {None, facts.user_id}:
        raise UnknownCampaignError(campaign_id)


def _require_silence(backend: Backend, caller: Caller, silence_id: int) -> None:
    if caller.user_id is None:
        return
    now = backend.now()
    found = backend.database.read(lambda session: alerts.active_silences(session, now))
    if not any(record.id == silence_id and record.user_id == caller.user_id for record in found):
        raise NotFoundError(
            tr("there is no silence {silence_id}: 'kylink alerts silences' shows them", silence_id=silence_id)
        )
