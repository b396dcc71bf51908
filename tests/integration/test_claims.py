"""Claims: one run at a time orders for a campaign, and a claim that was lost is seen."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from kylink_cli.store import claims, runs
from kylink_cli.store.claims import Claim, Course
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import Run
from tests.support.database import add_campaigns

NOW = datetime(2026, 2, 6, 8, 0, tzinfo=UTC)


@pytest.fixture
def database(database: Database) -> Database:
    add_campaigns(database, "1", "2", "3")
    return database


def _start_run(database: Database) -> int:
    with database.writing() as session:
        return runs.start(
            session,
            Run(
                job="stock_replenish",
                trigger="manual",
                host="here",
                pid=1,
                status="running",
                started_at=NOW,
                heartbeat_at=NOW,
            ),
        )


def _claim(database: Database, run: int, *campaigns: str) -> dict[str, int]:
    with database.writing() as session:
        return {name: won.epoch for name, won in claims.claim(session, run, campaigns, NOW).items()}


def _held(database: Database, run: int, epochs: dict[str, int]) -> set[str]:
    with database.writing() as session:
        held = claims.still_held(session, [Claim(name, run, epoch) for name, epoch in epochs.items()])
    return {claim.campaign_id for claim in held}


def test_what_another_run_holds_is_not_won(database: Database) -> None:
    first, second = _start_run(database), _start_run(database)
    assert _claim(database, first, "1", "2") == {"1": 1, "2": 1}
    assert _claim(database, second, "2", "3") == {"3": 1}


def test_a_freed_campaign_is_won_with_a_higher_epoch(database: Database) -> None:
    first, second = _start_run(database), _start_run(database)
    epochs = _claim(database, first, "1")
    with database.writing() as session:
        claims.free(session, [Course("1", first, has_failed=False, is_barren=False)], NOW)
    assert _claim(database, second, "1") == {"1": 2}
    assert _held(database, first, epochs) == set()


def test_a_dead_runs_claims_are_all_freed(database: Database) -> None:
    dead, alive, next_run = _start_run(database), _start_run(database), _start_run(database)
    _claim(database, dead, "1", "2")
    _claim(database, alive, "3")
    with database.writing() as session:
        claims.free_all(session, [dead])
    assert set(_claim(database, next_run, "1", "2", "3")) == {"1", "2"}


def test_an_old_epoch_of_the_same_run_is_lost(database: Database) -> None:
    run = _start_run(database)
    old = _claim(database, run, "1")
    with database.writing() as session:
        claims.free(session, [Course("1", run, has_failed=False, is_barren=False)], NOW)
    new = _claim(database, run, "1")
    assert _held(database, run, old) == set()
    assert _held(database, run, new) == {"1"}


def test_how_the_last_runs_went_is_known_until_one_goes_well(database: Database) -> None:
    def run(*, has_failed: bool, is_barren: bool) -> tuple[dict[str, int], dict[str, datetime]]:
        held = _start_run(database)
        _claim(database, held, "1")
        with database.writing() as session:
            claims.free(session, [Course("1", held, has_failed, is_barren)], NOW)
        with database.reading() as session:
            return claims.failed_runs(session), claims.resting(session, ["1", "2"], NOW)

    assert run(has_failed=True, is_barren=False) == ({"1": 1}, {})
    assert run(has_failed=True, is_barren=True) == ({"1": 2}, {"1": NOW + timedelta(minutes=30)})
    assert run(has_failed=False, is_barren=True) == ({}, {"1": NOW + timedelta(hours=1)})
    for _ in range(10):
        last = run(has_failed=True, is_barren=True)
    assert last == ({"1": 10}, {"1": NOW + timedelta(hours=8)})
    assert run(has_failed=False, is_barren=False) == ({}, {})


def test_the_holder_is_named(database: Database) -> None:
    run = _start_run(database)
    _claim(database, run, "1")
    with database.reading() as session:
        holders = claims.holders(session, ["1", "2"])
    assert {campaign: holder.id for campaign, holder in holders.items()} == {"1": run}


def test_of_many_that_claim_at_once_each_campaign_is_won_by_one(database: Database) -> None:
    campaigns = [str(number) for number in range(10, 60)]
    add_campaigns(database, *campaigns)
    run_ids = [_start_run(database) for _ in range(8)]
    won: dict[int, dict[str, int]] = {}
    start = threading.Barrier(len(run_ids))

    def contend(run: int) -> None:
        start.wait()
        won[run] = _claim(database, run, *campaigns)

    threads = [threading.Thread(target=contend, args=(run,)) for run in run_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    all_won = [campaign for mine in won.values() for campaign in mine]
    assert sorted(all_won) == sorted(campaigns)
