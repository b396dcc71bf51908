"""What a user sees of an alert that is about campaigns of several users."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kylink_cli.rules.alert_views import for_user
from kylink_cli.rules.alerts import Failure, NewAlert, replenish_failed, supply_in_doubt

NOW = datetime(2026, 2, 6, 8, tzinfo=UTC)


def failure(campaign_id: str, user_id: str) -> Failure:
    return Failure(campaign_id, f"name of {campaign_id}", user_id, f"error of {campaign_id}", 3)


def document(alert: NewAlert) -> dict[str, Any]:
    return {"title": alert.title, "message": alert.message, "metadata": alert.details}


def seen(alert: NewAlert, user_id: str, *own_ids: str) -> str:
    return str(for_user(document(alert), user_id, own_ids))


def test_of_a_list_of_failures_only_the_user_s_own_are_left() -> None:
    alert = replenish_failed([failure("a1", "alice"), failure("b1", "bob"), failure("a2", "alice")], NOW)
    shown = for_user(document(alert), "alice", ["a1", "a2"])
    assert [entry["campaignId"] for entry in shown["metadata"]["failures"]] == ["a1", "a2"]
    assert shown["metadata"]["totalFailed"] == 3
    assert shown["message"].split("\n")[1:] == ["- name of a1 (a1): error of a1", "- name of a2 (a2): error of a2"]
    assert "b1" not in seen(alert, "alice", "a1", "a2")


def test_whoever_is_in_no_list_sees_no_campaign_at_all() -> None:
    alert = replenish_failed([failure("a1", "alice"), failure("b1", "bob")], NOW)
    assert not any(id_ in seen(alert, "carol") for id_ in ("a1", "b1"))


def test_an_entry_that_names_no_user_is_seen_by_the_campaign_s_owner() -> None:
    alert = supply_in_doubt([("a1", "key-of-a1"), ("b1", "key-of-b1")])
    assert "key-of-a1" in seen(alert, "alice", "a1")
    assert "key-of-b1" not in seen(alert, "alice", "a1")


@pytest.mark.parametrize("metadata", [{}, {"runs": [{"runId": 1}]}, {"total": 3, "free": 1}, {"problems": ["x"]}])
def test_what_is_about_no_campaign_stays(metadata: dict[str, Any]) -> None:
    alert = {"title": "t", "message": "m:\nadvice", "metadata": metadata}
    assert for_user(alert, "alice", []) == alert
