"""Where a backup goes: a place that does no harm, and into which nobody slips anything meanwhile."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kylink_cli.errors import UsageError
from kylink_cli.files import create_private_file, create_private_folder
from kylink_cli.language import tr
from kylink_cli.trust import is_guarded

_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700
_OWN_SUFFIXES = ("", "-wal", "-shm", "-journal")
# Where nobody can take another's files away, and large ones have room.
_SHARED_FOLDER = Path("/var/tmp")  # noqa: S108  (a folder of its own is made there)


def refuse_target(target: Path, database: Path) -> None:
    """Refuse a target whose replacement would do harm.

    Raises:
        UsageError: it is one of the database's own files, or a device, a pipe or the like.
    """
    place = target.parent.resolve() / target.name
    own = {Path(f"{database.resolve()}{suffix}") for suffix in _OWN_SUFFIXES}
    locks = database.with_name(f"{database.name}.lock").resolve()
    is_same = target.exists() and target.samefile(database)
    if is_same or place in own or place.resolve() in own or place.parent == locks:
        raise UsageError(tr("{target} is the database itself: name another file", target=target))
    if target.is_symlink():
        raise UsageError(tr("{target} is a link: name the file itself", target=target))
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise UsageError(tr("{target} is not a file: name another", target=target))


@dataclass(frozen=True, slots=True)
class Staging:
    """A private file that becomes a backup, or a database."""

    copy: Path
    target: Path
    guarded: bool  # nobody else can exchange files where the target is

    def place(self, *, for_folder_owner: bool = False) -> int:
        """Put the copy in its place, in a way that outlives a power cut; its size, bytes.

        Args:
            for_folder_owner: whether it is to belong to whoever has the folder, if root puts it there.

        Raises:
            OSError: it can't be written, or somebody has exchanged it meanwhile.
        """
        if not self.guarded:
            return _pour(self.copy, self.target, for_folder_owner=for_folder_owner and os.geteuid() == 0)
        size = self.copy.stat().st_size
        _sync(self.copy)
        self.copy.replace(self.target)
        _sync(self.target.parent)
        return size


@contextmanager
def staged(target: Path) -> Iterator[Staging]:
    """A private file for a target, beside it unless others could exchange it there; gone afterwards unless placed.

    Raises:
        OSError: it can't be made.
    """
    create_private_folder(target.parent)
    guarded = is_guarded(target.parent)
    with TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent if guarded else _SHARED_FOLDER) as folder:
        Path(folder).chmod(_PRIVATE_FOLDER)
        create_private_file(Path(folder) / "copy")
        yield Staging(Path(folder) / "copy", target, guarded)


def _pour(copy: Path, target: Path, *, for_folder_owner: bool) -> int:
    """Write the copy into a folder that others can write to as well; its size, bytes.

    Everything goes through descriptors: what another puts under a name is neither written to nor read.

    Raises:
        OSError: somebody has exchanged the file while it was written.
    """
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    name = f".{target.name}.{secrets.token_hex(8)}"
    try:
        handle = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, _PRIVATE_FILE, dir_fd=folder)
        with open(handle, "wb") as written, copy.open("rb") as source:  # noqa: PTH123  (a descriptor has no path)
            shutil.copyfileobj(source, written)
            written.flush()
            os.fchmod(handle, _PRIVATE_FILE)
            if for_folder_owner:
                whose = os.fstat(folder)
                os.fchown(handle, whose.st_uid, whose.st_gid)
            os.fsync(handle)
            os.rename(name, target.name, src_dir_fd=folder, dst_dir_fd=folder)
            ours, there = os.fstat(handle), os.stat(target.name, dir_fd=folder, follow_symlinks=False)
        os.fsync(folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
    finally:
        os.close(folder)
    if not os.path.samestat(ours, there):
        raise OSError(errno.ESTALE, tr("it was replaced while it was being written"))
    return ours.st_size


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
