"""Backups that come back, and databases that moved: nothing that was used is handed out again."""

import json
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner

from kylink_cli import Stock, wiring
from kylink_cli.cli import app
from kylink_cli.demo.service import Call, SupplyService
from kylink_cli.errors import DatabaseUnfitError
from kylink_cli.settings.fields import Settings
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.postgresql import ServerDatabase
from tests.support.database import add_campaigns, add_items, url_of
from tests.support.gate import Gate
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.slow


@pytest.fixture
def stocked(tmp_path: Path) -> Iterator[Installation]:
    """A kylink with a campaign of five items, and a backup of that."""
    with Installation.without_supply(tmp_path) as kylink:
        kylink.add_campaigns("1")
        add_items(kylink.database, "1", 5)
        kylink.let_go()
        said(kylink, "db", "backup", "backup.db")
        yield kylink


def invoke(kylink: Installation, *command: str, **settings: str) -> tuple[int, dict[str, Any]]:
    """A command's exit code, and what it says under `--json`."""
    here = {"DATABASE_URL": f"sqlite:///{kylink.folder / 'kylink.db'}", "XDG_STATE_HOME": str(kylink.folder / "state")}
    files = [str(kylink.folder / part) if part.endswith(".db") and "/" not in part else part for part in command]
    done = CliRunner().invoke(app, [*files, "--json"], env=here | settings)
    assert "Traceback" not in done.output, done.output
    return done.exit_code, json.loads(done.stdout)


def said(kylink: Installation, *command: str, **settings: str) -> dict[str, Any]:
    code, document = invoke(kylink, *command, **settings)
    assert code == 0, document
    return document


def refusal(kylink: Installation, *command: str, **settings: str) -> str:
    """Why a command was refused as a matter of configuration."""
    code, document = invoke(kylink, *command, **settings)
    assert code == 78, document
    return str(document["error"]["message"])


def take(kylink: Installation, **settings: str) -> str:
    return str(said(kylink, "leases", "take", "1", "--key", uuid.uuid4().hex, **settings)["leases"][0]["value"])


def test_a_restored_backup_hands_out_nothing_that_may_have_been_used(stocked: Installation) -> None:
    used = {take(stocked) for _ in range(3)}
    done = said(stocked, "db", "restore", "backup.db")
    assert (done["discarded"], done["closed_leases"]) == (5, 0)
    assert invoke(stocked, "leases", "take", "1")[0] == 11
    assert {row["reason"] for row in said(stocked, "stock", "list")["items"]} == {
        "may have been used after the backup was made"
    }
    aside = Path(done["aside"])
    with closing(sqlite3.connect(aside)) as before:
        assert len(used) == before.execute("SELECT count(*) FROM leases").fetchone()[0]
    checks = said(stocked, "db", "check")["checks"]
    assert [one["name"] for one in checks if not one["ok"]] == []


def test_leases_of_the_backup_are_closed_too(stocked: Installation) -> None:
    token = said(stocked, "leases", "take", "1")["leases"][0]["token"]
    said(stocked, "db", "backup", "later.db")
    assert said(stocked, "db", "restore", "later.db")["closed_leases"] == 1
    assert invoke(stocked, "leases", "confirm", token)[0] != 0
    checks = said(stocked, "db", "check")["checks"]
    assert [one["name"] for one in checks if not one["ok"]] == []


def test_a_backup_that_is_trusted_is_as_it_was(stocked: Installation) -> None:
    assert said(stocked, "db", "restore", "backup.db", "--trust")["discarded"] == 0
    assert len({take(stocked) for _ in range(5)}) == 5


def test_the_backup_itself_stays_as_it_is(stocked: Installation) -> None:
    before = (stocked.folder / "backup.db").read_bytes()
    said(stocked, "db", "restore", "backup.db")
    said(stocked, "db", "restore", "backup.db")
    assert (stocked.folder / "backup.db").read_bytes() == before
    assert [path.name for path in stocked.folder.glob("backup.db*")] == ["backup.db"]


@pytest.mark.parametrize("trust", [False, True])
def test_what_an_order_of_a_backup_brings_may_have_been_used_and_is_not_handed_out(
    kylink: Installation, service: SupplyService, trust: bool
) -> None:
    """Open in the backup, it was answered afterwards, and its items were used; its key brings the same ones again."""

    async def charge_and_fail(call: Call) -> web.Response:
        call.service.charge(call)
        return web.Response(status=500)

    kylink.add_campaigns("1")
    service.behave = charge_and_fail
    kylink.run("replenish", "--all")
    kylink.let_go()
    said(kylink, "db", "backup", "backup.db")
    service.behave = None
    assert kylink.run("replenish", "--all").returncode == 0
    used = {take(kylink) for _ in range(3)}
    said(kylink, "db", "restore", "backup.db", *(["--trust"] if trust else []))
    assert kylink.run("replenish", "--all").returncode == 0
    available = set(kylink.rows("SELECT value FROM stock_items WHERE state = 'available'"))
    assert (len(available), bool(available & used)) == (10, trust)
    discarded = kylink.rows("SELECT reason, count(*) FROM stock_items WHERE state = 'discarded' GROUP BY 1")
    assert discarded == ([] if trust else [("may have been used after the backup was made", 10)])
    assert kylink.run("db", "check").returncode == 0


COMMANDS = [
    ("leases", "take", "1"),
    ("jobs", "status"),
    ("campaigns", "list"),
    ("stock", "list"),
    ("recover-leases",),
    ("alert-check",),
    ("replenish", "--all"),
    ("campaigns", "add", "2", "--user", "u1"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_backup_that_was_simply_put_in_place_is_noticed(stocked: Installation, command: tuple[str, ...]) -> None:
    shutil.copy(stocked.folder / "backup.db", stocked.folder / "kylink.db")
    (stocked.folder / "kylink.db.generation").unlink(missing_ok=True)
    assert "'kylink db restore FILE'" in refusal(stocked, *command)


@pytest.mark.parametrize("command", [*COMMANDS, ("db", "check"), ("db", "stats")])
def test_a_database_that_went_back_in_time_is_noticed_by_every_command(
    stocked: Installation, command: tuple[str, ...]
) -> None:
    """Whatever made the copy, and however little was done since."""
    shutil.copy(stocked.folder / "kylink.db", stocked.folder / "copy.db")
    take(stocked)
    shutil.copy(stocked.folder / "copy.db", stocked.folder / "kylink.db")
    message = refusal(stocked, *command)
    assert "went back in time" in message
    assert "'kylink db restore FILE'" in message


def test_who_looks_while_others_write_sees_no_going_back(database: Database) -> None:
    add_campaigns(database, "1")
    add_items(database, "1", 80)

    def consume(_: int) -> None:
        for _ in range(10):
            with Stock(wiring.existing_database(Settings(database_url=url_of(database))), 15) as stock:
                stock.take("1")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(consume, range(8)))


def test_another_database_in_its_place_is_noticed(stocked: Installation, tmp_path: Path) -> None:
    take(stocked)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with Installation.without_supply(elsewhere) as other:
        other.database.close()
        shutil.copy(elsewhere / "kylink.db", stocked.folder / "kylink.db")
    assert "went back in time" in refusal(stocked, "jobs", "status")


def test_who_goes_on_with_it_says_so_once(stocked: Installation) -> None:
    shutil.copy(stocked.folder / "kylink.db", stocked.folder / "copy.db")
    take(stocked)
    shutil.copy(stocked.folder / "copy.db", stocked.folder / "kylink.db")
    assert said(stocked, "db", "restored")["discarded"] == 5
    assert invoke(stocked, "leases", "take", "1")[0] == 11
    said(stocked, "jobs", "status")


def test_a_new_database_where_an_old_one_was_is_a_new_one(stocked: Installation) -> None:
    take(stocked)
    (stocked.folder / "kylink.db").unlink()
    assert refusal(stocked, "jobs", "status").startswith("there is no database")
    said(stocked, "db", "init")
    said(stocked, "jobs", "status")


def test_what_belongs_to_the_old_file_goes_with_it(stocked: Installation) -> None:
    """A write-ahead log that is left would be played into the backup."""
    with closing(sqlite3.connect(stocked.folder / "kylink.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("DELETE FROM stock_items")
        connection.commit()
        for suffix in ("", "-wal", "-shm"):
            shutil.copy(stocked.folder / f"kylink.db{suffix}", stocked.folder / f"crashed{suffix}")
    for suffix in ("", "-wal", "-shm"):
        shutil.copy(stocked.folder / f"crashed{suffix}", stocked.folder / f"kylink.db{suffix}")
    said(stocked, "db", "restore", "backup.db", "--trust")
    assert len({take(stocked) for _ in range(5)}) == 5


def test_a_damaged_database_can_be_replaced(stocked: Installation) -> None:
    (stocked.folder / "kylink.db").write_bytes(b"no database" * 1000)
    said(stocked, "db", "restore", "backup.db", "--trust")
    take(stocked)


def test_nothing_is_replaced_while_somebody_works_with_it(stocked: Installation) -> None:
    with closing(sqlite3.connect(stocked.folder / "kylink.db")) as consumer:
        consumer.execute("SELECT count(*) FROM leases").fetchone()
        code, document = invoke(stocked, "db", "restore", "backup.db")
    assert (code, "is in use: stop the timers" in document["error"]["message"]) == (75, True)
    take(stocked)


def test_a_run_under_way_is_not_restored_away(kylink: Installation, service: SupplyService) -> None:
    kylink.add_campaigns("1")
    said(kylink, "db", "backup", "backup.db")
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--all")
    gate.wait_for_calls(5)
    code, document = invoke(kylink, "db", "restore", "backup.db")
    assert (code, f"pid {run.pid}" in document["error"]["message"]) == (75, True)
    gate.open()
    run.communicate()
    assert run.returncode == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no such file"), (b"", "an empty file"), (b"x" * 5000, "not a kylink database")],
)
def test_what_is_no_backup_is_refused_and_changes_nothing(
    stocked: Installation, content: bytes | None, words: str
) -> None:
    if content is not None:
        (stocked.folder / "other.db").write_bytes(content)
    assert words in refusal(stocked, "db", "restore", "other.db")
    take(stocked)


def test_open_orders_are_asked_for_again_under_their_keys(kylink: Installation, service: SupplyService) -> None:
    """A run was killed after it had ordered; a backup was made then."""
    kylink.add_campaigns("1")
    service.behave = gate = Gate(charges=True)
    run = kylink.start("replenish", "--all")
    gate.wait_for_calls(5)
    run.kill()
    run.communicate()
    gate.open()
    charged = set(service.charges)
    said(kylink, "db", "backup", "backup.db")
    kylink.let_go()
    assert said(kylink, "db", "restore", "backup.db")["open_requests"] == 10
    assert kylink.run("replenish", "--all").returncode == 0
    assert charged <= set(kylink.rows("SELECT key FROM supply_requests WHERE state = 'answered'"))
    assert service.conflicts == []


def test_a_server_s_database_that_went_back_is_noticed_and_gone_on_with(
    postgres: PostgresServer, on_server: ServerDatabase, stocked: Installation
) -> None:
    add_campaigns(on_server, "1")
    add_items(on_server, "1", 3)
    here, name = url_of(on_server), url_of(on_server).rpartition("/")[2]
    take(stocked, DATABASE_URL=here)
    on_server.close()
    postgres.execute(f"CREATE DATABASE {name}_dump TEMPLATE {name}")
    take(stocked, DATABASE_URL=here)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)", f"ALTER DATABASE {name}_dump RENAME TO {name}")
    assert "went back in time" in refusal(stocked, "leases", "take", "1", DATABASE_URL=here)
    assert said(stocked, "db", "restored", DATABASE_URL=here) == {
        "discarded": 3,
        "closed_leases": 1,
        "open_requests": 0,
    }
    assert invoke(stocked, "leases", "take", "1", DATABASE_URL=here)[0] == 11


@pytest.mark.parametrize("keep", [False, True])
def test_a_database_that_was_moved_hands_nothing_out_any_more(
    postgres: PostgresServer, stocked: Installation, keep: bool
) -> None:
    here, there = f"sqlite:///{stocked.folder / 'kylink.db'}", postgres.new_database()
    said(stocked, "db", "copy", "--from", here, "--to", there, *(["--keep-source"] if keep else []))
    taken = take(stocked, DATABASE_URL=there)
    if keep:
        assert take(stocked) == taken
        return
    message = refusal(stocked, "leases", "take", "1")
    assert there.rpartition("/")[2] in message
    assert "moved to" in message
    checks = said(stocked, "db", "check")["checks"]
    assert [one["name"] for one in checks if not one["ok"]] == []
    said(stocked, "db", "restored", "--trust")
    take(stocked)


def test_a_consumer_that_was_there_before_the_move_hears_of_it(stocked: Installation, tmp_path: Path) -> None:
    here, there = f"sqlite:///{stocked.folder / 'kylink.db'}", f"sqlite:///{tmp_path / 'there.db'}"
    with Stock(wiring.existing_database(Settings(database_url=here)), 15) as stock:
        said(stocked, "db", "copy", "--from", here, "--to", there)
        with pytest.raises(DatabaseUnfitError, match=r"was moved to .*there\.db"):
            stock.take("1")
