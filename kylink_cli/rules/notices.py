"""Notifications: what people are notified of in one run, as one message for each channel, and when it is sent again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from kylink_cli.rules import alert_texts as texts
from kylink_cli.rules.alert_book import Event
from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.vocabulary import LEVELS, AlertLevel

# Chat services refuse longer texts.
BODY_LENGTH = 3_500
# Entries of a list in an alert's metadata that are sent along.
SENT_ENTRIES = 100
# What has not arrived by then is not sent any more.
GIVE_UP_AFTER = timedelta(hours=24)
_FIRST_DELAY = timedelta(minutes=1)
_LONGEST_DELAY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Notice:
    """What people are notified of one alert.

    Attributes:
        event: what has happened.
        level: the worst level that they were notified of, which decides who hears of it.
        alert: the alert as JSON (contract, section 3).
    """

    event: Event
    level: AlertLevel
    alert: dict[str, Any]

    @property
    def title(self) -> str:
        """What has happened, in one line."""
        title = str(self.alert["title"])
        if self.event == "resolved":
            return texts.resolved(title)
        return texts.still(title, self.alert["count"]) if self.event == "repeated" else title


@dataclass(frozen=True, slots=True)
class Message:
    """A notification as a channel sends it.

    Attributes:
        key: names it for good, also when it is sent again.
        title: its subject.
        body: its text.
        level: the worst of its notices.
        document: all of it, for programs.
    """

    key: str
    title: str
    body: str
    level: AlertLevel
    document: dict[str, Any] = field(default_factory=dict)


def compose(key: str, notices: Sequence[Notice]) -> Message:
    """One message for everything that people are notified of: what is worst first, what is over last.

    Args:
        key: names the message.
        notices: at least one.
    """
    ordered = sorted(notices, key=lambda n: (n.event == "resolved", -LEVELS.index(n.level), n.alert["id"]))
    level = ordered[0].level
    title = texts.subject(level, _title(ordered))
    body = _cut("\n\n".join(_paragraph(notice) for notice in ordered))
    alerts = [{"event": notice.event, **_bounded(notice.alert)} for notice in ordered]
    document = {"id": key, "kind": "alerts", "level": level, "title": title, "text": body, "alerts": alerts}
    return Message(key, title, body, level, document)


def probe(key: str) -> Message:
    """The message of `kylink alerts test`."""
    title, body = texts.subject(AlertLevel.INFO, texts.probe()), texts.probe()
    document = {"id": key, "kind": "test", "level": AlertLevel.INFO, "title": title, "text": body, "alerts": []}
    return Message(key, title, body, AlertLevel.INFO, document)


def unrecorded(key: str, condition: NewAlert, reason: str) -> Message:
    """The message of an alert that could not be recorded, and why not."""
    title = texts.subject(condition.level, condition.title)
    body = _cut(f"{condition.message}\n{texts.unrecorded(reason)}")
    document = {"id": key, "kind": "unrecorded", "level": condition.level, "title": title, "text": body, "alerts": []}
    return Message(key, title, body, condition.level, document)


def for_level(notices: Sequence[Notice], lowest: AlertLevel) -> list[Notice]:
    """The notices that a channel with a lowest level carries."""
    return [notice for notice in notices if LEVELS.index(notice.level) >= LEVELS.index(lowest)]


def _title(notices: Sequence[Notice]) -> str:
    if len(notices) == 1:
        return notices[0].title
    resolved = sum(notice.event == "resolved" for notice in notices)
    return texts.grouped(len(notices) - resolved, resolved)


def _paragraph(notice: Notice) -> str:
    if notice.event == "resolved":
        return notice.title
    heading = texts.paragraph(notice.alert["level"], notice.title)
    # The message begins with the title.
    rest = str(notice.alert["message"]).splitlines()[1:]
    return "\n".join([heading, *rest, texts.alert_commands(notice.alert["id"])])


def _cut(body: str) -> str:
    if len(body) <= BODY_LENGTH:
        return body
    return f"{body[: BODY_LENGTH - len(texts.cut()) - 1]}\n{texts.cut()}"


def _bounded(alert: dict[str, Any]) -> dict[str, Any]:
    """The alert with metadata of bounded size; its figures count all entries."""
    metadata = {
        name: value[:SENT_ENTRIES] if isinstance(value, list) else value for name, value in alert["metadata"].items()
    }
    return {**alert, "metadata": metadata}


def retry_delay(failures: int) -> timedelta:
    """How long a notification waits after a try that failed: a minute, then twice as long each time, an hour at most.

    Args:
        failures: tries that have failed, at least 1.
    """
    # Bounded before it is used as an exponent: a timedelta holds no more than a billion days.
    doublings: int = 2 ** min(failures - 1, 10)
    return min(_LONGEST_DELAY, _FIRST_DELAY * doublings)
