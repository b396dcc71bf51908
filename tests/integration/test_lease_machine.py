"""Whatever consumers, jobs and time do in whatever order, what leases promise holds."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from sqlalchemy import func, select

from kylink_cli import leasing
from kylink_cli.errors import LeaseOverError, NoStockError
from kylink_cli.leasing import TakeRequest
from kylink_cli.store import recovery, stock
from kylink_cli.store.tables import LeaseRecord, StockItem, table
from kylink_cli.store.upkeep.check import check
from tests.support.database import add_campaigns, new_database

ITEM = table(StockItem).c
LEASE = table(LeaseRecord).c
TTL = 15
MAX_EXPIRATIONS = 3


class Leases(RuleBasedStateMachine):
    """Two campaigns, their stock, and everybody who is at it; the model knows whose each item is."""

    tokens = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._database = new_database(Path(self._folder.name))
        add_campaigns(self._database, "1", "2")
        self._now = datetime(2026, 3, 1, tzinfo=UTC)
        self._produced = 0
        # For each token that can still be confirmed, its item; the consumer that crashed has one, too.
        self._held: dict[str, int] = {}
        self._consumed: list[int] = []

    def teardown(self) -> None:
        self._database.close()
        self._folder.cleanup()

    @rule(campaign=st.sampled_from(["1", "2"]), number=st.integers(1, 3), hours=st.sampled_from([1, 48]))
    def replenish(self, campaign: str, number: int, hours: int) -> None:
        with self._database.writing() as session:
            for _ in range(number):
                self._produced += 1
                session.add(
                    StockItem(
                        campaign_id=campaign,
                        value=f"v{self._produced}",
                        created_at=self._now,
                        expires_at=self._now + timedelta(hours=hours),
                    )
                )

    @rule(
        target=tokens,
        campaign=st.sampled_from(["1", "2"]),
        count=st.integers(1, 3),
        key=st.none() | st.sampled_from(["k1", "k2"]),
    )
    def take(self, campaign: str, count: int, key: str | None) -> object:
        try:
            taken = leasing.take(self._database, TakeRequest(campaign, TTL, count, key=key), self._now)
        except (NoStockError, LeaseOverError):
            return multiple()
        fresh = {lease.token: lease.item_id for lease in taken.leases if lease.token not in self._held}
        if not taken.reused:
            assert not set(fresh.values()) & {*self._held.values(), *self._consumed}, "an item in two hands"
            self._held |= fresh
        return multiple(*[lease.token for lease in taken.leases])

    @rule(token=tokens)
    def confirm(self, token: str) -> None:
        [result] = leasing.confirm(self._database, [token], self._now)
        item = self._held.pop(token, None)
        if item is not None:
            assert (result.ok, result.message) == (True, "confirmed: the item is consumed")
            self._consumed.append(item)
        else:
            assert result.ok == (result.state == "confirmed"), "a dead token counted"

    @rule(token=tokens, discard=st.booleans())
    def release(self, token: str, discard: bool) -> None:
        [result] = leasing.release(self._database, [token], self._now, discard=discard)
        if self._held.pop(token, None) is not None:
            assert result.message == "released"
        else:
            assert result.ok == (result.state == "released"), "a dead token counted"

    @rule(token=tokens, minutes=st.integers(1, 120))
    def extend(self, token: str, minutes: int) -> None:
        [result] = leasing.extend(self._database, [token], minutes, self._now)
        assert result.ok == (token in self._held)

    @rule(token=consumes(tokens))
    def crash(self, token: str) -> None:
        """A consumer forgets its token for ever."""

    @rule(minutes=st.sampled_from([1, 10, 20, 90, 3000]))
    def let_time_pass(self, minutes: int) -> None:
        self._now += timedelta(minutes=minutes)

    @rule(limit=st.integers(1, 4))
    def recover(self, limit: int) -> None:
        with self._database.writing() as session:
            recovery.expire_leases(session, self._now, max_expirations=MAX_EXPIRATIONS, limit=limit)
            recovery.expire_items(session, self._now, limit)
        with self._database.reading() as session:
            active = set(session.scalars(select(LEASE.token).where(LEASE.state == "active")))
            recovered = session.execute(select(LEASE.token, LEASE.expires_at).where(LEASE.state == "expired")).all()
        assert all(lease.expires_at <= self._now for lease in recovered), "recovered before its deadline"
        self._held = {token: item for token, item in self._held.items() if token in active}

    @rule(data=st.data())
    def discard(self, data: st.DataObject) -> None:
        with self._database.reading() as session:
            available = session.scalars(select(ITEM.id).where(ITEM.state == "available")).all()
        if not available:
            return
        chosen = data.draw(st.sampled_from(list(available)))
        with self._database.writing() as session:
            stock.discard(session, [chosen])

    @invariant()
    def every_item_is_in_one_state_and_none_is_lost(self) -> None:
        with self._database.reading() as session:
            found = {row[0]: row[1] for row in session.execute(select(ITEM.state, func.count()).group_by(ITEM.state))}
            consumed = sorted(session.scalars(select(ITEM.id).where(ITEM.state == "consumed")))
        assert sum(found.values()) == self._produced
        assert consumed == sorted(self._consumed), "consumed exactly once, and only by a living token"

    @invariant()
    def a_held_item_has_one_active_lease(self) -> None:
        with self._database.reading() as session:
            active = {
                lease.token: lease.item_id
                for lease in session.execute(select(LEASE.token, LEASE.item_id).where(LEASE.state == "active"))
            }
            leased = sorted(session.scalars(select(ITEM.id).where(ITEM.state == "leased")))
        assert active == self._held
        assert leased == sorted(active.values())

    @invariant()
    def the_database_finds_nothing_wrong(self) -> None:
        with self._database.reading() as session:
            assert [finding.name for finding in check(session) if not finding.ok] == []


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
