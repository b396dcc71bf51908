"""Our own files are private, and do not shut out the service that works with them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kylink_cli.files import create_private_file, create_private_folder, replacement

SERVICE = 12_345


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=["umask 000", "umask 022", "umask 777"])
def any_umask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """One that holds once the test has its folder."""
    assert tmp_path.is_dir()
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("any_umask")
def test_a_new_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    create_private_file(tmp_path / "kylink.db")
    assert mode(tmp_path / "kylink.db") == "0o600"


def test_missing_folders_are_private_and_those_above_are_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    create_private_file(tmp_path / "a" / "b" / "kylink.db")
    assert [mode(tmp_path / name) for name in ("", "a", "a/b", "a/b/kylink.db")] == ["0o755", "0o700", "0o700", "0o600"]


def test_an_existing_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "kylink.db"
    path.write_text("content")
    path.chmod(0o640)
    create_private_file(path)
    assert (path.read_text(), mode(path)) == ("content", "0o640")


def test_a_link_to_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    create_private_file(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o277, 0o777])
def test_a_folder_is_its_user_s_alone_under_any_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        create_private_file(tmp_path / "a" / "b" / "kylink.db")
    finally:
        os.umask(before)
    assert [mode(tmp_path / name) for name in ("a", "a/b", "a/b/kylink.db")] == ["0o700", "0o700", "0o600"]


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(NotADirectoryError):
        create_private_folder(tmp_path / "state")


def owners(*paths: Path) -> list[tuple[int, int]]:
    return [(path.stat().st_uid, path.stat().st_gid) for path in paths]


def test_what_root_creates_belongs_to_the_folder_s_owner(tmp_path: Path) -> None:
    """Only root can try this; for others there is nothing to give away, which is tried instead."""
    owner = SERVICE if os.geteuid() == 0 else os.geteuid()
    os.chown(tmp_path, owner, owner if os.geteuid() == 0 else -1)
    create_private_file(tmp_path / "new" / "kylink.db")
    expected = (owner, owner if os.geteuid() == 0 else os.getegid())
    assert owners(tmp_path / "new", tmp_path / "new" / "kylink.db") == [expected, expected]


def test_what_root_creates_in_a_shared_folder_stays_its_own(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(tmp_path, SERVICE, SERVICE)
    tmp_path.chmod(0o1777)
    create_private_file(tmp_path / "kylink.db")
    assert owners(tmp_path / "kylink.db") == [(os.geteuid(), os.getegid())]


@pytest.mark.usefixtures("any_umask")
@pytest.mark.parametrize(("readable", "expected"), [(False, "0o600"), (True, "0o644")], ids=["private", "readable"])
def test_a_replacement_has_the_mode_that_was_asked_for(tmp_path: Path, readable: bool, expected: str) -> None:
    path = tmp_path / "page.html"
    path.write_text("old")
    with replacement(path, readable=readable) as file:
        file.write("new")
        assert path.read_text() == "old"
    assert (path.read_text(), mode(path)) == ("new", expected)


def test_a_replacement_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), replacement(tmp_path / "page.html") as file:
        file.write(str(1 / 0))
    assert list(tmp_path.iterdir()) == []
