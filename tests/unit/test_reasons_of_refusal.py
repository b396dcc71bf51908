"""Who is told as which user to come again."""

import os
from pathlib import Path

import pytest

from kylink_cli.reasons import refusal
from tests.support.cli import run_process

DENIED = PermissionError(13, os.strerror(13))

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@as_root
@pytest.mark.parametrize(("uid", "gid", "told"), [(1, 1, "daemon"), (0, 1, "daemon"), (1, 0, "daemon")])
def test_another_users_folder_names_him(tmp_path: Path, uid: int, gid: int, told: str) -> None:
    os.chown(tmp_path, uid, gid)
    words = f"permission denied; as user {told}: sudo -u {told} kylink …"
    assert refusal(DENIED, tmp_path / "not" / "there") == words


def test_ones_own_folder_names_nobody(tmp_path: Path) -> None:
    assert refusal(DENIED, tmp_path / "file") == "permission denied"


@as_root
def test_any_other_reason_names_nobody(tmp_path: Path) -> None:
    os.chown(tmp_path, 1, 1)
    assert refusal(FileNotFoundError(2, os.strerror(2)), tmp_path / "file") == "there is no such file"


@as_root
@pytest.mark.parametrize("hidden", ["kylink.db", "folder/kylink.db"])
def test_a_command_on_somebody_elses_database_says_as_whom(tmp_path: Path, hidden: str) -> None:
    path = tmp_path / hidden
    path.parent.mkdir(exist_ok=True)
    path.write_text("x", encoding="utf-8")
    place = path if path.parent == tmp_path else path.parent
    place.chmod(0o600)
    os.chown(place, 1, 1)
    refused = run_process("jobs", "status", env={"DATABASE_URL": f"sqlite:///{path}"}, cwd=tmp_path, unprivileged=True)
    assert refused.returncode == 78
    assert refused.stderr == (
        f"kylink: the database {path} can't be read: permission denied; as user daemon: sudo -u daemon kylink …\n"
    )
