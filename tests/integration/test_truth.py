"""Every figure against a statement written by hand, over a furnished room."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest

from kylink_cli.overview.figures import read_figures, read_history
from kylink_cli.report.history import demand_by_hour, stock_levels
from kylink_cli.report.timeline import Timeline
from kylink_cli.rules.figures import History, Period
from kylink_cli.settings.fields import Settings
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures.percentiles import read_answer_percentiles, read_run_percentiles
from tests.support import rooms
from tests.support.furnished import Furnished, furnished

WEEK = timedelta(days=7)
DAY = timedelta(hours=24)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    yield from furnished(tmp_path_factory.mktemp("week"), rooms.WEEK)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    yield from furnished(tmp_path_factory.mktemp("failing"), rooms.FAILING)


def test_replenishing_succeeds_by_the_campaigns_that_it_filled_of_those_that_needed_it(week: Furnished) -> None:
    filled, needed = week.by_hand(
        "SELECT sum(status = 'succeeded'), count(*) FROM (SELECT c.status, row_number() OVER (PARTITION BY campaign_id "
        "ORDER BY run_id DESC) AS place FROM campaign_results c JOIN runs r ON r.id = c.run_id "
        "WHERE r.started_at > {since}) WHERE place = 1",
        days=1,
    )
    success = week.statuses["stock_replenish"].success_24h
    assert success is not None
    assert (success.done, success.of, success.counted) == (filled, needed, "campaigns")
    assert 0 < filled < needed


def test_a_job_that_never_succeeded_is_not_helped_by_those_that_did(failing: Furnished) -> None:
    shares = {name: status.success_24h and status.success_24h.share for name, status in failing.statuses.items()}
    assert shares == {"stock_replenish": 0.0, "lease_recovery": 1.0, "monitoring_alert": 1.0}


def test_percentiles_are_those_of_the_durations_themselves(week: Furnished) -> None:
    found = week.database.read(lambda session: read_run_percentiles(session, week.now - WEEK))
    lengths = week.column(
        "SELECT duration_ms FROM runs WHERE job = 'stock_replenish' AND duration_ms IS NOT NULL ORDER BY 1"
    )
    percentiles = found["stock_replenish"]
    assert (percentiles.half, percentiles.most) == (
        lengths[ceil(len(lengths) * 0.5) - 1],
        lengths[ceil(len(lengths) * 0.95) - 1],
    )


def test_so_are_those_of_answers_in_all_and_step_by_step(week: Furnished) -> None:
    query = (
        "SELECT (julianday(finished_at) - julianday(created_at)) * 86400000 FROM supply_requests "
        "WHERE state = 'answered' {condition} ORDER BY 1"
    )
    lengths = week.column(query.format(condition=""))
    [found] = week.database.read(lambda session: read_answer_percentiles(session, week.now - WEEK, None)).values()
    assert found.most == pytest.approx(lengths[ceil(len(lengths) * 0.95) - 1])

    steps = week.database.read(lambda session: read_answer_percentiles(session, week.now - WEEK, None, 3))
    begin = sorted(steps)[3]
    assert begin.hour % 3 == 0
    within = (
        f"AND finished_at >= '{begin:%Y-%m-%d %H:%M:%S}' AND finished_at < '{begin + 3 * (DAY / 24):%Y-%m-%d %H:%M:%S}'"
    )
    of_step = week.column(query.format(condition=within))
    assert steps[begin].half == pytest.approx(of_step[ceil(len(of_step) * 0.5) - 1])


@pytest.fixture(scope="module")
def history(week: Furnished) -> History:
    return week.database.read(lambda session: read_history(session, Period(week.now - WEEK, week.now), None, 3))


def test_reasons_of_failures_are_ranked_by_the_campaigns_that_they_struck(week: Furnished, history: History) -> None:
    by_hand = week.rows(
        "SELECT error, count(*), count(DISTINCT campaign_id) FROM campaign_results WHERE error IS NOT NULL "
        "GROUP BY error ORDER BY 3 DESC, 2 DESC"
    )
    assert [(one.error, one.times, one.campaigns) for one in history.reasons] == by_hand


def test_what_expired_unused_is_counted(week: Furnished, history: History) -> None:
    by_hand = week.by_hand(
        "SELECT count(*) FROM stock_items WHERE state IN ('available', 'expired') AND expires_at > {since} "
        f"AND expires_at <= '{week.now:%Y-%m-%d %H:%M:%S}'"
    )
    assert history.expired == by_hand > 0


def test_the_stock_of_the_past_is_what_was_there(week: Furnished, history: History) -> None:
    period = Period(week.now - WEEK, week.now)
    figures = week.database.read(lambda session: read_figures(session, Settings().policy, period))
    timeline = Timeline.of(period)
    levels = stock_levels(figures, history, timeline)
    for index in (10, 30, 50):
        end = datetime.fromtimestamp(timeline.starts[index] + 3 * 3600, UTC)
        moment = f"'{end:%Y-%m-%d %H:%M:%S}'"
        by_hand = week.by_hand(
            f"SELECT count(*) FROM stock_items WHERE created_at < {moment} AND expires_at >= {moment} AND "
            f"(state IN ('available', 'expired') OR (state = 'consumed' AND consumed_at >= {moment}))"
        )
        assert levels[index] == by_hand


def test_demand_is_shown_as_it_was_asked_in_each_hour(week: Furnished) -> None:
    period = Period(week.now - WEEK, week.now)
    figures = week.database.read(lambda session: read_figures(session, Settings().policy, period))
    by_hand = week.rows(
        "SELECT minute / 60, sum(taken), sum(refused) FROM demand_minutes "
        f"WHERE minute >= {int(period.since.timestamp()) // 3600 * 60} GROUP BY 1 ORDER BY 1"
    )
    found = demand_by_hour(figures.campaigns, period.since)
    assert [(int(one.hour.timestamp()) // 3600, one.taken, one.refused) for one in found] == by_hand


def test_an_outage_is_marked_from_the_first_run_that_filled_nobody_to_the_last(
    week: Furnished, history: History
) -> None:
    [outage] = history.outages
    first, last = week.by_hand(
        "SELECT min(started_at), max(finished_at) FROM runs WHERE id IN (SELECT run_id FROM campaign_results "
        "WHERE error LIKE '%connection refused' GROUP BY run_id HAVING count(*) > 1)"
    )
    assert [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (outage.since, outage.until)] == [first[:19], last[:19]]
    assert len(history.crashes) == 2


def test_campaigns_that_the_service_refuses_are_no_outage(embedded: Database) -> None:
    refused = rooms.Room(campaigns=4, days=1, broken={0: (30, rooms.UNKNOWN), 1: (30, rooms.UNKNOWN)})
    now = rooms.furnish(embedded, refused)
    found = embedded.read(lambda session: read_history(session, Period(now - DAY, now), None))
    assert [reason.error for reason in found.reasons][:1] == [rooms.UNKNOWN]
    assert list(found.outages) == []


def test_where_everything_fails_the_outage_lasts_the_whole_week(failing: Furnished) -> None:
    period = Period(failing.now - WEEK, failing.now)
    found = failing.database.read(lambda session: read_history(session, period, None))
    [outage] = found.outages
    assert outage.until - outage.since > 0.99 * WEEK
