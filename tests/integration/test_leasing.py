"""Taking, confirming, releasing and extending leases on a real database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from kylink_cli import leasing
from kylink_cli.errors import LeaseOverError, NoStockError, NotFoundError, UsageError
from kylink_cli.leasing import LeaseResult, Taken, TakeRequest
from kylink_cli.store import no_stock, recovery
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import LeaseRecord, StockItem, table
from tests.support.database import add_campaigns, add_items

NOW = datetime.now(UTC)
TTL = 15
ITEM = table(StockItem).c
LEASE = table(LeaseRecord).c


@pytest.fixture
def stocked(database: Database) -> Database:
    """A campaign with three items, of which the last one expires first."""
    add_campaigns(database, "1", "2")
    for hours in (48, 24, 1):
        add_items(database, "1", 1, hours=hours)
    return database


def take(database: Database, campaign: str = "1", now: datetime = NOW, **request: Any) -> Taken:
    return leasing.take(database, TakeRequest(campaign, TTL, **request), now)


def take_one(database: Database) -> str:
    return take(database).leases[0].token


def items(database: Database) -> dict[str, int]:
    """How many items are in each state."""
    with database.reading() as session:
        return dict(session.execute(select(ITEM.state, func.count()).group_by(ITEM.state)).all())


def recover(database: Database, now: datetime) -> None:
    with database.writing() as session:
        recovery.expire_leases(session, now, max_expirations=5, limit=100)


def told(results: list[LeaseResult]) -> list[tuple[bool, str]]:
    return [(result.ok, result.state) for result in results]


LATE = NOW + timedelta(minutes=TTL + 1)


def test_the_item_that_expires_soonest_goes_first(stocked: Database) -> None:
    taken = [take(stocked).leases[0].value for _ in range(3)]
    assert taken == ["1-available-1-0", "1-available-24-0", "1-available-48-0"]


def test_a_lease_lasts_as_long_as_its_taker_says(stocked: Database) -> None:
    [lease] = take(stocked).leases
    assert (lease.leased_at, lease.expires_at) == (NOW, NOW + timedelta(minutes=TTL))


def test_an_expired_item_is_never_taken_marked_or_not(stocked: Database) -> None:
    taken = take(stocked, now=NOW + timedelta(hours=2), count=3)
    assert [lease.value for lease in taken.leases] == ["1-available-24-0", "1-available-48-0"]


def test_as_many_are_taken_as_there_are(stocked: Database) -> None:
    assert len(take(stocked, count=10).leases) == 3
    assert items(stocked) == {"leased": 3}


def test_nothing_to_take_is_said_and_recorded(stocked: Database) -> None:
    for minutes in range(2):
        with pytest.raises(NoStockError, match="campaign 2 has nothing to lease"):
            take(stocked, "2", now=NOW + timedelta(minutes=minutes))
    with stocked.reading() as session:
        counts = [no_stock.count_since(session, NOW - timedelta(days=1), key) for key in ("1", "2", None)]
    assert counts == [0, 2, 2]


def test_an_unknown_campaign_is_no_empty_stock(stocked: Database) -> None:
    with pytest.raises(NotFoundError, match="unknown campaign 77"):
        take(stocked, "77")
    with stocked.reading() as session:
        assert no_stock.count_since(session, NOW - timedelta(days=1)) == 0


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"count": 0}, "the count is 0: must be 1 to 1000"),
        ({"count": 1001}, "the count is 1001: must be 1 to 1000"),
        ({"holder": " "}, "the holder is '': must be 1 to 200 characters of text"),
        ({"key": "a\nb"}, "the key is 'a b': must be 1 to 200 characters of text"),
        ({"key": "x" * 201}, "must be 1 to 200 characters of text"),
    ],
)
def test_a_request_out_of_bounds_takes_nothing(stocked: Database, asked: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError, match=line):
        take(stocked, **asked)
    assert items(stocked) == {"available": 3}


@pytest.mark.parametrize("minutes", [0, 10_081, -1])
def test_a_lease_without_time_or_for_ever_is_refused(stocked: Database, minutes: int) -> None:
    with pytest.raises(UsageError, match=f"the time to live is {minutes:,} minute"):
        leasing.take(stocked, TakeRequest("1", minutes), NOW)


def test_the_same_key_gets_the_same_leases(stocked: Database) -> None:
    first = take(stocked, key="k", count=2)
    again = take(stocked, key="k", count=2)
    assert [lease.token for lease in again.leases] == [lease.token for lease in first.leases]
    assert (first.reused, again.reused, items(stocked)) == (False, True, {"leased": 2, "available": 1})


def test_the_same_key_of_another_campaign_is_another_key(stocked: Database) -> None:
    add_items(stocked, "2", 1)
    assert take(stocked, "1", key="k").leases[0].item_id != take(stocked, "2", key="k").leases[0].item_id


def test_a_key_gets_its_lease_again_when_that_was_confirmed(stocked: Database) -> None:
    [lease] = take(stocked, key="k").leases
    leasing.confirm(stocked, [lease.token], NOW)
    again = take(stocked, key="k")
    assert ([found.token for found in again.leases], again.leases[0].state) == ([lease.token], "confirmed")


@pytest.mark.parametrize("end", ["released", "expired"])
def test_a_key_whose_lease_is_over_is_refused(stocked: Database, end: str) -> None:
    [lease] = take(stocked, key="k").leases
    if end == "released":
        leasing.release(stocked, [lease.token], NOW)
    else:
        recover(stocked, LATE)
    with pytest.raises(LeaseOverError, match=f"names a lease that has ended \\({end}\\): use a new key"):
        take(stocked, key="k", now=LATE)
    assert items(stocked) == {"available": 3}


def test_a_key_that_met_an_empty_stock_may_be_used_again(stocked: Database) -> None:
    with pytest.raises(NoStockError):
        take(stocked, "2", key="k")
    add_items(stocked, "2", 1)
    assert take(stocked, "2", key="k").reused is False


def test_confirming_consumes_the_item(stocked: Database) -> None:
    assert told(leasing.confirm(stocked, [take_one(stocked)], NOW)) == [(True, "confirmed")]
    assert items(stocked) == {"consumed": 1, "available": 2}
    with stocked.reading() as session:
        assert session.scalars(select(ITEM.consumed_at).where(ITEM.state == "consumed")).one() == NOW


def test_confirming_twice_says_so_and_changes_nothing(stocked: Database) -> None:
    token = take_one(stocked)
    leasing.confirm(stocked, [token], NOW)
    [again] = leasing.confirm(stocked, [token], LATE)
    assert (again.ok, again.message) == (True, "was confirmed already, nothing was changed")
    with stocked.reading() as session:
        assert session.scalars(select(ITEM.consumed_at).where(ITEM.state == "consumed")).one() == NOW


def test_confirming_after_the_deadline_counts_until_the_lease_is_recovered(stocked: Database) -> None:
    assert told(leasing.confirm(stocked, [take_one(stocked)], LATE)) == [(True, "confirmed")]


def test_confirming_after_recovery_fails_and_the_item_is_another_s(stocked: Database) -> None:
    token = take_one(stocked)
    recover(stocked, LATE)
    [other] = take(stocked, now=LATE).leases
    assert told(leasing.confirm(stocked, [token], LATE)) == [(False, "expired")]
    assert told(leasing.confirm(stocked, [other.token], LATE)) == [(True, "confirmed")]
    assert items(stocked) == {"consumed": 1, "available": 2}


def test_a_token_that_nobody_was_given_changes_nothing(stocked: Database) -> None:
    take_one(stocked)
    for act in (leasing.confirm, leasing.release):
        assert told(act(stocked, ["kl_guessed"], NOW)) == [(False, "unknown")]
    assert told(leasing.extend(stocked, ["kl_guessed"], 1, NOW)) == [(False, "unknown")]
    assert items(stocked) == {"leased": 1, "available": 2}


def test_a_released_item_is_available_again_and_its_token_dead(stocked: Database) -> None:
    token = take_one(stocked)
    assert told(leasing.release(stocked, [token], NOW, error="page\ngone")) == [(True, "released")]
    assert items(stocked) == {"available": 3}
    assert told(leasing.confirm(stocked, [token], NOW)) == [(False, "released")]
    assert told(leasing.release(stocked, [token], NOW, discard=True)) == [(True, "released")]
    assert items(stocked) == {"available": 3}
    with stocked.reading() as session:
        assert session.scalars(select(LEASE.error)).one() == "page gone"


def test_a_discarded_item_is_nobody_s_any_more(stocked: Database) -> None:
    leasing.release(stocked, [take_one(stocked)], NOW, discard=True)
    assert items(stocked) == {"discarded": 1, "available": 2}


def test_a_released_item_whose_time_is_over_is_expired(stocked: Database) -> None:
    token = take_one(stocked)
    leasing.release(stocked, [token], NOW + timedelta(hours=2))
    assert items(stocked) == {"expired": 1, "available": 2}


def test_a_confirmed_lease_cannot_be_released(stocked: Database) -> None:
    token = take_one(stocked)
    leasing.confirm(stocked, [token], NOW)
    assert told(leasing.release(stocked, [token], NOW)) == [(False, "confirmed")]
    assert items(stocked) == {"consumed": 1, "available": 2}


def test_extending_moves_the_deadline_later_and_never_earlier(stocked: Database) -> None:
    token = take_one(stocked)
    [longer] = leasing.extend(stocked, [token], 60, NOW)
    assert (longer.ok, longer.expires_at) == (True, NOW + timedelta(minutes=60))
    [shorter] = leasing.extend(stocked, [token], 5, NOW)
    assert (shorter.ok, shorter.expires_at) == (True, NOW + timedelta(minutes=60))
    recover(stocked, LATE)
    assert items(stocked) == {"leased": 1, "available": 2}


def test_a_lease_past_its_deadline_can_be_extended_until_it_is_recovered(stocked: Database) -> None:
    token = take_one(stocked)
    assert told(leasing.extend(stocked, [token], 5, LATE)) == [(True, "active")]
    recover(stocked, LATE)
    assert told(leasing.confirm(stocked, [token], LATE)) == [(True, "confirmed")]


def test_several_tokens_are_answered_in_their_order_each_once(stocked: Database) -> None:
    first, second = (lease.token for lease in take(stocked, count=2).leases)
    leasing.release(stocked, [second], NOW)
    results = leasing.confirm(stocked, ["kl_nobody", first, second, first], NOW)
    assert [result.token for result in results] == ["kl_nobody", first, second]
    assert told(results) == [(False, "unknown"), (True, "confirmed"), (False, "released")]


def test_more_tokens_than_fit_into_a_statement_are_refused(stocked: Database) -> None:
    with pytest.raises(UsageError, match="10001 tokens are too many at once"):
        leasing.confirm(stocked, [f"kl_{number}" for number in range(10_001)], NOW)


def test_a_thousand_leases_are_taken_and_confirmed_at_once(stocked: Database) -> None:
    add_items(stocked, "2", 1200)
    taken = take(stocked, "2", count=1000)
    assert len({lease.item_id for lease in taken.leases}) == 1000
    results = leasing.confirm(stocked, [lease.token for lease in taken.leases], NOW)
    assert all(result.ok for result in results)
