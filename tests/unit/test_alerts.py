"""What the alerts of a replenish run say."""

from datetime import UTC, datetime

import pytest

from kylink_cli.rules.alerts import Failure, replenish_failed, supply_in_doubt

NOW = datetime(2026, 2, 6, 8, 0, tzinfo=UTC)


def _failures(number: int) -> list[Failure]:
    return [Failure(str(i), f"Campaign {i}", "u1", f"HTTP 50{i}", retry_count=2) for i in range(number)]


@pytest.mark.parametrize(("number", "level"), [(1, "WARNING"), (10, "WARNING"), (11, "ERROR"), (25, "ERROR")])
def test_more_than_ten_failures_are_an_error(number: int, level: str) -> None:
    assert replenish_failed(_failures(number), NOW).level == level


def test_up_to_ten_failures_are_all_listed() -> None:
    message = replenish_failed(_failures(10), NOW).message.splitlines()
    assert message[0] == "Replenishment failed for 10 campaigns:"
    assert message[1] == "- Campaign 0 (0): HTTP 500"
    assert len(message) == 11


def test_of_more_the_first_ten_are_listed_and_the_rest_counted() -> None:
    message = replenish_failed(_failures(25), NOW).message.splitlines()
    assert message[10] == "- Campaign 9 (9): HTTP 509"
    assert message[11:] == ["... and 15 more failed"]


def test_the_metadata_hold_every_failure() -> None:
    details = replenish_failed(_failures(25), NOW).details
    assert details["totalFailed"] == 25
    assert details["timestamp"] == "2026-02-06T08:00:00.000Z"
    assert len(details["failures"]) == 25
    assert details["failures"][3] == {
        "campaignId": "3",
        "campaignName": "Campaign 3",
        "userId": "u1",
        "error": "HTTP 503",
        "retryCount": 2,
    }


def test_requests_in_doubt_are_named_by_their_keys() -> None:
    alert = supply_in_doubt([("42", "key-1"), ("43", "key-2")])
    assert alert.type == "SYSTEM_HEALTH"
    assert "- campaign 42: key key-1" in alert.message
    assert alert.details["keys"] == [{"campaignId": "42", "key": "key-1"}, {"campaignId": "43", "key": "key-2"}]
