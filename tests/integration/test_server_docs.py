"""docs/several-hosts.md, taken at its word: its roles, its connections, its backup and its sizes."""

import os
import re
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import psycopg
from typer.testing import CliRunner

from kylink_cli import Stock, errors, wiring
from kylink_cli.cli import app
from kylink_cli.settings.fields import Settings
from kylink_cli.store.engine.postgresql import open_server
from tests.support.cli import clean_environment
from tests.support.database import add_campaigns, add_items
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "several-hosts.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]


def sql(title: str) -> str:
    [block] = re.findall(r"```sql\n(.*?)```", section(title), re.DOTALL)
    return str(block)


def commands(title: str, program: str) -> list[str]:
    return re.findall(rf"^    ({program}\b.*)$", section(title), re.MULTILINE)


def say(url: str, folder: Path, *command: str) -> tuple[int, str]:
    settings = {"DATABASE_URL": url, "XDG_STATE_HOME": str(folder), "PROXY_API_URL": "file:/dev/null"}
    done = CliRunner().invoke(app, command, env=settings)
    return done.exit_code, done.output


def test_the_owner_upgrades_and_the_user_with_the_least_rights_does_the_rest(
    tmp_path: Path,
) -> None:
    with PostgresServer() as server:
        server.execute("CREATE DATABASE kylink")
        with psycopg.connect(server.url("kylink"), autocommit=True) as administrator:
            administrator.execute(sql("Who may do what").encode())
        owner, user = (server.url("kylink").replace("kylink@", f"kylink_{who}@") for who in ("owner", "user"))
        assert say(user, tmp_path, "db", "init")[0] == 78
        code, said = say(owner, tmp_path, "db", "init")
        assert code == 0, said
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(sql("Looking after the server").encode())
        for command in (
            ["campaigns", "add", "1", "--user", "u1"],
            ["replenish", "--all", "--dry-run"],
            ["leases", "list"],
            ["recover-leases"],
            ["alert-check"],
            ["jobs", "status"],
            ["db", "check"],
        ):
            code, said = say(user, tmp_path, *command)
            assert code == 0, said
        add_through(user, 1)
        assert say(user, tmp_path, "leases", "take", "1")[0] == 0
        said = say(user, tmp_path, "doctor")[1]
        assert "lacks" not in said
        assert "refuses" not in said


def add_through(url: str, items: int) -> None:
    with closing(open_server(url)) as database:
        add_items(database, "1", items)


def test_a_stock_of_many_threads_holds_as_many_connections_as_is_said(postgres: PostgresServer) -> None:
    [bound] = {int(number) for number in re.findall(r"at most (\d+) in a process", TEXT)}
    url, threads = postgres.new_database() + "?application_name=crowd", 40
    with closing(open_server(url)) as database:
        add_campaigns(database, "1")
        add_items(database, "1", threads)
    with Stock(wiring.existing_database(Settings(database_url=url)), 15) as stock, psycopg.connect(url) as blocker:
        blocker.execute("LOCK TABLE leases")
        taking = [threading.Thread(target=stock.take, args=("1",)) for _ in range(threads)]
        for thread in taking:
            thread.start()
        wait_until(lambda: crowd(postgres) >= bound + 1, "all that may to connect")
        assert crowd(postgres) == bound + 1, "those of the stock, and the one that blocks them"
        blocker.rollback()
        for thread in taking:
            thread.join()


def crowd(postgres: PostgresServer) -> int:
    with psycopg.connect(postgres.url()) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crowd'").fetchone()
    assert row is not None
    return int(row[0])


def test_a_dump_comes_back_as_is_said(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.new_database()
    with closing(open_server(url)) as database:
        add_campaigns(database, "1")
        add_items(database, "1", 3)
    path = f"{postgres.program('psql').parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = clean_environment(tmp_path) | {"DATABASE_URL": url, "PATH": path, "XDG_STATE_HOME": str(tmp_path)}

    def execute(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, shell=True, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    [dump], [restore], [restored] = (commands("Backups", name) for name in ("pg_dump", "pg_restore", "kylink"))
    assert execute("kylink leases take 1").returncode == 0
    assert execute(dump).returncode == 0
    assert execute("kylink leases take 1").returncode == 0
    done = execute(restore)
    assert done.returncode == 0, done.stderr
    refused = execute("kylink leases take 1")
    assert (refused.returncode, "kylink db restore" in refused.stderr) == (78, True)
    assert execute(restored).returncode == 0
    assert execute("kylink leases take 1").returncode == 11


def test_consumers_are_told_of_every_error_that_they_may_catch() -> None:
    table = (DOCS / "consumers.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(\w+Error)`", table, re.MULTILINE))
    of_databases = {
        kind.__name__
        for kind in vars(errors).values()
        if isinstance(kind, type)
        and issubclass(kind, errors.DatabaseError)
        and kind not in {errors.DatabaseConflictError, errors.DatabaseMissingError}  # kinds of those that are named
    }
    assert of_databases <= named
    assert all(hasattr(errors, name) for name in named)
