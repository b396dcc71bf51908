"""Every tile of the report and every figure of the status against a statement written by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest

from kylink_cli.documents.jobs import status_document
from kylink_cli.overview.figures import read_figures, read_history
from kylink_cli.report import headline, jobs
from kylink_cli.report.timeline import Timeline
from kylink_cli.rules.demand import Asked
from kylink_cli.rules.figures import Figures, History, Period
from kylink_cli.settings.fields import Settings
from tests.support.furnished import AVAILABLE, LAST_TRIED, Furnished, furnished_fully

WEEK = timedelta(days=7)
MINUTES = {"stock_replenish": 10, "lease_recovery": 5, "monitoring_alert": 10}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    yield from furnished_fully(tmp_path_factory.mktemp("room"))


def seen(room: Furnished) -> tuple[Figures, History]:
    period = Period(room.now - WEEK, room.now)
    return room.database.read(
        lambda session: (read_figures(session, Settings().policy, period), read_history(session, period, None, 3))
    )


def test_every_tile_of_the_report_is_what_statements_by_hand_give(room: Furnished) -> None:
    # Demand is kept by the hour, and that in which the period begins counts whole.
    first = int((room.now - WEEK).timestamp()) // 3600 * 60
    taken, refused = room.one(f"SELECT sum(taken), sum(refused) FROM demand_minutes WHERE minute >= {first}")
    low, empty = room.one(
        f"SELECT sum({AVAILABLE} < low_watermark), sum({AVAILABLE} = 0) FROM campaigns c WHERE status = 'active'"
    )
    filled, needed = room.one(f"SELECT sum(status = 'succeeded'), count(*) FROM {LAST_TRIED} WHERE place = 1")
    active, paused = room.one("SELECT sum(status = 'active'), sum(status = 'paused') FROM campaigns")
    stock = room.one(f"SELECT sum({AVAILABLE}) FROM campaigns c")
    answered, settled = room.one(
        "SELECT sum(state = 'answered'), count(*) FROM supply_requests WHERE finished_at > {since}"
    )
    consumed = room.one("SELECT count(*) FROM stock_items WHERE state = 'consumed' AND consumed_at > {since}")
    nothing = room.one("SELECT count(*) FROM no_stock_events WHERE happened_at > {since}")
    expired = room.one(
        "SELECT count(*) FROM stock_items WHERE state IN ('available', 'expired') AND expires_at > {since} "
        "AND expires_at <= {now}",
    )
    arrived = room.one(
        "SELECT count(*) FROM stock_items WHERE state NOT IN ('leased', 'discarded') AND created_at > {since}"
    )
    held, overdue = room.one("SELECT count(*), sum(expires_at <= {now}) FROM leases WHERE state = 'active'")
    alerts, errors = room.one("SELECT count(*), sum(level = 'ERROR') FROM alerts WHERE state <> 'resolved'")
    figures, history = seen(room)
    found = {tile.label: (tile.value, tile.note) for tile in headline.tiles(figures, history, Asked(taken, refused))}
    assert found == {
        "Campaigns below watermark": (f"{low}", f"{empty} of them without any stock"),
        "Consumers turned away": (
            f"{refused}",
            f"{100 * refused / (taken + refused):.1f} % of {taken + refused:,} items asked for",
        ),
        "Campaigns filled": (f"{1000 * filled // needed / 10}%", f"{filled} of {needed} campaigns"),
        "Shortest runway": ("empty", f"{empty} campaigns last less than an hour"),
        "Items in stock": (f"{stock}", f"in {active} campaigns that are active, {paused} paused"),
        "Supply requests answered": (f"{1000 * answered // settled / 10}%", f"of {settled:,}"),
        "Items consumed in 7 days": (f"{consumed:,}", f"{nothing} times there was nothing to lease"),
        "Items expired unused": (f"{expired}", f"{arrived:,} arrived"),
        "Active leases": (f"{held}", f"{overdue} is overdue"),
        "Unresolved alerts": (f"{alerts}", f"{errors} of them is an error"),
    }


def test_the_jobs_of_the_report_are_what_statements_by_hand_give(room: Furnished) -> None:
    figures, history = seen(room)
    period = Period(room.now - WEEK, room.now)
    [table] = [
        one for one in jobs.section(figures.runs, history, Timeline.of(period)).tables if one.key == "job-figures"
    ]
    by_hand = room.asked(
        "SELECT job, count(*), round(avg(duration_ms)) FROM runs WHERE started_at > {since} GROUP BY job"
    )
    found = sorted((row[0], row[1], row[4][0]) for row in table.rows if isinstance(row[4], tuple))
    assert found == [(job, number, mean) for job, number, mean in sorted(by_hand)]


def test_every_figure_of_the_status_is_what_statements_by_hand_give(room: Furnished) -> None:
    document = status_document(list(room.statuses.values()), [], None, auto_cron=True)
    for found in document["jobs"]:
        job = found["name"]
        runs = room.asked(
            f"SELECT id, status, started_at, finished_at, duration_ms FROM runs WHERE job = '{job}' ORDER BY id"
        )
        last_id, last_status, last_start, last_end, last_length = runs[-1]
        today = f"FROM runs WHERE job = '{job}' AND started_at > {{day}}"
        done, of = room.one(f"SELECT sum(status = 'succeeded'), count(*) {today}")
        number = of
        if job == "stock_replenish":
            tried = LAST_TRIED.replace("{since}", "{day}")
            done, of = room.one(f"SELECT sum(status = 'succeeded'), count(*) FROM {tried} WHERE place = 1")
        lengths = [row[0] for row in room.asked(f"SELECT duration_ms {today} AND duration_ms NOT NULL ORDER BY 1")]
        bad = [status in {"failed", "crashed"} for _, status, *_ in runs]
        minutes = MINUTES[job]
        last_run = {
            "run_id": last_id,
            "status": last_status,
            "trigger": "timer",
            "started_at": moment(last_start),
            "finished_at": moment(last_end),
            "duration_ms": last_length,
            "host": "host-1",
        }
        assert found == {
            "name": job,
            "command": {"stock_replenish": "replenish", "lease_recovery": "recover-leases"}.get(job, "alert-check"),
            "interval_minutes": minutes,
            "enabled": True,
            "paused_since": None,
            "running": False,
            "last_run": last_run,
            "last_success_at": moment([row[3] for row in runs if row[1] in {"succeeded", "partial"}][-1]),
            "next_run_at": moment(max(row[2] for row in runs)) + timedelta(minutes=minutes),
            "overdue": False,
            "success_rate_24h": done / of,
            "success_24h": {
                "done": done,
                "of": of,
                "counted": "campaigns" if job == "stock_replenish" else "runs",
            },
            "runs_24h": number,
            "p50_ms": lengths[ceil(len(lengths) * 0.5) - 1],
            "p95_ms": lengths[ceil(len(lengths) * 0.95) - 1],
            "consecutive_failures": bad[::-1].index(False),
            "hosts": [{"host": "host-1", "silent": False, "last_run": last_run}],
        }


def moment(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)
