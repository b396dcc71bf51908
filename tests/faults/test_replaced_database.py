"""A database that is deleted or replaced under a run: the run stops paying, and saves what it was supplied."""

import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete as deletion
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kylink_cli import Stock, wiring
from kylink_cli.demo.service import SupplyService
from kylink_cli.errors import DatabaseReplacedError
from kylink_cli.settings.fields import Settings
from kylink_cli.store.tables import Campaign, table
from tests.support.database import new_database
from tests.support.gate import Gate
from tests.support.installation import Installation
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def delete(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def replace(path: Path) -> None:
    delete(path)
    fresh = path.with_name("fresh")
    fresh.mkdir()
    new_database(fresh).close()
    (fresh / path.name).rename(path)


@pytest.mark.parametrize("take_away", [delete, replace])
@pytest.mark.parametrize("stored_before", [0, 20])
def test_a_run_whose_database_is_taken_away_saves_what_it_was_supplied(
    kylink: Installation, service: SupplyService, take_away: Callable[[Path], None], stored_before: int
) -> None:
    campaigns = [str(number) for number in range(12)]
    kylink.add_campaigns(*campaigns)
    service.behave = gate = Gate(charges=True)
    run = kylink.start("replenish", "--all", "--json", CAMPAIGN_CONCURRENCY="2")
    gate.wait_for_calls(10)
    if stored_before:
        gate.let_through(stored_before)
        kylink.wait_for_rows("SELECT count(*) >= 20 FROM stock_items", [1])
    kylink.database.close()
    take_away(kylink.folder / "kylink.db")
    gate.open()
    output, _ = run.communicate()
    error = json.loads(output)["error"]
    assert (run.returncode, error["code"]) == (1, "DATABASE")
    [file] = kylink.folder.glob("kylink.db.rescued-*.jsonl")
    assert str(file) in error["message"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    saved = {line["value"] for line in lines if line["value"] is not None}
    assert saved == {value for values in service.charges.values() for value in values}
    assert len(saved) < 10 * len(campaigns), "it went on paying"
    take_back(kylink, file, saved)


def take_back(kylink: Installation, file: Path, saved: set[str]) -> None:
    (kylink.folder / "kylink.db").unlink(missing_ok=True)
    assert kylink.run("db", "init").returncode == 0
    campaigns = sorted({json.loads(line)["campaign_id"] for line in file.read_text().splitlines()})
    for campaign in campaigns:
        assert kylink.run("campaigns", "add", campaign, "--user", "u1").returncode == 0
        done = kylink.run("stock", "import", campaign, str(file))
        assert done.returncode in {0, 1}, done.stderr
    stored = kylink.run("stock", "export", "--json").stdout
    assert {item["value"] for item in json.loads(stored)["items"]} == saved


def test_what_came_is_stored_even_while_another_reads_by_the_only_connection(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    database = wiring.existing_database(Settings(database_url=f"sqlite:///{kylink.folder / 'kylink.db'}"))
    database.close()

    def empty(session: Session) -> list[str]:
        return list(session.scalars(deletion(table(Campaign)).returning(table(Campaign).c.id)))

    with ThreadPoolExecutor(1) as pool:
        with database.reading() as session:
            assert session.scalar(select(func.count()).select_from(Campaign)) == 1
            replace(kylink.folder / "kylink.db")
            database.go_adrift()
            written = pool.submit(database.commit, empty)
            wait_until(lambda: written.done() or written.running(), "the writer to begin")
        assert written.result() == ["1"]
    database.close()


def test_a_consumer_whose_database_is_taken_away_hears_of_it(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    kylink.database.close()
    path = kylink.folder / "kylink.db"
    with Stock(wiring.existing_database(Settings(database_url=f"sqlite:///{path}")), 15) as stock:
        replace(path)
        with pytest.raises(DatabaseReplacedError, match="was deleted or replaced"):
            stock.take("1")
