"""Files of our own: made private, and never taken away from the service that works with them."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from kylink_cli.language import tr

_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700
_READABLE_FILE = 0o644
_SQLITE_HEAD = b"SQLite format 3\0"


def is_there(path: Path) -> bool:
    """Whether there is something at a path, as far as this user may see."""
    try:
        return path.exists()
    except PermissionError:
        return False


def create_private_file(path: Path) -> None:
    """Create an empty file with mode 0600, and its folders with 0700; leave an existing one as it is.

    What root creates in somebody else's folder is given to that folder's owner: an operator's `sudo kylink` must not
    shut the service user out.

    Raises:
        OSError: the file or a folder can't be created, or is a symbolic link of another user.
    """
    create_private_folder(path.parent)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, _PRIVATE_FILE)
    except FileExistsError:
        refuse_foreign_link(path)
        return
    try:
        os.fchmod(handle, _PRIVATE_FILE)
        _give_to_folder_owner(handle, path)
    finally:
        os.close(handle)


def is_on_read_only_disk(path: Path) -> bool:
    """Whether nothing can be written where a file is, whatever its permissions."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def refuse_foreign_link(path: Path) -> None:
    """Refuse a symbolic link that another user has planted: it could lead us into a file that only we may change.

    Raises:
        OSError: it is one.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(status.st_mode) and status.st_uid not in {0, os.geteuid()}:
        raise OSError(errno.ELOOP, tr("it is a symbolic link that belongs to another user"), str(path))


def create_private_folder(path: Path) -> None:
    """Create a folder with mode 0700, and those above it; leave an existing one as it is.

    Raises:
        OSError: a folder can't be created, or the path is something else.
    """
    if path.is_dir():
        return
    create_private_folder(path.parent)
    with suppress(FileExistsError):  # something else than a folder does not open as one
        path.mkdir(mode=_PRIVATE_FOLDER)
        # A umask may have taken from its own user what opening it needs.
        path.chmod(_PRIVATE_FOLDER)
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _give_to_folder_owner(handle, path)
    finally:
        os.close(handle)


@contextmanager
def replacement(path: Path, *, readable: bool = False) -> Iterator[IO[str]]:
    """A new text file that takes a path's place once it is complete; a failed one leaves no trace.

    Args:
        path: what it takes the place of.
        readable: whether every user of the machine may read it (mode 0644), whatever the umask; else 0600.

    Raises:
        OSError: it can't be written, or the path is something else than a file.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise OSError(errno.EINVAL, tr("not a regular file"))
    if _is_database(path):
        raise OSError(errno.EINVAL, tr("it is a database"))
    with NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), _READABLE_FILE if readable else _PRIVATE_FILE)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink()
            raise


def _is_database(path: Path) -> bool:
    """Whether a path is, or is next to, an SQLite database that somebody may be working with."""
    if path.name.endswith(("-wal", "-shm", "-journal")):
        return True
    if not path.exists():
        return False
    with path.open("rb") as file:
        return file.read(len(_SQLITE_HEAD)) == _SQLITE_HEAD


def _give_to_folder_owner(handle: int, path: Path) -> None:
    if os.geteuid() != 0:
        return
    parent = path.parent.stat()
    is_shared = bool(parent.st_mode & stat.S_ISVTX)
    if not is_shared:
        os.fchown(handle, parent.st_uid, parent.st_gid)
