"""What the report says of other settings: a replay by production's rules, in bounded time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kylink_cli.cli.look_back import LOOKS, look_back
from kylink_cli.report.simulated import section
from kylink_cli.rules.demand import Asked, DemandHistory
from kylink_cli.rules.replenishment import Level, Need, need
from kylink_cli.rules.vocabulary import ReplenishRule
from kylink_cli.settings.fields import Settings
from kylink_cli.simulation.demand import Steps
from kylink_cli.simulation.sample import sampled

HOUR = 490_680
NOW = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=HOUR)
SETTINGS = Settings(database_url="sqlite:////nowhere.db")


def asked(campaign_id: str, every_hours: int, items: int, days: int = 28) -> Need:
    """A campaign that is asked for so many items each time that so many hours are over."""
    hours = {hour: Asked(items, 0) for hour in range(HOUR - 24 * days, HOUR, every_hours)}
    level = Level(campaign_id, "u1", campaign_id, None, None, NOW - timedelta(days=90), None, None, 0, 0)
    return need(replace(level, history=DemandHistory(hours)), SETTINGS.policy, NOW)


def test_it_is_said_how_many_campaigns_no_setting_changes() -> None:
    own = asked("own", 1, 4)
    own = replace(own, level=replace(own.level, own_watermark=3, own_target=10))
    own_watermark = replace(own, level=replace(own.level, campaign_id="half", own_target=None))
    notes = []
    for needs in ([own, own_watermark, asked("busy", 1, 4)], [own_watermark]):
        shown = look_back(SETTINGS, needs)
        assert shown is not None
        notes.append(section(shown).tables[0].note)
    said = "1 of the campaigns replayed has a watermark and a target of its own, which no setting changes."
    assert [said in note for note in notes] == [True, False]


def steps(campaign_id: str, hours: int) -> Steps:
    return Steps(campaign_id, [(60.0 * hour, 1) for hour in range(hours)], 60)


def test_the_settings_in_force_stand_beside_two_others() -> None:
    shown = look_back(SETTINGS, [asked("busy", 1, 4), asked("quiet", 30, 1)])
    assert shown is not None
    assert list(shown.names) == ["in force", "COVER_MINUTES=45", "COVER_MINUTES=180"]
    present, shorter, longer = (result.till for result in shown.results)
    assert present.asked == shorter.asked == longer.asked > 1_000
    assert shorter.stock_minutes < present.stock_minutes < longer.stock_minutes
    assert (shown.replayed, shown.asked) == (2, 2)


def test_a_campaigns_own_level_stays_under_other_settings() -> None:
    busy = asked("busy", 1, 4)
    own = replace(busy, level=replace(busy.level, own_watermark=1, own_target=2))
    shown = look_back(SETTINGS, [own])
    assert shown is not None
    assert all(result.average_stock <= 2 for result in shown.results)


def test_with_the_rule_cover_the_forecast_stands_beside_it() -> None:
    settings = Settings(database_url=SETTINGS.database_url, replenish_rule=ReplenishRule.COVER)
    shown = look_back(settings, [asked("busy", 1, 4)])
    assert shown is not None
    assert [result.contestant.rule for result in shown.results] == ["cover", "forecast", "forecast"]


def test_many_campaigns_are_a_sample_and_the_page_says_so() -> None:
    shown = look_back(SETTINGS, [asked(f"c{number}", 2, 1) for number in range(40)])
    assert shown is not None
    assert 0 < shown.replayed < shown.asked == 40
    [table] = section(shown).tables
    assert f"asked of {shown.replayed} of 40 campaigns, drawn at random" in table.note
    assert [row[1] for row in table.rows] == [result.till.asked for result in shown.results]


def test_a_sample_takes_no_longer_than_there_is_time_for() -> None:
    many = [steps(f"c{number}", 100) for number in range(200)]
    found = sampled(many, LOOKS)
    assert 0 < len(found) * 600 <= LOOKS
    assert sampled(many, LOOKS) == found
    assert sampled([steps("all the time", 10_000)], LOOKS) == []


@pytest.mark.parametrize("needs", [[], [asked("1", 24, 1, days=2)]])
def test_of_too_little_demand_nothing_is_said(needs: list[Need]) -> None:
    assert look_back(SETTINGS, needs) is None
