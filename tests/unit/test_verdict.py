"""The verdict and the list of what needs attention: what is said of which situation, and in which colour."""

from datetime import UTC, datetime, timedelta

import pytest

from kylink_cli.rules.attention import attention
from kylink_cli.rules.demand import Asked
from kylink_cli.rules.figures import AlertFacts, Period
from kylink_cli.rules.replenishment import Level, Need, Watermark
from kylink_cli.rules.situation import CampaignSituation, JobSituation, Situation
from kylink_cli.rules.verdict import verdict
from kylink_cli.rules.vocabulary import WatermarkSource

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
WEEK = Period(NOW - timedelta(days=7), NOW)


def campaign(
    key: str, available: int = 10, asked: tuple[int, int] = (0, 0), error: str | None = None, active: bool = True
) -> CampaignSituation:
    level = Level(key, "u1", f"Campaign {key}", None, None, NOW, None, None, available, 0, active=active)
    return CampaignSituation(Need(level, Watermark(3, WatermarkSource.OWN), 10, 0), Asked(*asked), error)


def job(name: str = "stock_replenish", **facts: object) -> JobSituation:
    return JobSituation(name, **facts)  # type: ignore[arg-type]


def alert(type_: str, level: str) -> AlertFacts:
    return AlertFacts(7, type_, level, "open", "The disk is full", 1, NOW, NOW)


GOOD = campaign("1", asked=(900, 0))


@pytest.mark.parametrize(
    ("situation", "tone", "sentence"),
    [
        (Situation(WEEK, []), "neutral", "There are no campaigns yet: nothing is kept in stock."),
        (
            Situation(WEEK, [campaign("1", active=False)]),
            "neutral",
            "Every campaign is paused: nothing is kept in stock.",
        ),
        (
            Situation(WEEK, [campaign("1")]),
            "good",
            "Every campaign has stock; nobody has asked for anything in 7 days.",
        ),
        (
            Situation(WEEK, [GOOD, campaign("2", 0, active=False)]),
            "good",
            "Consumers get what they ask for: 900 items in 7 days, and nobody was turned away.",
        ),
        (
            Situation(WEEK, [GOOD, campaign("2", 0, (0, 494)), campaign("3", 0), campaign("4", 0)]),
            "bad",
            "3 campaigns are empty: 494 consumers were turned away in 7 days, 35.4 % of demand.",
        ),
        (
            Situation(WEEK, [GOOD, campaign("2", 0)]),
            "bad",
            "1 campaign is empty; nobody was turned away in 7 days.",
        ),
        (
            Situation(Period(NOW - timedelta(hours=24), NOW), [campaign("2", 0, (9_999, 1))]),
            "bad",
            "1 campaign is empty: 1 consumer was turned away in 24 hours, less than 0.1 % of demand.",
        ),
        (
            Situation(WEEK, [GOOD], [job(failures=3, last_run_id=9)]),
            "bad",
            "stock_replenish: 3 runs failed in a row; nobody was turned away in 7 days.",
        ),
        (
            Situation(WEEK, [GOOD], [job("lease_recovery", overdue_since=NOW)]),
            "warning",
            "lease_recovery: its timer has not started it in time; nobody was turned away in 7 days.",
        ),
        (
            Situation(WEEK, [GOOD, campaign("2", 2, error="no balance")]),
            "warning",
            "1 campaign is low and could not be refilled; nobody was turned away in 7 days.",
        ),
        (
            Situation(WEEK, [campaign("1", asked=(900, 100))]),
            "warning",
            "Every campaign has stock now: 100 consumers were turned away in 7 days, 10.0 % of demand.",
        ),
        (
            Situation(WEEK, [GOOD], [job(enabled=False)], [alert("SYSTEM_HEALTH", "ERROR")], scheduling=False),
            "warning",
            "Every campaign has stock, and nobody was turned away in 7 days; 2 things need attention.",
        ),
    ],
)
def test_the_verdict_is_the_worst_that_is_true(situation: Situation, tone: str, sentence: str) -> None:
    found = verdict(situation, attention(situation))
    assert (found.tone, found.sentence) == (tone, sentence)


def test_jobs_come_first_then_empty_campaigns_by_what_they_lost_then_failing_ones_then_alerts() -> None:
    situation = Situation(
        WEEK,
        [
            GOOD,
            campaign("2", 0, (0, 5)),
            campaign("10", 2, (0, 900), "no balance"),
            campaign("3", 0, (0, 50)),
            campaign("11", 2),
        ],
        [job(failures=3, last_run_id=9), job("lease_recovery")],
        [alert("LOW_STOCK", "ERROR"), alert("SYSTEM_HEALTH", "INFO"), alert("SYSTEM_HEALTH", "WARNING")],
    )
    assert [(matter.id, matter.what, matter.turned_away) for matter in attention(situation)] == [
        ("stock_replenish", "3 runs failed in a row", 0),
        ("3", "empty", 50),
        ("2", "empty", 5),
        ("10", "2 of at least 3 items", 900),
        ("7", "WARNING", 0),
    ]


@pytest.mark.parametrize(
    ("situation", "command"),
    [
        (Situation(WEEK, [campaign("a b", 0)]), "kylink replenish --campaign 'a b'"),
        (Situation(WEEK, [], [job(failures=3, last_run_id=9)]), "kylink jobs show 9"),
        (Situation(WEEK, [], [job(overdue_since=NOW)]), "kylink systemd status"),
        (Situation(WEEK, [], [job(enabled=False, paused_since=NOW)]), "kylink jobs resume replenish"),
        (Situation(WEEK, [], [job(enabled=False)]), "kylink systemd install --now"),
        (Situation(WEEK, [], [job(enabled=False)], scheduling=False), "kylink setup"),
        (Situation(WEEK, [], [], [alert("SYSTEM_HEALTH", "ERROR")]), "kylink alerts show 7"),
    ],
)
def test_each_matter_says_what_to_type(situation: Situation, command: str) -> None:
    assert [matter.command for matter in attention(situation)] == [command]
