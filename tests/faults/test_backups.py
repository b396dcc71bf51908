"""A backup in a folder of somebody else's, who means no good; and targets that must not be replaced."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.installation import Installation

pytestmark = pytest.mark.slow

STRANGER = 12_345
ROUNDS = 15
# Puts whatever it can under every name that a backup might use for a moment.
ATTACKER = """
import os, sys
folder, victim, kind = sys.argv[1:]
os.setgid(12345); os.setuid(12345)
print("ready", flush=True)
count = 0
while True:
    for name in os.listdir(folder):
        if not name.startswith("."):
            continue
        count += 1
        path, aside = os.path.join(folder, name), os.path.join(folder, f"aside-{count}")
        try:
            os.rename(path, aside)
            os.symlink(victim, path) if kind == "link" else os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o666))
        except OSError:
            pass
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root writes into somebody else's folder")


@pytest.fixture
def kylink(tmp_path: Path) -> Iterator[Installation]:
    (tmp_path / "own").mkdir()
    with Installation.without_supply(tmp_path / "own") as installation:
        installation.add_campaigns(*(f"campaign-{number}" for number in range(200)))
        yield installation


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A stranger's folder, which the stranger can reach."""
    place = tmp_path
    while place != place.parent:
        place.chmod(place.stat().st_mode | stat.S_IXOTH)
        place = place.parent
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, STRANGER, STRANGER)
    return folder


@as_root
@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_exchanged_under_a_backup_is_neither_written_nor_readable(
    kylink: Installation, theirs: Path, tmp_path: Path, kind: str
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    command = [sys.executable, "-c", ATTACKER, str(theirs), str(victim), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attacker:
        assert attacker.stdout is not None
        attacker.stdout.readline()
        codes = [kylink.run("db", "backup", str(theirs / f"copy-{n}.db")).returncode for n in range(ROUNDS)]
        attacker.kill()
    assert victim.read_text() == "precious"
    for path in theirs.iterdir():
        if path.lstat().st_uid == STRANGER:
            assert path.is_symlink() or b"campaign-" not in path.read_bytes()
        else:
            assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    # Where a backup says that it is there, it is.
    for number, code in enumerate(codes):
        if code == 0:
            assert (theirs / f"copy-{number}.db").read_bytes().startswith(b"SQLite format 3")


@as_root
def test_a_database_of_root_s_is_not_overwritten_by_a_restore_through_a_planted_link(
    kylink: Installation, theirs: Path, tmp_path: Path
) -> None:
    """Root brings a backup back in the folder of the service's user, who may have been taken over."""
    victim, backup = tmp_path / "victim", kylink.folder / "backup.db"
    with closing(sqlite3.connect(victim)) as connection, connection:
        connection.execute("CREATE TABLE precious (id INTEGER)")
    assert kylink.run("db", "backup", str(backup)).returncode == 0
    command = [sys.executable, "-c", ATTACKER, str(theirs), str(victim), "link"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as attacker:
        assert attacker.stdout is not None
        attacker.stdout.readline()
        for number in range(ROUNDS):
            kylink.run("db", "restore", str(backup), DATABASE_URL=f"sqlite:///{theirs / f'{number}.db'}")
        attacker.kill()
    with closing(sqlite3.connect(victim)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("precious",)]


@as_root
def test_a_database_that_root_restores_belongs_to_the_owner_of_its_folder(kylink: Installation, theirs: Path) -> None:
    backup, database = kylink.folder / "backup.db", theirs / "kylink.db"
    assert kylink.run("db", "backup", str(backup)).returncode == 0
    assert kylink.run("db", "restore", str(backup), DATABASE_URL=f"sqlite:///{database}").returncode == 0
    assert (database.stat().st_uid, stat.S_IMODE(database.stat().st_mode)) == (STRANGER, 0o600)


@as_root
def test_a_backup_into_somebody_else_s_folder_can_be_worked_with(kylink: Installation, theirs: Path) -> None:
    copy = theirs / "copy.db"
    assert kylink.run("db", "backup", str(copy)).returncode == 0
    assert [path.name for path in theirs.iterdir()] == ["copy.db"]
    assert kylink.run("db", "check", DATABASE_URL=f"sqlite:///{copy}").returncode == 0


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("way", ["{}", "../own/{}", "aside/{}"])
def test_the_database_s_own_files_are_no_target(kylink: Installation, suffix: str, way: str) -> None:
    (kylink.folder / "aside").symlink_to(kylink.folder)
    kylink.rows("SELECT 1")
    before = (kylink.folder / "kylink.db").stat().st_ino
    result = kylink.run("db", "backup", way.format(f"kylink.db{suffix}"), "--yes")
    assert (result.returncode, result.stdout) == (2, "")
    assert "is the database itself" in result.stderr
    assert (kylink.folder / "kylink.db").stat().st_ino == before


def test_devices_pipes_locks_and_dangling_links_are_no_targets(kylink: Installation) -> None:
    os.mkfifo(kylink.folder / "pipe")
    (kylink.folder / "dangling").symlink_to("nowhere")
    (kylink.folder / "null").symlink_to("/dev/null")
    kylink.run("recover-leases")
    (kylink.folder / "linked").symlink_to(kylink.folder / "kylink.db.lock" / "lease_recovery.lock")
    for target in ("pipe", "dangling", "null", "linked", "kylink.db.lock/lease_recovery.lock"):
        result = kylink.run("db", "backup", target, "--yes")
        assert (target, result.returncode) == (target, 2)
    assert stat.S_ISFIFO((kylink.folder / "pipe").lstat().st_mode)
    assert (kylink.folder / "null").is_symlink()
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("command", [["report", "--out"], ["metrics", "--out"]], ids=" ".join)
def test_no_other_command_writes_over_the_database_or_through_links(kylink: Installation, command: list[str]) -> None:
    (kylink.folder / "linked").symlink_to(kylink.folder / "elsewhere")
    before = (kylink.folder / "kylink.db").stat().st_ino
    for target in ("kylink.db", "kylink.db-wal", "linked"):
        assert (target, kylink.run(*command, target).returncode) == (target, 1)
    assert (kylink.folder / "kylink.db").stat().st_ino == before
    assert not (kylink.folder / "elsewhere").exists()


@as_root
def test_the_null_device_stays_a_device(kylink: Installation, tmp_path: Path) -> None:
    device = tmp_path / "null"
    os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    assert kylink.run("db", "backup", str(device), "--yes").returncode == 2
    assert stat.S_ISCHR(device.lstat().st_mode)
