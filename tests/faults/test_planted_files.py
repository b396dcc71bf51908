"""Files that another user has put in kylink's way, and the modes of its own."""

import os
import stat
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from tests.support.cli import run_kylink
from tests.support.installation import Installation

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
