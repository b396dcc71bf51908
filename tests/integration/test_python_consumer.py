"""The stock as Python consumers use it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kylink_cli import Lease, Stock
from kylink_cli.errors import LeaseOverError, NoStockError
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import StockItem, table
from tests.support.cli import clean_environment
from tests.support.database import add_campaigns, add_items, url_of

DOCS = Path(__file__).parents[2] / "docs" / "consumers.md"


@pytest.fixture
def stock(database: Database) -> Stock:
    add_campaigns(database, "42")
    add_items(database, "42", 3)
    return Stock(database, ttl_minutes=15)


def states(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(session.scalars(table(StockItem).select().with_only_columns(table(StockItem).c.state)))


def test_a_block_that_ends_well_confirms(stock: Stock, database: Database) -> None:
    with stock.take("42", holder="worker-7") as lease:
        assert (lease.campaign_id, lease.reused, states(database)) == ("42", False, ["available"] * 2 + ["leased"])
    assert states(database) == ["available", "available", "consumed"]


def test_a_block_that_fails_gives_the_item_back_and_goes_on_failing(stock: Stock, database: Database) -> None:
    with pytest.raises(ZeroDivisionError), stock.take("42"):
        _ = 1 / 0
    assert states(database) == ["available"] * 3
    with database.reading() as session:
        errors = session.connection().exec_driver_sql("SELECT error FROM leases").scalars().all()
    assert errors == ["ZeroDivisionError: division by zero"]


@pytest.mark.parametrize(("act", "state"), [("confirm", "consumed"), ("release", "available")])
def test_what_the_block_itself_has_done_stays_done(stock: Stock, database: Database, act: str, state: str) -> None:
    with stock.take("42") as lease:
        getattr(lease, act)()
    assert states(database) == sorted(["available", "available", state])


def test_a_lease_that_is_over_cannot_be_confirmed(stock: Stock) -> None:
    lease = stock.take("42")
    stock.release(lease.token)
    for act in (lease.confirm, lambda: lease.extend(5)):
        with pytest.raises(LeaseOverError, match="it was released"):
            act()


def test_a_block_whose_lease_was_taken_back_does_not_pass_for_confirmed(stock: Stock) -> None:
    with pytest.raises(LeaseOverError), stock.take("42") as lease:
        stock.release(lease.token)


def test_extending_moves_the_deadline(stock: Stock) -> None:
    lease = stock.take("42")
    before = lease.expires_at
    lease.extend(600)
    assert lease.expires_at > before


def test_several_are_taken_at_once_and_the_same_key_gets_them_again(stock: Stock) -> None:
    first, again = (stock.take_many("42", 2, key="k") for _ in range(2))
    assert [lease.token for lease in first] == [lease.token for lease in again]
    assert [lease.reused for lease in again] == [True, True]
    assert all(isinstance(lease, Lease) for lease in first)


def test_an_empty_stock_says_so(stock: Stock) -> None:
    stock.take_many("42", 3)
    with pytest.raises(NoStockError):
        stock.take("42")


def test_the_example_of_the_docs_runs(stock: Stock, database: Database, tmp_path: Path) -> None:
    """It finds its settings as the command line does, and consumes an item."""
    assert isinstance(stock, Stock)
    [example] = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    run = subprocess.run(
        [sys.executable, "-c", example],
        env=clean_environment(tmp_path) | {"DATABASE_URL": url_of(database)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout.startswith("42-available-")) == (0, True), run.stderr
    assert states(database) == ["available", "available", "consumed"]


def test_the_package_itself_stays_light() -> None:
    probe = "import sys, kylink_cli; print([name for name in ('sqlalchemy', 'pydantic') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_an_unknown_name_is_none_of_the_package_s() -> None:
    with pytest.raises(ImportError):
        from kylink_cli import Nonsense  # noqa: F401
