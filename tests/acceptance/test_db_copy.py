"""`kylink db copy`: an operator moves to a server, and back."""

import json
import signal
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from kylink_cli.store.tables import StockItem, table
from kylink_cli.store.upkeep import sums
from tests.support.books import assert_nothing_lost
from tests.support.database import add_items
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer


@pytest.fixture
def server_url(postgres: PostgresServer) -> str:
    return postgres.new_database()


def test_a_moved_database_works_on_where_it_was(tmp_path: Path, server_url: str) -> None:
    back = f"sqlite:///{tmp_path / 'back' / 'kylink.db'}"
    with SupplyService("the-key") as service, Installation.at(tmp_path, service.url, "the-key") as kylink:
        kylink.add_campaigns("1", "2")
        assert kylink.run("replenish", "--campaign", "1").returncode == 0
        here = kylink.settings["DATABASE_URL"]
        there = kylink.run("db", "copy", "--from", here, "--to", server_url, "--json")
        assert (there.returncode, json.loads(there.stdout)["rows"]["stock_items"]) == (0, 10), there.stderr
        assert kylink.run("replenish", "--all", DATABASE_URL=server_url).returncode == 0
        back_again = kylink.run("db", "copy", "--from", server_url, "--to", back)
        assert back_again.returncode == 0, back_again.stderr
        assert back_again.stdout.endswith(": counts and checksums agree\n")
        assert kylink.run("replenish", "--all", "--force", DATABASE_URL=back).returncode == 0
        moved = Installation(tmp_path / "back", kylink.settings | {"DATABASE_URL": back})
        assert moved.rows("SELECT count(*) FROM stock_items GROUP BY campaign_id") == [20, 20]
        assert_nothing_lost(moved, service)
        moved.database.close()


@pytest.mark.slow
def test_a_killed_copy_goes_on_when_the_same_is_said_again(tmp_path: Path, server_url: str) -> None:
    with Installation.without_supply(tmp_path) as kylink:
        kylink.add_campaigns("1")
        add_items(kylink.database, "1", 20_000)
        copy = ("db", "copy", "--from", kylink.settings["DATABASE_URL"], "--to", server_url)
        victim = kylink.start(*copy)
        assert victim.stderr is not None
        while "of 20000 stock_items" not in victim.stderr.readline():
            assert victim.poll() is None
        victim.send_signal(signal.SIGKILL)
        victim.communicate()
        unfinished = kylink.run("db", "stats", DATABASE_URL=server_url)
        assert (unfinished.returncode, "an unfinished copy" in unfinished.stderr) == (78, True)
        again = kylink.run(*copy, "--json")
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["resumed"] >= 2_000
        copied = Installation(tmp_path, {"DATABASE_URL": server_url})
        totals = []
        for database in (kylink.database, copied.database):
            with database.reading() as session:
                totals.append(sums.add_up(session, table(StockItem).select()))
        assert totals[0] == totals[1]
        assert kylink.run("db", "check", DATABASE_URL=server_url).returncode == 0
        copied.database.close()


def test_a_url_of_another_kind_is_refused(tmp_path: Path) -> None:
    with Installation.without_supply(tmp_path) as kylink:
        result = kylink.run("db", "copy", "--from", "mysql://me:hush@db/x", "--to", "sqlite:///copy.db")
    assert result.returncode == 2
    assert "--from must be sqlite:///FILE or postgresql://USER@HOST/NAME" in result.stderr
    assert "hush" not in result.stderr
    assert not (tmp_path / "copy.db").exists()


def test_addresses_may_be_kept_in_a_variable_and_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "target").write_text(f"sqlite:///{tmp_path}/copy.db\n")
    with Installation.without_supply(tmp_path) as kylink:
        kylink.add_campaigns("1")
        result = kylink.run("db", "copy", "--from", "env:DATABASE_URL", "--to", f"file:{tmp_path}/target")
        assert result.returncode == 0, result.stderr
        copied = kylink.run("campaigns", "list", DATABASE_URL=f"sqlite:///{tmp_path}/copy.db")
        assert copied.stdout.splitlines()[1].split()[0] == "1"


def test_a_password_on_the_command_line_is_spoken_of(tmp_path: Path) -> None:
    with Installation.without_supply(tmp_path) as kylink:
        target = "postgresql://me:hush@127.0.0.1:1/x"
        result = kylink.run("db", "copy", "--from", "env:DATABASE_URL", "--to", target)
        assert "every user of this host can read the password behind --to" in result.stderr
        assert "hush" not in result.stderr
        quiet = kylink.run("db", "copy", "--from", "env:DATABASE_URL", "--to", "env:TARGET", TARGET=target)
        assert "every user" not in quiet.stderr
