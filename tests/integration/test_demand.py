"""Demand: what consumers took and kept and what they were refused, recorded by the hour, on every database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import func, select, text

from kylink_cli import leasing
from kylink_cli.errors import NoStockError
from kylink_cli.leasing import TakeRequest
from kylink_cli.rules.demand import Asked, DemandHistory, add_minutes
from kylink_cli.store import demand, no_stock, recovery
from kylink_cli.store.demand_hours import RecordedHours, pack
from kylink_cli.store.engine.database import Database, create_database
from kylink_cli.store.engine.schema import upgrade
from kylink_cli.store.tables import DemandHours, DemandMinute, table
from kylink_cli.store.upkeep.check import check
from tests.support.database import add_campaigns, add_items

NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
HOUR = demand.minute_at(NOW) // 60


@pytest.fixture
def stocked(database: Database) -> Database:
    """A campaign with six items, and one with none."""
    add_campaigns(database, "1", "2")
    add_items(database, "1", 6)
    return database


def history(database: Database, campaign: str = "1", now: datetime = NOW) -> DemandHistory:
    with database.reading() as session:
        return demand.read_histories(session, now)[campaign]


def fold(database: Database, now: datetime) -> int:
    return database.commit(partial(demand.fold, before=now, limit=10))


def refuse(database: Database, now: datetime = NOW, **wish: object) -> None:
    with pytest.raises(NoStockError):
        leasing.take(database, TakeRequest("2", 15, **wish), now)  # type: ignore[arg-type]


def test_what_is_taken_is_demand_of_its_hour(stocked: Database) -> None:
    leasing.take(stocked, TakeRequest("1", 15, count=2), NOW - timedelta(hours=1))
    leasing.take(stocked, TakeRequest("1", 15), NOW - timedelta(minutes=20))
    leasing.take(stocked, TakeRequest("1", 15), NOW)
    found = history(stocked)
    assert found.hours == {HOUR - 1: Asked(2, 0), HOUR: Asked(2, 0)}
    assert (found.last_ten_minutes, found.last_hour) == (1, 2)


def test_an_idempotent_repeat_is_no_new_demand(stocked: Database) -> None:
    for _ in range(3):
        leasing.take(stocked, TakeRequest("1", 15, key="k"), NOW)
    assert history(stocked).hours == {HOUR: Asked(1, 0)}


def test_what_is_released_was_no_demand(stocked: Database) -> None:
    [first, _] = leasing.take(stocked, TakeRequest("1", 15, count=2), NOW).leases
    leasing.release(stocked, [first.token], NOW + timedelta(hours=1))
    leasing.release(stocked, [first.token], NOW + timedelta(hours=1))
    assert history(stocked).hours == {HOUR: Asked(1, 0)}


def test_what_is_recovered_was_no_demand(stocked: Database) -> None:
    [first, _] = leasing.take(stocked, TakeRequest("1", 15, count=2), NOW).leases
    leasing.confirm(stocked, [first.token], NOW)
    with stocked.writing() as session:
        recovery.expire_leases(session, NOW + timedelta(hours=1), max_expirations=5, limit=10)
    assert history(stocked).hours == {HOUR: Asked(1, 0)}


def test_who_is_refused_in_a_loop_counts_once_a_minute(stocked: Database) -> None:
    for holder in ("a", "a", "b", None, None):
        refuse(stocked, holder=holder)
    refuse(stocked, holder="a", count=3)
    refuse(stocked, NOW + timedelta(minutes=1), key="a")
    assert history(stocked, "2", NOW + timedelta(minutes=1)).hours == {HOUR: Asked(0, 3 + 1 + 1 + 1)}


def test_who_gets_less_than_he_asked_for_was_refused_the_rest(stocked: Database) -> None:
    leasing.take(stocked, TakeRequest("1", 15, count=10, holder="a"), NOW)
    assert history(stocked).hours == {HOUR: Asked(6, 4)}


def test_a_fold_changes_nothing_that_is_told(stocked: Database) -> None:
    for age in (30, 3, 2, 1, 0):
        leasing.take(stocked, TakeRequest("1", 15), NOW - timedelta(hours=age))
    before = history(stocked)
    assert [fold(stocked, NOW), fold(stocked, NOW)] == [1, 0]
    assert history(stocked) == before
    with stocked.reading() as session:
        assert session.scalar(select(func.count()).select_from(table(DemandMinute))) == 2


def test_a_consumer_who_asks_again_in_a_loop_found_nothing_once_a_minute(stocked: Database) -> None:
    for _ in range(3):
        refuse(stocked, holder="loop")
    refuse(stocked, key="order 7")
    refuse(stocked)
    refuse(stocked)
    refuse(stocked, now=NOW + timedelta(minutes=1), holder="loop")
    assert stocked.read(lambda session: no_stock.count_since(session, NOW - timedelta(hours=1), "2")) == 4


def test_what_comes_back_after_a_fold_is_subtracted(stocked: Database) -> None:
    [first, _] = leasing.take(stocked, TakeRequest("1", 600, count=2), NOW).leases
    later = NOW + timedelta(hours=5)
    fold(stocked, later)
    leasing.release(stocked, [first.token], later)
    assert history(stocked, now=later).hours == {HOUR: Asked(1, 0)}
    fold(stocked, later)
    assert history(stocked, now=later).hours == {HOUR: Asked(1, 0)}


def test_demand_is_forgotten_after_four_weeks(stocked: Database) -> None:
    leasing.take(stocked, TakeRequest("1", 15), NOW - timedelta(days=29))
    leasing.take(stocked, TakeRequest("1", 15), NOW - timedelta(days=27))
    fold(stocked, NOW)
    assert history(stocked).hours == {HOUR - 27 * 24: Asked(1, 0)}
    assert stocked.commit(lambda session: demand.delete_hours(session, NOW, 10)) == 1


def test_a_million_items_of_a_hundred_thousand_quiet_campaigns_take_less_than_thirty_mebibytes(
    embedded: Database,
) -> None:
    """A hundredth of them; each item of a campaign was asked for in an hour of its own."""
    ids = [f"c{number}" for number in range(1_000)]
    add_campaigns(embedded, *ids)
    before = _bytes(embedded)
    last_hour, packed = pack({HOUR - 60 * age: Asked(1, 0) for age in range(10)})
    with embedded.writing() as session:
        session.add_all(DemandHours(campaign_id=key, last_hour=last_hour, packed=packed) for key in ids)
    assert 0 < _bytes(embedded) - before < 30 * 1024**2 / 100


def _bytes(database: Database) -> int:
    with database.reading() as session:
        pages, size = (
            session.connection().exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("page_count", "page_size")
        )
    return int(pages or 0) * int(size or 0)


def test_the_check_compares_demand_with_leases(stocked: Database) -> None:
    leasing.take(stocked, TakeRequest("1", 15, count=2), datetime.now(UTC))
    assert _wrong(stocked) == 0
    with stocked.writing() as session:
        session.execute(table(DemandMinute).update().values(taken=3))
    assert _wrong(stocked) == 1


def _wrong(database: Database) -> int:
    with database.reading() as session:
        return {finding.name: finding.violations for finding in check(session)}[
            "the recorded demand is what was leased and not given back"
        ]


def test_an_upgrade_learns_from_the_history_that_is_there(tmp_path: Path) -> None:
    """What was leased and kept, what was consumed without a lease that is known, and refusals, once a minute."""
    database = create_database(tmp_path / "old.db")
    config = Config()
    config.set_main_option("script_location", "kylink_cli.store:migrations")
    with database.writing() as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "0003")
        for statement in _OLD:
            session.execute(text(statement), {"now": NOW.strftime("%Y-%m-%d %H:%M:%S.%f")})
    upgrade(database)
    assert history(database).hours == {HOUR: Asked(3, 1)}
    database.close()


_OLD = (
    "INSERT INTO campaigns (id, user_id, name, status, created_at) VALUES ('1', 'u1', 'One', 'active', :now)",
    """INSERT INTO stock_items (campaign_id, value, state, created_at, expires_at, consumed_at) VALUES
    ('1', 'a', 'consumed', :now, :now, :now), ('1', 'b', 'consumed', :now, :now, :now),
    ('1', 'c', 'leased', :now, :now, NULL), ('1', 'd', 'available', :now, :now, NULL)""",
    """INSERT INTO leases (token, campaign_id, item_id, key_index, state, leased_at, expires_at, closed_at) VALUES
    ('x', '1', 1, 0, 'confirmed', :now, :now, :now), ('y', '1', 3, 0, 'active', :now, :now, NULL),
    ('z', '1', 4, 0, 'released', :now, :now, :now)""",
    "INSERT INTO no_stock_events (campaign_id, happened_at) VALUES ('1', :now), ('1', :now)",
)


@pytest.mark.parametrize("minutes", [(), ((HOUR * 60, 2, 1),), ((HOUR * 60, 2, 0), (HOUR * 60 + 1, -2, 0))])
@pytest.mark.parametrize("first", [0, HOUR - 5, HOUR - 2, HOUR, HOUR + 1])
def test_hours_that_stay_packed_are_what_they_were(first: int, minutes: Sequence[tuple[int, int, int]]) -> None:
    hours = {HOUR - 7: Asked(1, 0), HOUR - 3: Asked(0, 4), HOUR - 1: Asked(0, 0)}
    found = RecordedHours(first, *pack(hours), minutes)
    wanted = {hour: asked for hour, asked in add_minutes(hours, minutes).items() if hour >= first and hour != HOUR - 1}
    assert found == wanted
    assert (bool(found), len(found), list(found)) == (bool(wanted), len(wanted), list(wanted))
    assert (dict(found.items()), list(found.values())) == (wanted, list(wanted.values()))
    assert [found.get(hour) for hour in (HOUR - 7, HOUR)] == [wanted.get(hour) for hour in (HOUR - 7, HOUR)]
