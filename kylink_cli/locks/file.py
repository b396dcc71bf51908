"""Locks as files in a folder: the kernel frees them when their holder dies, whatever the cause."""

import contextlib
import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from kylink_cli.errors import ConfigError, LockedError
from kylink_cli.files import create_private_file
from kylink_cli.language import tr
from kylink_cli.locks.base import LONGEST, Holder
from kylink_cli.locks.held import Held
from kylink_cli.reasons import refusal

_POLL_SECONDS = 0.1


class FileLocks:
    """Locks kept as files of one folder."""

    def __init__(self, folder: Path, host: str | None = None) -> None:
        self.folder = folder
        self.host = host or socket.gethostname()

    @property
    def of_host(self) -> Self:
        """These themselves."""
        return self

    @contextmanager
    def hold(self, name: str, *, wait_seconds: float = 0) -> Iterator[Held]:
        """Hold a lock for the length of a `with` block.

        Raises:
            LockedError: another process holds it; the message names the holder.
            ConfigError: the lock file can't be created or opened.
        """
        path = self._path(name)
        with self._explained(path):
            create_private_file(path)
            lock = self._lock(path)
            try:
                lock.acquire(timeout=wait_seconds)
            except Timeout:
                raise LockedError(
                    tr("another run holds the lock {name}: {holder}", name=name, holder=_holder(path))
                ) from None
        try:
            path.write_text(Holder.myself(datetime.now(UTC), self.host).dump(), encoding="utf-8")
            yield Held()
        finally:
            lock.release()

    def is_free(self, name: str) -> bool:
        """Whether no process holds a lock.

        Raises:
            ConfigError: the lock file can't be opened.
        """
        path = self._path(name)
        if not path.exists():
            return True
        with self._explained(path):
            lock = self._lock(path)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return False
            except OSError as error:
                if error.errno != errno.EROFS:
                    raise
                # Nobody can take one there.
                return True
            lock.release()
            return True

    def knows(self, name: str) -> bool:
        """Whether a lock was taken in this folder and not forgotten; whether it is free, only then can be told."""
        return self._path(name).exists()

    def forget(self, name: str) -> None:
        """Remove the file of a lock whose name is never used again."""
        with contextlib.suppress(OSError):
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.lock"

    @staticmethod
    def _lock(path: Path) -> FileLock:
        # A soft lock would outlive its holder.
        return FileLock(path, mode=0o600, poll_interval=_POLL_SECONDS, fallback_to_soft=False)

    @staticmethod
    @contextmanager
    def _explained(path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(
                tr(
                    "the lock {path} can't be used: {reason}; check who owns it and its folder, or set KYLINK_LOCK_URL",
                    path=path,
                    reason=refusal(error, path),
                )
            ) from error


def _holder(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            holder = Holder.parse(file.read(LONGEST))
    except (OSError, UnicodeDecodeError):
        holder = None
    return str(holder) if holder else tr("its holder is not known")
