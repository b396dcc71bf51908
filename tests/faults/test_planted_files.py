"""Files that another user has put in kylink's way, and the modes of its own."""

import json
import os
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kylink_cli.children import own_command, search_path
from kylink_cli.demo.service import SupplyService
from tests.support.cli import run_kylink
from tests.support.installation import Installation

pytestmark = pytest.mark.slow

STRANGER = 12_345


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file that a stranger would like to see overwritten."""
    path = tmp_path / "victim"
    path.write_text("precious")
    return path


def _plant(link: Path, target: Path) -> None:
    """Put a stranger's link in a place; only root can make it a stranger's."""
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)
    os.chown(link, STRANGER, STRANGER, follow_symlinks=False)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a link another user's")


@as_root
@pytest.mark.parametrize("command", [["db", "init"], ["campaigns", "add", "1", "--user", "u1"], ["replenish", "--all"]])
def test_a_planted_database_is_refused(tmp_path: Path, victim: Path, command: list[str]) -> None:
    _plant(tmp_path / "kylink.db", victim)
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/kylink.db"}
    result = run_kylink(*command, env=settings, cwd=tmp_path)
    assert (result.returncode, victim.read_text()) == (78, "precious")
    assert "symbolic link that belongs to another user" in result.stderr


@as_root
def test_a_planted_lock_is_refused(kylink: Installation, service: SupplyService, victim: Path) -> None:
    kylink.add_campaigns("1")
    _plant(kylink.folder / "kylink.db.lock" / "stock_replenish.lock", victim)
    result = kylink.run("replenish", "--all")
    assert (result.returncode, victim.read_text(), service.calls) == (78, "precious", {})
    assert "symbolic link that belongs to another user" in result.stderr


def _foreign(path: Path) -> None:
    os.chown(path, STRANGER, STRANGER)


def _link_away(path: Path) -> None:
    aside = path.parent.parent / "aside"
    path.rename(aside)
    _foreign(aside)
    path.symlink_to(aside)


PLANTED: dict[str, Callable[[Path], None]] = {
    "file of a stranger": _foreign,
    "file that others may write": lambda path: path.chmod(0o666),
    "file that its group may write": lambda path: path.chmod(0o660),
    "folder of a stranger": lambda path: _foreign(path.parent),
    "folder that others may write": lambda path: path.parent.chmod(0o777),
    "folder like /tmp": lambda path: path.parent.chmod(0o1777),
    "folder in a folder of a stranger": lambda path: _foreign(path.parent.parent),
    "link to the file of a stranger": _link_away,
}


@pytest.fixture
def crossroads(tmp_path: Path) -> Path:
    """A folder that an operator is led into, with an env file that somebody else could have written."""
    folder = tmp_path / "house" / "room"
    folder.mkdir(parents=True, mode=0o700)
    (folder / ".env").write_text(
        f"DATABASE_URL=sqlite:///{folder}/kylink.db\nPROXY_API_URL=exec:{folder}/program\nPROXY_API_KEY=key-of-nobody\n"
    )
    program = folder / "program"
    program.write_text(f"#!/bin/sh\ntouch {folder}/ran\n")
    program.chmod(0o755)
    return folder


@as_root
@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED)
def test_a_planted_env_file_is_not_read_and_named_in_a_line(crossroads: Path, plant: Callable[[Path], None]) -> None:
    kept = {"DATABASE_URL": f"sqlite:///{crossroads}/kylink.db"}
    assert run_kylink("campaigns", "add", "1", "--user", "u1", env=kept, cwd=crossroads).returncode == 0
    plant(crossroads / ".env")
    shown = run_kylink("config", "show", "--json", cwd=crossroads)
    assert json.loads(shown.stdout)["env_file"] is None
    assert len(shown.stderr.splitlines()) == 1
    assert f"{crossroads}/.env is not read" in shown.stderr
    run_kylink("replenish", "--all", env=kept, cwd=crossroads)
    assert not (crossroads / "ran").exists()


@as_root
def test_cron_is_given_no_planted_env_file(crossroads: Path) -> None:
    _foreign(crossroads / ".env")
    shown = run_kylink("cron", "show", cwd=crossroads)
    assert "/etc/kylink/kylink.env" in shown.stdout
    assert str(crossroads) not in shown.stdout
    refused = run_kylink("cron", "install", "--dry-run", cwd=crossroads)
    assert (refused.returncode, str(crossroads) in refused.stdout) == (78, False)


@as_root
def test_config_check_and_doctor_speak_of_a_planted_env_file(crossroads: Path) -> None:
    _foreign(crossroads / ".env")
    checked = json.loads(run_kylink("config", "check", "--json", cwd=crossroads).stdout)
    assert "belongs to another user" in checked["warnings"][0]
    looked = json.loads(run_kylink("doctor", "--json", cwd=crossroads).stdout)
    assert any("is not read" in check["text"] for check in looked["checks"])


def test_an_env_file_of_one_s_own_is_read(crossroads: Path) -> None:
    shown = run_kylink("config", "show", "--json", cwd=crossroads)
    assert (json.loads(shown.stdout)["env_file"], shown.stderr) == (".env", "")


@as_root
@pytest.mark.parametrize("name", ["file of a stranger", "file that others may write", "folder that others may write"])
def test_a_planted_env_file_that_is_named_is_refused(crossroads: Path, name: str) -> None:
    PLANTED[name](crossroads / ".env")
    result = run_kylink("config", "show", "--env-file", str(crossroads / ".env"), cwd=Path("/"))
    assert (result.returncode, result.stdout) == (78, "")
    assert "are not trusted" in result.stderr


@as_root
def test_a_key_press_asks_no_planted_database(crossroads: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        port = trap.getsockname()[1]
        (crossroads / ".env").write_text(f"DATABASE_URL=postgresql://u:secret-pass@127.0.0.1:{port}/x\n")
        _foreign(crossroads / ".env")
        words = {"COMP_WORDS": "kylink campaigns show 4", "COMP_CWORD": "3", "_KYLINK_COMPLETE": "complete_bash"}
        run_kylink(env=words, cwd=crossroads)
        trap.setblocking(False)
        with pytest.raises(BlockingIOError):
            trap.accept()


def test_modules_in_the_working_directory_are_not_those_of_kylink_s_children(tmp_path: Path) -> None:
    (tmp_path / "kylink_cli").mkdir()
    (tmp_path / "kylink_cli" / "__init__.py").write_text("raise SystemExit(99)")
    command = [*own_command(), "--version"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0


def test_programs_are_not_searched_for_in_the_working_directory() -> None:
    assert search_path({"PATH": "/usr/bin::.:bin:/bin"}) == "/usr/bin:/bin"


def test_an_operator_s_own_link_is_followed(kylink: Installation) -> None:
    kylink.database.close()
    (kylink.folder / "elsewhere").mkdir()
    (kylink.folder / "kylink.db").rename(kylink.folder / "elsewhere" / "kylink.db")
    (kylink.folder / "kylink.db").symlink_to(kylink.folder / "elsewhere" / "kylink.db")
    assert kylink.run("replenish", "--all").returncode == 0


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o277])
def test_every_file_is_private_under_any_umask(tmp_path: Path, service: SupplyService, mask: int) -> None:
    settings = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/state/kylink.db",
        "PROXY_API_URL": service.url,
        "PROXY_API_KEY": service.key,
    }
    before = os.umask(mask)
    try:
        for command in (["db", "init"], ["campaigns", "add", "1", "--user", "u1"], ["replenish", "--all"]):
            assert run_kylink(*command, env=settings, cwd=tmp_path).returncode == 0
        copy = tmp_path / "state" / "copy.db"
        assert run_kylink("db", "backup", str(copy), env=settings, cwd=tmp_path).returncode == 0
    finally:
        os.umask(before)
    modes = {
        path.relative_to(tmp_path): stat.S_IMODE(path.stat().st_mode)
        for path in (tmp_path / "state", *(tmp_path / "state").rglob("*"))
    }
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}
