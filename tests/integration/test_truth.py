"""Every figure against a statement written by hand, over a furnished room."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from kylink_cli import wiring
from kylink_cli.overview.status import JobStatus, read_status
from kylink_cli.settings import Settings
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures.percentiles import read_answer_percentiles, read_run_percentiles
from tests.support import rooms
from tests.support.database import new_database, url_of

WEEK = timedelta(days=7)
DAY = timedelta(hours=24)


@dataclass
class Furnished:
    """A room with its past, which ends now."""

    database: Database
    now: datetime

    def by_hand(self, sql: str, *, days: float = 7) -> Any:
        """What a statement gives: a row, or its only value; `{since}` stands for the beginning of the period."""
        since = f"'{self.now - timedelta(days=days):%Y-%m-%d %H:%M:%S}'"
        with self.database.reading() as session:
            row = session.connection().exec_driver_sql(sql.replace("{since}", since)).one()
        return row[0] if len(row) == 1 else tuple(row)

    def column(self, sql: str) -> list[Any]:
        """The only column of a statement."""
        with self.database.reading() as session:
            return [row[0] for row in session.connection().exec_driver_sql(sql)]

    @property
    def statuses(self) -> dict[str, JobStatus]:
        """How every job is doing."""
        settings = Settings(database_url=url_of(self.database), enable_auto_cron=True)
        found = read_status(self.database, wiring.locks(settings), settings, self.now)
        return {status.job.name: status for status in found}


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    yield from furnished(tmp_path_factory.mktemp("week"), rooms.WEEK)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    yield from furnished(tmp_path_factory.mktemp("failing"), rooms.FAILING)


def furnished(folder: Path, room: rooms.Room) -> Iterator[Furnished]:
    database = new_database(folder)
    yield Furnished(database, rooms.furnish(database, room))
    database.close()


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
