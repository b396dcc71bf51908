"""What one message says of everything that a run tells."""

from datetime import timedelta
from typing import Any

import pytest

from kylink_cli.rules.alert_book import Event
from kylink_cli.rules.notices import BODY_LENGTH, Notice, compose, for_level, retry_delay
from kylink_cli.rules.vocabulary import AlertLevel


def notice(number: int = 1, event: Event = "opened", level: AlertLevel = AlertLevel.WARNING, **changes: Any) -> Notice:
    alert = {
        "id": number,
        "type": "LOW_STOCK",
        "level": level,
        "title": f"title {number}",
        "message": f"title {number}:\n- a case\nwhat to do",
        "metadata": {},
        "count": 4,
    }
    return Notice(event, level, {**alert, **changes})


def test_one_notice_is_its_title_its_cases_and_what_to_type() -> None:
    message = compose("key", [notice(7)])
    assert message.title == "[kylink] WARNING: title 7"
    assert message.body.splitlines() == [
        "WARNING: title 7",
        "- a case",
        "what to do",
        "kylink alerts show 7 · kylink alerts ack 7",
    ]


def test_several_notices_are_one_message_the_worst_first_and_what_is_over_last() -> None:
    notices = [notice(1, "resolved", AlertLevel.ERROR), notice(2, "repeated"), notice(3, "raised", AlertLevel.ERROR)]
    message = compose("key", notices)
    assert message.title == "[kylink] ERROR: 2 open, 1 resolved"
    heads = [paragraph.splitlines()[0] for paragraph in message.body.split("\n\n")]
    assert heads == ["ERROR: title 3", "WARNING: still: title 2 (seen 4 times)", "resolved: title 1"]
    events = {alert["id"]: alert["event"] for alert in message.document["alerts"]}
    assert list(events.items()) == [(3, "raised"), (2, "repeated"), (1, "resolved")]
    assert (message.document["id"], message.document["text"]) == ("key", message.body)


def test_a_long_message_is_cut_and_says_where_the_rest_is() -> None:
    message = compose("key", [notice(n, message="title\n" + "x" * 900) for n in range(9)])
    assert len(message.body) <= BODY_LENGTH
    assert message.body.splitlines()[-1] == "... 'kylink alerts list' shows the rest"


def test_metadata_are_sent_in_bounded_size() -> None:
    message = compose("key", [notice(metadata={"totalFailed": 5_000, "failures": [{}] * 5_000})])
    metadata = message.document["alerts"][0]["metadata"]
    assert (metadata["totalFailed"], len(metadata["failures"])) == (5_000, 100)


def test_a_channel_carries_what_is_bad_enough_for_it() -> None:
    notices = [notice(1, level=AlertLevel.INFO), notice(2, level=AlertLevel.WARNING), notice(3, level=AlertLevel.ERROR)]
    assert [n.alert["id"] for n in for_level(notices, AlertLevel.WARNING)] == [2, 3]


@pytest.mark.parametrize(("failures", "minutes"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (10_000, 60)])
def test_each_failure_doubles_the_wait_up_to_an_hour(failures: int, minutes: int) -> None:
    assert retry_delay(failures) == timedelta(minutes=minutes)
