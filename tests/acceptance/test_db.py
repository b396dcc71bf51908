"""`kylink db`: the database's life, from its creation to its copies."""

import json
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kylink_cli.store.engine.schema import revisions
from tests.support.cli import run_kylink

HEAD = revisions()[-1]
NOW = "2026-01-01 00:00:00.000000"
WRITE_ON = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
number = 0
while True:
    connection.execute("INSERT INTO paused_jobs VALUES (?, ?)", (f"job {number}", "2026-01-01 00:00:00.000000"))
    number += 1
    if number == 10:
        print("writing", flush=True)
"""


def kylink(folder: Path, *args: str, input: str | None = None) -> subprocess.CompletedProcess[str]:  # noqa: A002  (as subprocess names it)
    return run_kylink(*args, env={"DATABASE_URL": f"sqlite:///{folder / 'kylink.db'}"}, cwd=folder, input=input)


def execute(path: Path, *statements: str) -> list[Any]:
    """Run statements as nobody should: past kylink, and past foreign keys and checks."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        return [connection.execute(statement).fetchall() for statement in statements][-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with a fresh database."""
    assert kylink(tmp_path, "db", "init").returncode == 0
    return tmp_path


def test_init_creates_a_private_database_and_says_when_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "kylink.db"
    results = [kylink(tmp_path, "db", "init") for _ in range(2)]
    assert [(result.returncode, result.stderr) for result in results] == [(0, "")] * 2
    assert [result.stdout for result in results] == [
        f"created the database at {path}, revision {HEAD}\n",
        f"there is a database at {path} already, revision {HEAD}: nothing was changed\n",
    ]
    assert oct(stat.S_IMODE(path.stat().st_mode)) == "0o600"


def test_init_leaves_a_foreign_database_alone(tmp_path: Path) -> None:
    execute(tmp_path / "kylink.db", "CREATE TABLE notes (body TEXT)")
    result = kylink(tmp_path, "db", "init")
    assert (result.returncode, result.stderr) == (
        78,
        "kylink: the database holds tables that are not kylink's: check DATABASE_URL\n",
    )
    assert execute(tmp_path / "kylink.db", "SELECT name FROM sqlite_master") == [("notes",)]


def test_upgrade_says_from_and_to(folder: Path) -> None:
    result = kylink(folder, "db", "upgrade", "--json")
    assert json.loads(result.stdout) == {"from": HEAD, "to": HEAD}
    assert "nothing was changed" in kylink(folder, "db", "upgrade").stdout


@pytest.mark.parametrize("command", [["upgrade"], ["check"], ["backup", "copy.db"], ["stats"]], ids=" ".join)
def test_a_missing_database_is_bad_configuration_and_stays_missing(tmp_path: Path, command: list[str]) -> None:
    result = kylink(tmp_path, "db", *command, "--json")
    message = f"there is no database at {tmp_path / 'kylink.db'}: run 'kylink db init', or check DATABASE_URL"
    assert (result.returncode, json.loads(result.stdout)) == (78, {"error": {"code": "DATABASE", "message": message}})
    assert list(tmp_path.iterdir()) == []


CAMPAIGN = f"INSERT INTO campaigns (id, user_id, name, status, created_at) VALUES ('c1', 'u', 'n', 'active', '{NOW}')"
BEFORE = "2025-12-31 23:59:59.000000"


def item(campaign: str = "c1", value: str = "v", state: str = "available", request: str = "NULL") -> str:
    return (
        "INSERT INTO stock_items (campaign_id, value, state, created_at, expires_at, supply_request_id)"
        f" VALUES ('{campaign}', '{value}', '{state}', '{NOW}', '{NOW}', {request})"
    )


def request(state: str, finished_at: str, produced: int = 0) -> str:
    return (
        "INSERT INTO supply_requests"
        " (key, campaign_id, quantity, body, duplicates, state, created_at, finished_at, produced)"
        f" VALUES ('k', 'c1', 5, '', 0, '{state}', '{NOW}', {finished_at}, {produced})"
    )


def run(status: str, finished_at: str) -> str:
    return (
        "INSERT INTO runs (id, job, trigger, host, pid, status, started_at, heartbeat_at, finished_at, figures)"
        f" VALUES (1, 'j', 'timer', 'h', 1, '{status}', '{NOW}', '{NOW}', {finished_at}, '{{}}')"
    )


def alert(state: str, resolved_at: str) -> str:
    return (
        "INSERT INTO alerts"
        " (type, level, state, fingerprint, title, message, metadata, count, first_seen_at, last_seen_at, resolved_at)"
        f" VALUES ('T', 'INFO', '{state}', 'f', '', '', '{{}}', 1, '{NOW}', '{NOW}', {resolved_at})"
    )


def lease(state: str, closed_at: str, token: str = "t") -> str:
    return (
        "INSERT INTO leases (token, campaign_id, item_id, key_index, state, leased_at, expires_at, closed_at)"
        f" VALUES ('{token}', 'c1', 1, 0, '{state}', '{NOW}', '{NOW}', {closed_at})"
    )


CONSUMED = f"UPDATE stock_items SET consumed_at = '{NOW}'"
CLAIM = f"INSERT INTO campaign_claims (campaign_id, run_id, epoch, claimed_at) VALUES ('c1', 1, 1, '{NOW}')"
RESULT = "INSERT INTO campaign_results VALUES (7, 'c1', 'failed', 0, 0, 0, 0, 0, 0, 0, NULL)"


END_OF_REQUEST = "a supply request has an end exactly when it is not open"
END_OF_RUN = "a run has an end exactly when it is not running"


@pytest.mark.parametrize(
    ("rule", "statements"),
    [
        ("every reference leads to a row", [item("gone")]),
        ("every reference leads to a row", [RESULT]),
        ("a consumed item says when it was consumed", [item(state="consumed")]),
        (
            "no more items are stored for a supply request than it produced",
            [request("answered", f"'{NOW}'", produced=1), item(value="v", request="1"), item(value="w", request="1")],
        ),
        (
            "an item has at most one active lease",
            [
                "DROP INDEX uq_leases_active_item",
                item(state="leased"),
                lease("active", "NULL", "t1"),
                lease("active", "NULL", "t2"),
            ],
        ),
        (
            "an item was confirmed at most once",
            [
                item(state="consumed"),
                CONSUMED,
                lease("confirmed", f"'{NOW}'", "t1"),
                lease("confirmed", f"'{NOW}'", "t2"),
            ],
        ),
        ("an active lease holds a leased item", [item(), lease("active", "NULL")]),
        ("a leased item has an active lease", [item(state="leased"), lease("expired", f"'{NOW}'")]),
        ("a confirmed lease has consumed its item", [item(), lease("confirmed", f"'{NOW}'")]),
        ("a lease has an end exactly when it is not active", [item(), lease("released", "NULL")]),
        (
            "a lease has an end exactly when it is not active",
            [item(state="leased"), lease("active", f"'{NOW}'")],
        ),
        (END_OF_REQUEST, [request("answered", "NULL")]),
        (END_OF_REQUEST, [request("open", f"'{NOW}'")]),
        ("a refused or cancelled supply request brought nothing", [request("refused", f"'{NOW}'", produced=1)]),
        ("a supply request brought no more than was asked for", [request("answered", f"'{NOW}'", produced=6)]),
        (
            "a supply request that an operator settled has an end",
            [request("open", "NULL"), "UPDATE supply_requests SET settled_by = 'somebody'"],
        ),
        ("a supply request ends after it began", [request("answered", f"'{BEFORE}'")]),
        (END_OF_RUN, [run("succeeded", "NULL")]),
        (END_OF_RUN, [run("running", f"'{NOW}'")]),
        ("a run ends after it began", [run("succeeded", f"'{BEFORE}'")]),
        ("a claim belongs to a running run", [run("succeeded", f"'{NOW}'"), CLAIM]),
        (
            "at most one alert of a condition is unresolved",
            ["DROP INDEX uq_alerts_unresolved", alert("open", "NULL"), alert("acknowledged", "NULL")],
        ),
        ("an alert says when it was resolved exactly when it is", [alert("resolved", "NULL")]),
        ("an alert says when it was resolved exactly when it is", [alert("open", f"'{NOW}'")]),
    ],
)
def test_check_finds_what_is_wrong(folder: Path, rule: str, statements: list[str]) -> None:
    execute(folder / "kylink.db", CAMPAIGN, *statements)
    result = kylink(folder, "db", "check", "--json")
    document = json.loads(result.stdout)
    wrong = {check["name"]: check["violations"] for check in document["checks"] if not check["ok"]}
    assert (result.returncode, document["ok"], wrong) == (1, False, {rule: 1})


def test_check_finds_a_value_that_is_stored_twice(folder: Path) -> None:
    path = folder / "kylink.db"
    execute(path, CAMPAIGN, item())
    schema = execute(path, "SELECT sql FROM sqlite_master WHERE name = 'stock_items'")[0][0]
    loose = schema.replace("CONSTRAINT uq_stock_items_campaign_id_value UNIQUE (campaign_id, value)", "CHECK (1)")
    assert loose != schema
    execute(path, "ALTER TABLE stock_items RENAME TO strict_items", loose, item(), item())
    result = kylink(folder, "db", "check")
    wrong = [line.split(maxsplit=2) for line in result.stdout.splitlines() if line.startswith("wrong")]
    assert result.returncode == 1
    assert [cells[:2] for cells in wrong] == [["wrong", "1"]]
    assert wrong[0][2].strip() == "a value is stored once within its campaign"


def test_check_is_content_with_a_database_in_use(folder: Path) -> None:
    execute(
        folder / "kylink.db",
        CAMPAIGN,
        run("running", "NULL"),
        CLAIM,
        request("answered", f"'{NOW}'", produced=2),
        item(request="1"),
        alert("resolved", f"'{NOW}'"),
        alert("open", "NULL"),
    )
    result = kylink(folder, "db", "check")
    assert (result.returncode, "wrong" in result.stdout) == (0, False)


def test_backup_copies_a_database_that_is_being_written_to(folder: Path) -> None:
    command = [sys.executable, "-c", WRITE_ON, str(folder / "kylink.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        result = kylink(folder, "db", "backup", "copy.db", "--json")
        assert writer.poll() is None
        writer.kill()
    copy = folder / "copy.db"
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {"file": str(copy), "bytes": copy.stat().st_size}
    assert oct(stat.S_IMODE(copy.stat().st_mode)) == "0o600"
    rows = execute(copy, "SELECT count(*) FROM paused_jobs")[0][0]
    assert 10 <= rows <= execute(folder / "kylink.db", "SELECT count(*) FROM paused_jobs")[0][0]
    assert {path.name for path in folder.iterdir() if not path.name.startswith("kylink.db")} == {"copy.db"}


def test_a_backup_can_be_worked_with(folder: Path) -> None:
    kylink(folder, "db", "backup", "copy.db")
    result = run_kylink("db", "check", env={"DATABASE_URL": "sqlite:///copy.db"}, cwd=folder)
    assert result.returncode == 0


def test_backup_replaces_a_file_only_when_told_so(folder: Path) -> None:
    copy = folder / "copy.db"
    copy.write_text("precious")
    refused = kylink(folder, "db", "backup", "copy.db", input="y\n")
    assert (refused.returncode, copy.read_text()) == (2, "precious")
    assert (
        refused.stderr == "kylink: copy.db exists and was left alone: name another file, or use --yes to replace it\n"
    )
    assert kylink(folder, "db", "backup", "copy.db", "--yes").returncode == 0
    assert copy.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize(
    ("target", "code", "message"),
    [
        ("kylink.db", 2, "kylink: kylink.db is the database itself: name another file\n"),
        ("a_folder", 1, "kylink: the backup a_folder can't be written: it is a directory\n"),
        (
            "a_file/copy.db",
            1,
            "kylink: the backup a_file/copy.db can't be written: a part of its path is not a directory\n",
        ),
    ],
)
def test_a_backup_that_cannot_be_written_leaves_nothing_behind(
    folder: Path, target: str, code: int, message: str
) -> None:
    (folder / "a_folder").mkdir()
    (folder / "a_file").write_text("")
    before = sorted(folder.iterdir())
    result = kylink(folder, "db", "backup", target, "--yes")
    assert (result.returncode, result.stderr) == (code, message)
    assert sorted(folder.iterdir()) == before


def test_a_command_leaves_no_write_ahead_log_behind(folder: Path) -> None:
    assert kylink(folder, "campaigns", "add", "1", "--user", "u1").returncode == 0
    assert sorted(path.name for path in folder.glob("kylink.db*") if path.is_file()) == [
        "kylink.db",
        "kylink.db.generation",
    ]


def test_a_damaged_database_is_not_backed_up(folder: Path) -> None:
    path = folder / "kylink.db"
    content = bytearray(path.read_bytes())
    page = content.index(b"uq_stock_items") // 4096 + 2
    content[page * 4096 : page * 4096 + 2048] = b"\xff" * 2048
    path.write_bytes(content)
    assert kylink(folder, "db", "check").returncode in {1, 78}
    result = kylink(folder, "db", "backup", "copy.db")
    assert result.returncode in {1, 78}
    assert "damaged" in result.stderr
    assert not (folder / "copy.db").exists()


def test_stats_count_rows_and_items(folder: Path) -> None:
    execute(folder / "kylink.db", CAMPAIGN, item(), item(value="w", state="leased"))
    document = json.loads(kylink(folder, "db", "stats", "--json").stdout)
    assert document["rows"]["campaigns"] == 1
    assert document["items"] == {"available": 1, "leased": 1, "consumed": 0, "expired": 0, "discarded": 0}
    assert (document["revision"], document["sqlite_version"]) == (HEAD, sqlite3.sqlite_version)
    assert document["file_bytes"] > 0
    table = kylink(folder, "db", "stats").stdout
    assert "rows in campaigns" in table
