"""Every metric against a statement written by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.core import Metric

from kylink_cli.metrics import JobSchedule, Measured, families
from kylink_cli.overview.figures import read_figures
from kylink_cli.rules.figures import Period
from kylink_cli.rules.histograms import CALL_BOUNDS, RUN_BOUNDS
from kylink_cli.settings.fields import Settings
from kylink_cli.store.figures.success import read_success
from kylink_cli.store.figures.totals import LAG, fold, read_totals
from tests.support.furnished import AVAILABLE, LAST_TRIED, Furnished, furnished_fully

DAY = timedelta(hours=24)
WEEK = timedelta(days=7)
INTERVALS = {"stock_replenish": 600, "lease_recovery": 300, "monitoring_alert": 600}
EPOCH = "CAST(strftime('%s', {moment}) AS INTEGER)"
# By metric: the labels of each series in the order of their names, then its value; what is 0 may be missing.
VALUES = {
    "campaigns": "SELECT status, count(*) FROM campaigns GROUP BY status",
    "low_campaigns": f"SELECT count(*) FROM campaigns c WHERE status = 'active' AND {AVAILABLE} < low_watermark",
    "empty_campaigns": f"SELECT count(*) FROM campaigns c WHERE status = 'active' AND {AVAILABLE} = 0",
    "available_items": "SELECT count(*) FROM stock_items WHERE state = 'available' AND expires_at > {now}",
    "missing_items": f"SELECT sum(target_stock - {AVAILABLE}) FROM campaigns c "
    f"WHERE status = 'active' AND {AVAILABLE} < low_watermark",
    "consumed_items_24h": "SELECT count(*) FROM stock_items WHERE state = 'consumed' AND consumed_at > {day}",
    "no_stock_events_24h": "SELECT count(*) FROM no_stock_events WHERE happened_at > {day}",
    "listed_campaigns": "SELECT count(*) FROM campaigns",
    "campaign_available_items": f"SELECT id, name, status, user_id, {AVAILABLE} FROM campaigns c",
    "campaign_watermark_items": "SELECT id, name, status, user_id, low_watermark FROM campaigns",
    "campaign_target_items": "SELECT id, name, status, user_id, target_stock FROM campaigns",
    "job_last_start_timestamp_seconds": f"SELECT job, {EPOCH.format(moment='max(started_at)')} FROM runs GROUP BY job",
    "job_success_ratio_24h": "SELECT job, 1.0 * sum(status = 'succeeded') / count(*) FROM runs "
    "WHERE job <> 'stock_replenish' AND started_at > {day} GROUP BY job UNION SELECT 'stock_replenish', "
    f"1.0 * sum(status = 'succeeded') / count(*) FROM {LAST_TRIED.replace('{since}', '{day}')} WHERE place = 1",
    "runs_24h": "SELECT job, status, count(*) FROM runs WHERE started_at > {day} GROUP BY job, status",
    "supply_requests_24h": "SELECT state, count(*) FROM supply_requests WHERE finished_at > {day} GROUP BY state",
    "open_supply_requests": "SELECT count(*) FROM supply_requests WHERE state = 'open'",
    "active_leases": "SELECT count(*) FROM leases WHERE state = 'active'",
    "overdue_leases": "SELECT count(*) FROM leases WHERE state = 'active' AND expires_at <= {now}",
    "closed_leases_24h": "SELECT state, count(*) FROM leases WHERE closed_at > {day} GROUP BY state",
    "alerts": "SELECT level, state, type, count(*) FROM alerts WHERE state <> 'resolved' GROUP BY level, state, type",
    "runs": "SELECT job, status, count(*) FROM runs GROUP BY job, status",
    "supply_requests": "SELECT state, count(*) FROM supply_requests WHERE state <> 'open' GROUP BY state",
    "items_consumed": "SELECT count(*) FROM stock_items WHERE state = 'consumed'",
    "items_expired": "SELECT count(*) FROM stock_items WHERE state IN ('available', 'expired') AND expires_at < {now}",
    "refusals": "SELECT count(*) FROM no_stock_events",
}
ANSWER = "(julianday(finished_at) - julianday(created_at)) * 86400"
# By metric: its label, if it has one, and how long each thing took, seconds.
LENGTHS = {
    "run_duration_seconds": (RUN_BOUNDS, "SELECT job, duration_ms / 1000.0 FROM runs WHERE started_at > {day}"),
    "job_run_seconds": (RUN_BOUNDS, "SELECT job, duration_ms / 1000.0 FROM runs"),
    "supply_request_duration_seconds": (
        CALL_BOUNDS,
        f"SELECT '', {ANSWER} FROM supply_requests WHERE state = 'answered' AND finished_at > {{day}}",
    ),
    "supply_answer_seconds": (CALL_BOUNDS, f"SELECT '', {ANSWER} FROM supply_requests WHERE state = 'answered'"),
}
ELSEWHERE = {"build_info", "job_interval_seconds", "job_enabled", "job_last_success_timestamp_seconds"} | {
    "campaign_runway_seconds"
}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    yield from furnished_fully(tmp_path_factory.mktemp("room"))


@pytest.fixture(scope="module")
def metrics(room: Furnished) -> dict[str, Metric]:
    """The metrics by name, after what is old has been added up."""
    room.database.commit(lambda session: fold(session, room.now - LAG, 1_000))
    measured = room.database.read(
        lambda session: Measured(
            read_figures(session, Settings().policy, Period(room.now - DAY, room.now)),
            read_totals(session, room.now),
            read_success(session, room.now - DAY),
        )
    )
    schedules = [JobSchedule(job, seconds, enabled=job != "lease_recovery") for job, seconds in INTERVALS.items()]
    found = families(measured, schedules, "1.2.3", 500)
    return {family.name.removeprefix("kylink_"): family for family in found}


def series(family: Metric) -> dict[tuple[str, ...], float]:
    """The series of a metric that are not 0, by their labels in the order of their names."""
    return {tuple(s.labels[name] for name in sorted(s.labels)): s.value for s in family.samples if s.value}


def test_every_metric_is_looked_at(metrics: dict[str, Metric]) -> None:
    assert set(metrics) == VALUES.keys() | LENGTHS.keys() | ELSEWHERE


@pytest.mark.parametrize("name", VALUES)
def test_a_metric_is_what_a_statement_by_hand_gives(room: Furnished, metrics: dict[str, Metric], name: str) -> None:
    by_hand = {tuple(labels): value for *labels, value in room.asked(VALUES[name]) if value}
    assert by_hand, "a figure that is 0 proves nothing"
    assert series(metrics[name]) == pytest.approx(by_hand)


@pytest.mark.parametrize("name", LENGTHS)
def test_a_histogram_is_what_the_lengths_themselves_give(
    room: Furnished, metrics: dict[str, Metric], name: str
) -> None:
    bounds, sql = LENGTHS[name]
    lengths: dict[str, list[float]] = {}
    for label, seconds in room.asked(sql):
        lengths.setdefault(label, []).extend([] if seconds is None else [seconds])
    by_hand: dict[tuple[str, str, str], Any] = {}
    for label, known in lengths.items():
        within = {str(bound): sum(seconds <= bound for seconds in known) for bound in bounds}
        by_hand |= {(label, "bucket", le): number for le, number in within.items()}
        by_hand |= {(label, "bucket", "+Inf"): len(known), (label, "count", ""): len(known)}
        by_hand |= {(label, "sum", ""): pytest.approx(sum(known), rel=1e-6)}
    found = {
        (s.labels.get("job_name", ""), s.name.rpartition("_")[2], s.labels.get("le", "")): s.value
        for s in metrics[name].samples
    }
    assert found == by_hand


def test_metrics_of_schedules_and_of_the_last_success(room: Furnished, metrics: dict[str, Metric]) -> None:
    assert series(metrics["build_info"]) == {("1.2.3",): 1}
    assert series(metrics["job_interval_seconds"]) == {(job,): seconds for job, seconds in INTERVALS.items()}
    assert series(metrics["job_enabled"]) == {("stock_replenish",): 1, ("monitoring_alert",): 1}
    by_hand = room.asked("SELECT job, max(finished_at) FROM runs WHERE status IN ('succeeded', 'partial') GROUP BY job")
    moments = {(job,): datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() for job, moment in by_hand}
    assert series(metrics["job_last_success_timestamp_seconds"]) == pytest.approx(moments)


def test_a_runway_is_there_where_there_is_stock_and_demand_and_0_where_a_campaign_is_empty(
    room: Furnished, metrics: dict[str, Metric]
) -> None:
    has_stock = room.asked(
        f"SELECT id, {AVAILABLE} > 0 FROM campaigns c WHERE {AVAILABLE} = 0 OR EXISTS "
        "(SELECT 1 FROM demand_minutes d WHERE d.campaign_id = c.id)",
    )
    found = {s.labels["campaign_id"]: bool(s.value) for s in metrics["campaign_runway_seconds"].samples}
    assert found == {campaign: bool(stocked) for campaign, stocked in has_stock}
