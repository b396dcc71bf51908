"""Alerts and silences, for programs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from typing_extensions import TypedDict

from kylink_cli.alerting.acts import AlertResult
from kylink_cli.rules.alert_views import for_user
from kylink_cli.store import alerts
from kylink_cli.store.tables import Alert, SilenceRecord


class AlertDocument(TypedDict):
    """An alert."""

    id: int
    type: str
    level: str
    state: str
    title: str
    message: str
    metadata: dict[str, Any]
    count: int
    first_seen_at: str
    last_seen_at: str
    acknowledged_at: str | None
    resolved_at: str | None


class WholeAlertDocument(AlertDocument):
    """An alert, and whom it concerns."""

    users: list[str]
    silenced_until: datetime | None


class AlertsDocument(TypedDict):
    """Alerts, those that are not resolved first, then newest first."""

    alerts: list[AlertDocument]


class AlertResultDocument(TypedDict):
    """What has become of an alert that was named."""

    id: int
    ok: bool
    state: str
    message: str


class SilenceDocument(TypedDict):
    """Which alerts are muted, until when and why."""

    id: int
    type: str | None
    campaign_id: str | None
    user_id: str | None
    reason: str | None
    created_at: datetime
    until: datetime


class SilencesDocument(TypedDict):
    """Silences that last."""

    silences: list[SilenceDocument]


@dataclass(frozen=True, slots=True)
class AlertViewer:
    """Who looks at alerts and is to see one user's campaigns alone."""

    user_id: str
    campaign_ids: Collection[str]


def alerts_document(found: Sequence[Alert], viewer: AlertViewer | None = None) -> AlertsDocument:
    """Alerts.

    Args:
        viewer: whose campaigns alone they are to speak of; None for all.
    """
    return {"alerts": [_document(alert, viewer) for alert in found]}


def alert_document(alert: Alert, users: Sequence[str], viewer: AlertViewer | None = None) -> WholeAlertDocument:
    """An alert, and whom it concerns.

    Args:
        viewer: as for `alerts_document`.
    """
    shown = [user for user in users if viewer is None or user == viewer.user_id]
    return {**_document(alert, viewer), "users": shown, "silenced_until": alert.silenced_until}


def result_document(result: AlertResult) -> AlertResultDocument:
    """What has become of an alert that was named."""
    return {"id": result.alert_id, "ok": result.ok, "state": result.state, "message": result.message}


def silence_document(record: SilenceRecord) -> SilenceDocument:
    """A silence."""
    return {
        "id": record.id or 0,
        "type": record.type,
        "campaign_id": record.campaign_id,
        "user_id": record.user_id,
        "reason": record.reason,
        "created_at": record.created_at,
        "until": record.until,
    }


def _document(alert: Alert, viewer: AlertViewer | None) -> AlertDocument:
    whole = alerts.document(alert)
    shown = whole if viewer is None else for_user(whole, viewer.user_id, viewer.campaign_ids)
    return cast("AlertDocument", shown)
