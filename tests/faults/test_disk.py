"""Disks that are full, fail or lie: a clear line, and nothing lost of what was committed."""

import errno
import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from tests.faults.shim import Shim
from tests.support.books import assert_nothing_lost
from tests.support.gate import Gate
from tests.support.installation import Installation

pytestmark = pytest.mark.slow

DATABASE = "kylink.db"


def _assert_one_clear_line(text: str, *parts: str) -> None:
    """The last line says what is wrong; no traceback anywhere."""
    assert "Traceback" not in text
    line = text.rstrip("\n").splitlines()[-1]
    assert line.startswith("kylink: ")
    for part in parts:
        assert part in line


@pytest.mark.parametrize(
    "after", [3, *[pytest.param(after, marks=pytest.mark.long) for after in (0, 1, 2, 6, 12, 20, 30, 50)]]
)
def test_a_disk_that_fills_up_during_a_run(
    kylink: Installation, service: SupplyService, shim: Shim, after: int
) -> None:
    kylink.add_campaigns("1", "2", "3", "4")
    result = kylink.run("replenish", "--all", **shim.full_disk(DATABASE, after))
    assert result.returncode == 1
    _assert_one_clear_line(result.stderr, "the disk", "full")
    assert_nothing_lost(kylink, service)
    assert kylink.run("replenish", "--all").returncode == 0
    assert kylink.rows("SELECT count(*) FROM stock_items GROUP BY campaign_id") == [10] * 4
    assert_nothing_lost(kylink, service)


@pytest.mark.parametrize(
    ("call", "after", "once"),
    [
        ("pwrite", 5, True),
        ("sync", 5, False),
        *[
            pytest.param(call, after, once, marks=pytest.mark.long)
            for call in ("pwrite", "sync")
            for after in (0, 1, 2, 3, 8, 15, 30)
            for once in (True, False)
        ],
    ],
)
def test_a_disk_with_errors_during_a_run(
    kylink: Installation, service: SupplyService, shim: Shim, call: str, after: int, once: bool
) -> None:
    kylink.add_campaigns("1", "2", "3", "4")
    faults = shim.failing_disk(call, errno.EIO, path=DATABASE, after=after, once=once)
    result = kylink.run("replenish", "--all", **faults)
    if result.returncode != 0:
        assert result.returncode == 1
        _assert_one_clear_line(result.stderr, "the disk fails under the database", "df")
    assert_nothing_lost(kylink, service)
    assert kylink.run("replenish", "--all").returncode == 0
    assert kylink.rows("SELECT count(*) FROM stock_items GROUP BY campaign_id") == [10] * 4
    assert_nothing_lost(kylink, service)


def test_an_import_on_a_full_disk_changes_nothing(kylink: Installation, shim: Shim, tmp_path: Path) -> None:
    rows = "\n".join(f"{number},u1,Campaign {number}" for number in range(2000))
    (tmp_path / "campaigns.csv").write_text("campaign_id,user_id,campaign_name\n" + rows)
    result = kylink.run("campaigns", "import", str(tmp_path / "campaigns.csv"), **shim.full_disk(DATABASE, after=5))
    assert result.returncode == 1
    _assert_one_clear_line(result.stderr, "disk", "full")
    assert kylink.rows("SELECT count(*) FROM campaigns") == [0]


def test_a_database_that_is_damaged_is_named_as_such(kylink: Installation) -> None:
    kylink.add_campaigns(*[str(number) for number in range(500)])
    path = kylink.folder / DATABASE
    kylink.database.close()
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(os.urandom(4096))
    result = kylink.run("replenish", "--all")
    assert result.returncode == 78
    _assert_one_clear_line(result.stderr, "is damaged: restore a backup")


@pytest.mark.parametrize(
    ("size", "says"), [(0, "is an empty file: restore a backup"), (100, "database"), (20_000, "database")]
)
def test_a_database_that_was_cut_off_is_never_taken_for_nothing_to_do(
    kylink: Installation, service: SupplyService, size: int, says: str
) -> None:
    kylink.add_campaigns(*[str(number) for number in range(500)])
    kylink.database.close()
    os.truncate(kylink.folder / DATABASE, size)
    result = kylink.run("replenish", "--all")
    assert result.returncode == 78
    _assert_one_clear_line(result.stderr, says)
    assert service.calls == {}


def test_something_else_than_a_database_is_left_alone(kylink: Installation) -> None:
    path = kylink.folder / DATABASE
    path.write_text("a letter to my mother " * 500)
    result = kylink.run("replenish", "--all")
    assert result.returncode == 78
    _assert_one_clear_line(result.stderr, "is not a kylink database")
    assert path.read_text() == "a letter to my mother " * 500


def test_what_a_killed_run_left_in_the_write_ahead_log_is_there(kylink: Installation, service: SupplyService) -> None:
    kylink.add_campaigns("1", "2")
    service.behave = gate = Gate(charges=True)
    kylink.database.close()
    run = kylink.start("replenish", "--all", PROXY_MAX_PER_CALL="5")
    gate.wait_for_calls(4)
    run.kill()
    run.communicate()
    assert (kylink.folder / f"{DATABASE}-wal").stat().st_size > 0
    gate.open()
    assert kylink.run("replenish", "--all").returncode == 0
    assert_nothing_lost(kylink, service)


def test_a_backup_taken_while_a_run_writes_is_whole(
    kylink: Installation, service: SupplyService, tmp_path: Path
) -> None:
    kylink.add_campaigns(*[str(number) for number in range(100)])
    run = kylink.start("replenish", "--all", "--quiet")
    copies: list[Path] = []
    while run.poll() is None:
        copies.append(tmp_path / f"copy-{len(copies)}.db")
        assert kylink.run("db", "backup", str(copies[-1])).returncode == 0
    run.communicate()
    assert len(copies) > 1
    for copy in copies:
        with sqlite3.connect(copy) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
    kylink.let_go()
    assert kylink.run("db", "restore", str(copies[1]), "--trust").returncode == 0
    assert kylink.run("db", "check").returncode == 0
    assert kylink.run("replenish", "--all").returncode == 0
    assert_nothing_lost_since(kylink, service)


def assert_nothing_lost_since(kylink: Installation, service: SupplyService) -> None:
    """After a restore: every campaign is full, and what is in stock was charged."""
    assert kylink.rows("SELECT count(*) FROM stock_items GROUP BY campaign_id") == [10] * 100
    charged = {value for values in service.charges.values() for value in values}
    assert set(kylink.rows("SELECT value FROM stock_items")) <= charged


READ_ONLY = """
import os, sys
folder, *command = sys.argv[1:]
os.chdir("/")
if os.system(f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}") != 0:
    sys.exit("no mount")
os.chdir(folder)
os.execv(sys.executable, [sys.executable, "-m", "kylink_cli", *command])
"""


def on_read_only_disk(kylink: Installation, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command that sees the database's file system as read-only."""
    script = [sys.executable, "-c", READ_ONLY, str(kylink.folder), *command]
    done = subprocess.run(
        ["unshare", "--mount", *script],
        env=kylink.environment,
        cwd=kylink.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if "no mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip("mounting needs root")
    return done


@pytest.mark.parametrize("has_log", [False, True])
def test_a_read_only_file_system_is_named_as_that_and_can_be_looked_at(
    kylink: Installation, tmp_path_factory: pytest.TempPathFactory, has_log: bool
) -> None:
    kylink.add_campaigns("1")
    kylink.record_run("stock_replenish", "succeeded", datetime.now(UTC))
    if not has_log:
        kylink.database.close()
    for command in (["jobs", "status"], ["db", "check"]):
        done = on_read_only_disk(kylink, *command)
        assert (done.returncode, done.stderr) == (0, "")
    copy = tmp_path_factory.mktemp("elsewhere") / "copy.db"
    assert on_read_only_disk(kylink, "db", "backup", str(copy)).returncode == 0
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT id FROM campaigns").fetchall() == [("1",)]
    connection.close()
    for command in (["campaigns", "pause", "1"], ["leases", "take", "1"], ["recover-leases"]):
        done = on_read_only_disk(kylink, *command)
        assert done.returncode == 78, done.stderr
        assert "read-only" in done.stderr
        assert "Traceback" not in done.stderr
