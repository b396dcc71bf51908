"""Whose files are believed, for an ordinary user with a private group, as Debian gives one to everybody."""

import grp
import os
import pwd
import shutil
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from kylink_cli.trust import distrust

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
# A user of every Debian, with a group of the same name that nobody else is in: no package adds anybody to this one.
NAME = "irc"
NOBODY = 0xFFFFFFFF
# Version 2; of owner, the user 12345, group, mask and others: tag, rights and number (acl(5)).
ACCESS_LIST = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, rights, number)
    for tag, rights, number in ((1, 7, NOBODY), (2, 7, 12345), (4, 7, NOBODY), (16, 7, NOBODY), (32, 5, NOBODY))
)


class Entry(NamedTuple):
    """A line of /etc/group or /etc/passwd, as far as it matters."""

    gr_gid: int = 0
    gr_mem: tuple[str, ...] = ()
    pw_gid: int = 0
    pw_name: str = "somebody"


@pytest.fixture
def env_file() -> Iterator[Path]:
    """A file of a user whose umask is 002, looked at by that user."""
    user = pwd.getpwnam(NAME)
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    path = folder / ".env"
    path.touch()
    for place, mode in ((path, 0o664), (folder, 0o775)):
        os.chown(place, user.pw_uid, user.pw_gid)
        place.chmod(mode)
    os.seteuid(user.pw_uid)
    try:
        yield path
    finally:
        os.seteuid(0)
        shutil.rmtree(folder)


@as_root
def test_what_only_the_user_s_private_group_may_write_is_believed(env_file: Path) -> None:
    assert distrust(env_file, shared_folder=False) is None


@as_root
@pytest.mark.parametrize("place", ["file", "folder"])
def test_what_another_group_may_write_is_not(env_file: Path, place: str) -> None:
    path = env_file if place == "file" else env_file.parent
    user = os.geteuid()
    os.seteuid(0)
    os.chown(path, user, grp.getgrnam("games").gr_gid)
    os.seteuid(user)
    assert "others can write to it" in str(distrust(env_file, shared_folder=False))


@as_root
def test_what_everybody_may_write_is_not(env_file: Path) -> None:
    env_file.chmod(0o666)
    assert "others can write to it" in str(distrust(env_file, shared_folder=False))


@as_root
def test_a_private_group_that_somebody_was_added_to_is_none(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gid = pwd.getpwnam(NAME).pw_gid
    monkeypatch.setattr(grp, "getgrall", lambda: [Entry(gr_gid=gid, gr_mem=(NAME, "mallory"))])
    assert "others can write to it" in str(distrust(env_file, shared_folder=False))


@as_root
def test_a_private_group_that_is_another_s_primary_group_is_none(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gid = pwd.getpwnam(NAME).pw_gid
    monkeypatch.setattr(pwd, "getpwall", lambda: [Entry(pw_gid=gid, pw_name=NAME), Entry(pw_gid=gid)])
    assert "others can write to it" in str(distrust(env_file, shared_folder=False))


@as_root
@pytest.mark.parametrize("place", ["file", "folder"])
def test_what_an_access_list_lets_others_write_is_not(env_file: Path, place: str) -> None:
    path = env_file if place == "file" else env_file.parent
    try:
        os.setxattr(path, "system.posix_acl_access", ACCESS_LIST)
    except OSError:
        pytest.skip("this file system has no access lists")
    assert "others can write to it" in str(distrust(env_file, shared_folder=False))


@as_root
def test_root_has_no_private_group(env_file: Path) -> None:
    user = os.geteuid()
    os.seteuid(0)
    try:
        for place in (env_file, env_file.parent):
            os.chown(place, 0, 0)
        assert "others can write to it" in str(distrust(env_file, shared_folder=False))
    finally:
        os.seteuid(user)
