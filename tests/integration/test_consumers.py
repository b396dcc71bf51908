"""Thirty-two consumers at once, beside recovery: no item in two hands, none lost, on either database."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from kylink_cli import leasing, wiring
from kylink_cli.errors import LeaseOverError, NoStockError
from kylink_cli.rules.vocabulary import ItemState, LeaseState
from kylink_cli.settings.fields import Settings
from kylink_cli.store import recovery
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import LeaseRecord, StockItem, in_state, table
from kylink_cli.store.upkeep.check import check
from tests.support.database import add_campaigns, add_items, url_of

CONSUMERS, ROUNDS = 32, 12
CAMPAIGNS = ("c1", "c2", "c3")
ITEMS_EACH = 60

items = table(StockItem)
leases = table(LeaseRecord)


@pytest.fixture
def connections(database: Database) -> Iterator[list[Database]]:
    """The same database, opened as often as there are hosts."""
    add_campaigns(database, *CAMPAIGNS)
    for campaign in CAMPAIGNS:
        add_items(database, campaign, ITEMS_EACH)
    with ExitStack() as stack:
        opened = [wiring.existing_database(Settings(database_url=url_of(database))) for _ in range(CONSUMERS // 4)]
        for one in opened:
            stack.callback(one.close)
        yield opened


class Consumer:
    """Takes, confirms, releases, repeats itself, and now and then forgets what it holds."""

    def __init__(self, database: Database, seed: int) -> None:
        self._database = database
        self._chance = random.Random(seed)
        self.confirmed: list[int] = []

    def work(self) -> None:
        for number in range(ROUNDS):
            key = f"{id(self)}-{number}" if self._chance.random() < 0.3 else None
            request = leasing.TakeRequest(self._chance.choice(CAMPAIGNS), 15, count=self._chance.randint(1, 3), key=key)
            try:
                taken = leasing.take(self._database, request, self._database.now())
                again = leasing.take(self._database, request, self._database.now()) if key else taken
            except (NoStockError, LeaseOverError):
                continue
            assert {lease.token for lease in again.leases} <= {lease.token for lease in taken.leases}
            self._close(taken)

    def _close(self, taken: leasing.Taken) -> None:
        tokens = [lease.token for lease in taken.leases]
        now, act = self._database.now(), self._chance.random()
        if act < 0.5:
            results = {result.token: result.ok for result in leasing.confirm(self._database, tokens, now)}
            self.confirmed += [lease.item_id for lease in taken.leases if results[lease.token]]
        elif act < 0.8:
            leasing.release(self._database, tokens, now)


def recover(database: Database, over: threading.Event) -> None:
    """Take leases back as if their time were over already, again and again."""
    while not over.wait(0.02):
        later = database.now() + timedelta(hours=1)
        database.commit(partial(recovery.expire_leases, now=later, max_expirations=1_000, limit=20))


def test_no_item_is_in_two_hands_and_none_is_lost(database: Database, connections: list[Database]) -> None:
    consumers = [Consumer(connections[number % len(connections)], number) for number in range(CONSUMERS)]
    over = threading.Event()
    recovering = threading.Thread(target=recover, args=(database, over))
    recovering.start()
    try:
        with ThreadPoolExecutor(CONSUMERS) as threads:
            list(threads.map(Consumer.work, consumers))
    finally:
        over.set()
        recovering.join()
    confirmed = Counter(item for consumer in consumers for item in consumer.confirmed)
    with database.reading() as session:
        consumed = set(session.scalars(select(items.c.id).where(in_state(items, ItemState.CONSUMED))))
        leased = set(session.scalars(select(items.c.id).where(in_state(items, ItemState.LEASED))))
        active = session.scalars(select(leases.c.item_id).where(in_state(leases, LeaseState.ACTIVE))).all()
        assert session.scalar(select(func.count()).select_from(items)) == ITEMS_EACH * len(CAMPAIGNS)
        assert [finding.name for finding in check(session) if not finding.ok] == []
    assert set(confirmed.values()) == {1}, "an item was confirmed by two"
    assert confirmed.keys() == consumed
    assert (len(active), set(active)) == (len(leased), leased)
