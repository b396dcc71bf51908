"""The ledger: writes of many tasks share transactions, and each is committed when it returns."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from kylink_cli.errors import DatabaseError
from kylink_cli.running.ledger import Ledger
from kylink_cli.running.stop import Stop
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import Campaign

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _add(session: Session, names: list[str], now: datetime) -> list[str]:
    session.add_all(Campaign(id=name, user_id="u", name=name, created_at=now) for name in names)
    session.flush()
    return [f"{name} added" for name in names]


def test_each_write_gets_its_own_result(database: Database) -> None:
    async def main() -> list[str]:
        ledger = Ledger(database, lambda: NOW, Stop(lambda _: None))
        return await asyncio.gather(*[ledger.write(_add, str(number)) for number in range(50)])

    assert asyncio.run(main()) == [f"{number} added" for number in range(50)]


def test_writes_that_wait_together_are_committed_together(database: Database) -> None:
    commits = []
    event.listen(database.engine, "commit", lambda _: commits.append(1))

    async def main() -> None:
        ledger = Ledger(database, lambda: NOW, Stop(lambda _: None))
        await asyncio.gather(*[ledger.write(_add, str(number)) for number in range(50)])

    asyncio.run(main())
    assert len(commits) <= 2


def test_a_write_that_returned_is_committed(database: Database) -> None:

    async def main() -> int:
        await Ledger(database, lambda: NOW, Stop(lambda _: None)).write(_add, "42")
        with database.reading() as session:
            return session.scalar(select(func.count()).select_from(Campaign)) or 0

    assert asyncio.run(main()) == 1


def test_whoever_waits_for_a_failed_transaction_hears_of_it_and_nothing_is_written(database: Database) -> None:

    async def main() -> list[object]:
        ledger = Ledger(database, lambda: NOW, Stop(lambda _: None))
        return await asyncio.gather(*[ledger.write(_add, "same id") for _ in range(2)], return_exceptions=True)

    assert [type(outcome) for outcome in asyncio.run(main())] == [DatabaseError, DatabaseError]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Campaign)) == 0


def test_a_write_goes_through_even_if_its_task_is_cancelled(database: Database) -> None:

    async def main() -> None:
        ledger = Ledger(database, lambda: NOW, Stop(lambda _: None))
        task = asyncio.create_task(ledger.write(_add, "42"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await ledger.close()

    asyncio.run(main())
    with database.reading() as session:
        assert session.get(Campaign, "42") is not None
