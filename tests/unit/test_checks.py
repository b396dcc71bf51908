"""Each check at its thresholds, and what its alert says."""

import ast
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kylink_cli.jobs import alert_check
from kylink_cli.rules import checks, health_checks
from kylink_cli.rules.check_facts import (
    CrashedRun,
    Disk,
    HeldLeases,
    JobStart,
    LowCampaign,
    Share,
    Subject,
    SupplyRate,
)
from kylink_cli.rules.checks import check_failure_rate, check_lease_age, check_low_stock, check_no_stock
from kylink_cli.rules.health_checks import check_crashes, check_disk, check_overdue, check_supply
from kylink_cli.settings.fields import Settings

NOW = datetime(2026, 2, 6, 8, 0, tzinfo=UTC)
LIMITS = Settings().thresholds
HOSTILE = "[red]x[/nope]\x1b[31m\n<0>second\u202eline<script>" + "A" * 5_000


def subject(number: int = 1, name: str | None = None) -> Subject:
    return Subject(f"c{number:05}", f"u{number % 3}", name or f"Campaign {number}")


def low(number: int, *, empty: int = 0) -> list[LowCampaign]:
    return [LowCampaign(subject(i), 0 if i < empty else 2, 5) for i in range(number)]


@pytest.mark.parametrize(
    ("campaigns", "empty", "level"),
    [
        (0, 0, None),
        (1, 0, "INFO"),
        (2, 0, "INFO"),
        (3, 0, "WARNING"),
        (5, 0, "WARNING"),
        (6, 0, "ERROR"),
        (1, 1, "WARNING"),
        (2, 1, "WARNING"),
        (5, 5, "WARNING"),
        (6, 1, "ERROR"),
    ],
)
def test_low_stock_counts_campaigns_and_takes_empty_ones_seriously(
    campaigns: int, empty: int, level: str | None
) -> None:
    result = check_low_stock(low(campaigns, empty=empty), LIMITS)
    assert (result.level, result.value) == (level, campaigns)


def test_low_stock_says_how_bad_it_is_who_is_worst_and_what_to_type() -> None:
    campaigns = [LowCampaign(subject(1), 2, 5), LowCampaign(subject(2), 0, 3)]
    alert = check_low_stock(campaigns, LIMITS).alert
    assert alert is not None
    assert alert.message.splitlines() == [
        "2 campaigns are low on stock (1 empty):",
        "- Campaign 2 (c00002): 0 available, watermark 3",
        "- Campaign 1 (c00001): 2 available, watermark 5",
        "Fill them now: kylink replenish --all",
    ]
    assert [concern.user_id for concern in alert.concerns] == ["u2", "u1"]


def test_ten_thousand_low_campaigns_are_one_readable_alert_with_bounded_metadata() -> None:
    alert = check_low_stock(low(10_000), LIMITS).alert
    assert alert is not None
    assert "... and 9990 more" in alert.message
    assert len(alert.message.splitlines()) == 13
    assert (alert.details["total"], len(alert.details["campaigns"])) == (10_000, 100)


def test_hostile_names_are_cut_and_cleaned_in_message_and_metadata() -> None:
    alert = check_low_stock([LowCampaign(subject(1, HOSTILE), 0, 3)], LIMITS).alert
    assert alert is not None
    assert len(alert.message) < 250
    assert len(alert.message.splitlines()) == 3
    assert len(alert.details["campaigns"][0]["campaignName"]) == 200
    assert not any(mark in str(alert) for mark in ("\x1b", "\u202e"))


@pytest.mark.parametrize(
    ("minutes", "overdue", "level"), [(10, 0, "WARNING"), (14, 0, "WARNING"), (15, 1, "ERROR"), (3, 1, "ERROR")]
)
def test_an_old_lease_is_a_warning_and_one_past_its_deadline_an_error(minutes: int, overdue: int, level: str) -> None:
    held = HeldLeases(subject(), 1, overdue, NOW - timedelta(minutes=minutes))
    result = check_lease_age([held], NOW)
    assert (result.level, result.value) == (level, minutes)


def test_no_old_lease_is_no_alert() -> None:
    assert check_lease_age([], NOW).level is None


@pytest.mark.parametrize(
    ("failed", "closed", "level"),
    [(0, 0, None), (0, 10, None), (99, 1000, None), (1, 10, "WARNING"), (199, 1000, "WARNING"), (2, 10, "ERROR")],
)
def test_the_failure_rate_is_a_warning_from_10_percent_and_an_error_from_20(
    failed: int, closed: int, level: str | None
) -> None:
    assert check_failure_rate([Share(subject(), failed, closed)], LIMITS).level == level


def test_a_rate_of_too_few_leases_says_nothing() -> None:
    limits = replace(LIMITS, smallest_sample=5)
    assert check_failure_rate([Share(subject(), 4, 4)], limits).level is None
    assert check_failure_rate([Share(subject(), 4, 5)], limits).level == "ERROR"


def test_failing_campaigns_alone_are_what_the_failure_rate_is_about() -> None:
    alert = check_failure_rate([Share(subject(1), 0, 5), Share(subject(2), 5, 5)], LIMITS).alert
    assert alert is not None
    assert [concern.campaign_id for concern in alert.concerns] == ["c00002"]
    assert "- Campaign 2 (c00002): 5 of 5" in alert.message


@pytest.mark.parametrize(("events", "level"), [(0, None), (9, None), (10, "WARNING"), (49, "WARNING"), (50, "ERROR")])
def test_empty_handed_consumers_are_counted_over_all_campaigns(events: int, level: str | None) -> None:
    halves = [Share(subject(1), events // 2), Share(subject(2), events - events // 2)]
    assert check_no_stock(halves, LIMITS).level == level


@pytest.mark.parametrize(("minutes", "level"), [(None, None), (0, None), (20, None), (20.02, "ERROR"), (500, "ERROR")])
def test_a_job_is_overdue_after_more_than_two_intervals(minutes: float | None, level: str | None) -> None:
    started = None if minutes is None else NOW - timedelta(minutes=minutes)
    result = check_overdue(JobStart("stock_replenish", 10, started), LIMITS, NOW)
    assert result.level == level
    assert result.fingerprint == "SYSTEM_HEALTH:job_overdue:stock_replenish"


@pytest.mark.parametrize(("number", "level"), [(0, None), (1, "WARNING"), (2, "WARNING"), (3, "ERROR")])
def test_crashed_runs_are_named(number: int, level: str | None) -> None:
    result = check_crashes([CrashedRun(7 + i, "lease_recovery", "db1") for i in range(number)], LIMITS)
    assert result.level == level
    if result.alert is not None:
        assert "- run 7 of lease_recovery on db1" in result.alert.message


@pytest.mark.parametrize(
    ("answered", "failed", "level"),
    [(0, 0, None), (90, 10, None), (899, 101, "WARNING"), (50, 50, "WARNING"), (49, 51, "ERROR"), (0, 1, "ERROR")],
)
def test_the_supply_service_is_to_answer_90_percent(answered: int, failed: int, level: str | None) -> None:
    assert check_supply(SupplyRate(answered, failed), LIMITS).level == level


@pytest.mark.parametrize(
    ("sample", "failed", "value"), [(5, 4, None), (5, 5, 0.0), (1, 0, None), (1, 1, 0.0), (0, 0, None)]
)
def test_a_rate_of_too_few_requests_says_nothing(sample: int, failed: int, value: float | None) -> None:
    result = check_supply(SupplyRate(0, failed), replace(LIMITS, smallest_sample=sample))
    assert (result.value, result.level) == (value, None if value is None else "ERROR")


def test_the_disk_is_described_in_percent_and_mebibytes() -> None:
    healthy = check_disk(Disk(100 * 2**20, 75 * 2**20 + 1), LIMITS)
    assert (healthy.value, healthy.level, healthy.fingerprint) == (25.0, None, "SYSTEM_HEALTH:disk")
    assert healthy.detail == "The disk of the database is 25 % full, 75 MiB are left"
    full = check_disk(Disk(100 * 2**20, 3 * 2**20 - 1), LIMITS)
    assert (full.value, full.level, full.detail) == (
        97.0,
        "ERROR",
        "The disk of the database is 97 % full, 2 MiB are left",
    )
    assert full.alert is not None
    assert full.alert.message.startswith(full.detail)
    assert full.alert.details == {"total": 100 * 2**20, "free": 3 * 2**20 - 1}


@pytest.mark.parametrize(
    ("free", "level"), [(101, None), (100, "WARNING"), (51, "WARNING"), (50, "ERROR"), (0, "ERROR")]
)
def test_the_disk_is_nearly_full_from_90_percent_on(free: int, level: str | None) -> None:
    assert check_disk(Disk(1000, free), LIMITS).level == level


def test_a_disk_on_another_host_is_not_judged() -> None:
    assert check_disk(None, LIMITS).level is None


def test_every_check_is_run() -> None:
    """Whoever adds a check learns here that the job does not know it."""
    named = {name for module in (checks, health_checks) for name in vars(module) if name.startswith("check_")}
    called = {
        node.func.id
        for node in ast.walk(ast.parse(Path(alert_check.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert named <= called
