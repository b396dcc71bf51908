"""Posting: what a run has found becomes entries of the alert book, and messages in the outbox, in one transaction.

1. What was found is entered or counted; what is over is resolved.
2. For every alert it is decided whether people are told, and of what (`rules/alert_book.py`).
3. What they are told goes into the outbox, one message for each channel; it replaces what that has not got yet of the
   same alerts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from kylink_cli.notify.base import Channel
from kylink_cli.rules.alert_book import BookRules, Entry, over, seen, tell
from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.notices import Notice, compose, for_level
from kylink_cli.rules.silences import silenced_until
from kylink_cli.rules.vocabulary import AlertState
from kylink_cli.store import alerts, outbox
from kylink_cli.store.tables import Alert


@dataclass(frozen=True, slots=True)
class Alerting:
    """Whom runs tell, and when."""

    rules: BookRules
    channels: Sequence[Channel] = ()
    channel_seconds: float = 10  # in one run


@dataclass(slots=True)
class Posted:
    """The alerts that a run has changed."""

    # opened and updated, in the order in which the conditions were found
    raised: list[int] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)  # new, or open again
    updated: list[int] = field(default_factory=list)  # counted once more
    resolved: list[int] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def post(
    session: Session, alerting: Alerting, raised: Sequence[NewAlert], ended: Sequence[str], now: datetime
) -> Posted:
    """Enter what a run has found into the alert book, and write to the outbox what people are told.

    Args:
        raised: the conditions that are there, each at most once.
        ended: the fingerprints of those that are over.
    """
    book = alerts.read_book(session, [condition.fingerprint for condition in raised], now - alerting.rules.flap)
    posting = _Posting(session, alerting, now)
    for condition in raised:
        book[condition.fingerprint] = posting.enter(book.get(condition.fingerprint), condition)
    for fingerprint in ended:
        if fingerprint in book:
            posting.resolve(book[fingerprint])
    for alert in book.values():
        posting.tell(alert)
    posting.write()
    return posting.posted


class _Posting:
    """One transaction's changes to the book."""

    def __init__(self, session: Session, alerting: Alerting, now: datetime) -> None:
        self.posted = Posted()
        self._session = session
        self._alerting = alerting
        self._now = now
        self._silences = [alerts.silence_of(record) for record in alerts.active_silences(session, now)]

    def enter(self, alert: Alert | None, condition: NewAlert) -> Alert:
        """Enter a condition that is there."""
        entry = None if alert is None else alerts.entry_of(alert)
        is_new = alert is None or alert.state == AlertState.RESOLVED
        if alert is None:
            alert = alerts.add(self._session, condition, self._now)
        else:
            alerts.count(self._session, alert, condition, self._now)
        alert.silenced_until = silenced_until(condition.type, condition.concerns, self._silences, self._now)
        self._set(alert, seen(entry, condition.level))
        self.posted.raised.append(alert.id or 0)
        (self.posted.opened if is_new else self.posted.updated).append(alert.id or 0)
        return alert

    def resolve(self, alert: Alert) -> None:
        """Enter that a condition is over."""
        self._set(alert, over(alerts.entry_of(alert)))
        self.posted.resolved.append(alert.id or 0)

    def tell(self, alert: Alert) -> None:
        """Decide what people are notified of an alert."""
        entry, event = tell(alerts.entry_of(alert), self._alerting.rules, self._now, silenced=self._is_silenced(alert))
        self._set(alert, entry)
        if event is not None:
            self.posted.notices.append(Notice(event, entry.told_level or entry.level, alerts.document(alert)))

    def write(self) -> None:
        """Write the messages to the outbox."""
        for channel in self._alerting.channels:
            if notices := for_level(self.posted.notices, channel.lowest):
                outbox.drop_superseded(self._session, channel.name, {int(notice.alert["id"]) for notice in notices})
                outbox.write(self._session, channel.name, compose(str(uuid4()), notices), self._now)

    def _is_silenced(self, alert: Alert) -> bool:
        """Whether it is muted; what this run did not look at is as silent as when it was seen last."""
        if alert.silenced_until is not None and alert.silenced_until > self._now:
            return True
        return any(silence.covers(alert.type, None) for silence in self._silences)

    def _set(self, alert: Alert, entry: Entry) -> None:
        alerts.set_entry(self._session, alert, entry, self._now)
