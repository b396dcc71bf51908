"""What an operator does with alerts: take them on, close them, silence them, delete old ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from kylink_cli.alerting.posting import Alerting, post
from kylink_cli.errors import NotFoundError, UnknownCampaignError, UsageError
from kylink_cli.language import tr
from kylink_cli.rules.silences import Silence
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import Act, AlertState
from kylink_cli.store import alerts, audit, campaigns, retention
from kylink_cli.store.audit import AuditEntry
from kylink_cli.store.engine.database import Database
from kylink_cli.store.retention import purge as purge_batches
from kylink_cli.store.tables import SilenceRecord

REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class AlertResult:
    """What has become of one alert that was named."""

    alert_id: int
    ok: bool
    state: str  # `unknown` if there is no such alert
    message: str


def acknowledge(database: Database, alert_ids: Sequence[int], now: datetime, who: str) -> list[AlertResult]:
    """Record that somebody takes alerts on.

    Args:
        who: for the audit trail, here and below.
    """

    def act(session: Session) -> list[AlertResult]:
        changed = alerts.acknowledge(session, alert_ids, now)
        audit.record(session, AuditEntry(who, Act.ALERT_ACKNOWLEDGED, _numbers(changed)), now)
        found = alerts.get(session, alert_ids)
        states = {alert_id: alert.state for alert_id, alert in found.items()}
        return [_acknowledged(alert_id, states.get(alert_id), changed) for alert_id in alert_ids]

    return database.commit(act)


def resolve(
    database: Database, alerting: Alerting, alert_ids: Sequence[int], now: datetime, who: str
) -> list[AlertResult]:
    """Record that alerts are over; the next run of a job notifies those who were notified of them before."""

    def act(session: Session) -> list[AlertResult]:
        found = alerts.get(session, alert_ids)
        going_on = [alert.fingerprint for alert in found.values() if alert.state != AlertState.RESOLVED]
        posted = post(session, alerting, (), going_on, now)
        audit.record(session, AuditEntry(who, Act.ALERT_RESOLVED, _numbers(posted.resolved)), now)
        return [_resolved(alert_id, posted.resolved, set(found)) for alert_id in alert_ids]

    return database.commit(act)


def silence(database: Database, wanted: Silence, reason: str | None, now: datetime, who: str) -> SilenceRecord:
    """Mute certain alerts for a time.

    Raises:
        UsageError: nothing is named.
        NotFoundError: there is no such campaign.
    """
    if wanted.type is None and wanted.campaign_id is None and wanted.user_id is None:
        raise UsageError(tr("name what to silence: --type, --campaign, --user, or several of them"))
    clean = None if reason is None else one_line(reason, REASON_LENGTH)

    def act(session: Session) -> SilenceRecord:
        if wanted.campaign_id is not None and not campaigns.facts(session, [wanted.campaign_id]):
            raise UnknownCampaignError(wanted.campaign_id)
        alerts.forget_silences(session)
        added = alerts.add_silence(session, wanted, clean, now)
        audit.record(session, AuditEntry(who, Act.ALERT_SILENCED, [_scope(wanted)], clean), now)
        return added

    return database.commit(act)


def unsilence(database: Database, silence_id: int, now: datetime, who: str) -> None:
    """End a silence.

    Raises:
        NotFoundError: there is none.
    """

    def act(session: Session) -> None:
        if not alerts.end_silence(session, silence_id):
            raise NotFoundError(
                tr("there is no silence {silence_id}: 'kylink alerts silences' shows them", silence_id=silence_id)
            )
        alerts.forget_silences(session)
        audit.record(session, AuditEntry(who, Act.SILENCE_ENDED, [str(silence_id)]), now)

    database.commit(act)


def purge(database: Database, kept_days: int, now: datetime, who: str) -> int:
    """Delete resolved alerts, ended silences and settled notifications.

    Args:
        kept_days: how long they are kept, days.

    Returns:
        How many rows were deleted.

    Raises:
        DatabaseError: the database failed; every batch before is committed.
    """
    before = now - timedelta(days=kept_days)
    entry = AuditEntry(who, Act.ALERTS_PURGED, [f"older than {kept_days} days"])
    database.commit(lambda session: audit.record(session, entry, now))
    return sum(purge_batches(database, [(delete, before) for delete in retention.OF_ALERTS]))


def _numbers(alert_ids: Iterable[int]) -> list[str]:
    return [str(alert_id) for alert_id in sorted(alert_ids)]


def _scope(wanted: Silence) -> str:
    named = (wanted.type, wanted.campaign_id, wanted.user_id)
    return " ".join(str(name) for name in named if name is not None)


def _acknowledged(alert_id: int, state: str | None, changed: set[int]) -> AlertResult:
    if state is None:
        return _unknown(alert_id)
    if alert_id in changed:
        return AlertResult(alert_id, ok=True, state=state, message=tr("acknowledged"))
    if state == AlertState.ACKNOWLEDGED:
        return AlertResult(alert_id, ok=True, state=state, message=tr("was acknowledged already"))
    return AlertResult(
        alert_id, ok=False, state=state, message=tr("is already resolved: there is nothing to acknowledge")
    )


def _resolved(alert_id: int, changed: Sequence[int], known: set[int]) -> AlertResult:
    if alert_id not in known:
        return _unknown(alert_id)
    message = tr("resolved") if alert_id in changed else tr("was resolved already")
    return AlertResult(alert_id, ok=True, state=AlertState.RESOLVED, message=message)


def _unknown(alert_id: int) -> AlertResult:
    return AlertResult(alert_id, ok=False, state="unknown", message=tr("there is no such alert"))
