"""What every kind of lock can do, and who holds one."""

import json
import os
import socket
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Protocol, Self

from kylink_cli.language import tr
from kylink_cli.locks.held import Held
from kylink_cli.rules.moments import readable
from kylink_cli.rules.text import one_line

LONGEST = 4096
_HOST_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock.

    Attributes:
        pid: the process, as it sees itself.
        host: the machine.
        since: when it took the lock.
    """

    pid: int
    host: str
    since: datetime

    @classmethod
    def myself(cls, now: datetime, host: str | None = None) -> Self:
        """This process, on the host of that name."""
        return cls(os.getpid(), host or socket.gethostname(), now)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what `dump` wrote; None if it is anything else: who may write there may have written anything."""
        try:
            facts = json.loads(text[:LONGEST])
            since = datetime.fromisoformat(facts["since"]).astimezone(UTC)
            return cls(int(facts["pid"]), one_line(str(facts["host"]), _HOST_LENGTH), since)
        except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
            return None

    def dump(self) -> str:
        """The holder as one line of JSON."""
        return json.dumps({**asdict(self), "since": self.since.astimezone(UTC).isoformat(timespec="seconds")})

    def __str__(self) -> str:
        since = readable(self.since)
        return tr("pid {pid} on {host} since {since}", pid=self.pid, host=self.host, since=since)


class Locks(Protocol):
    """A place where locks are kept, each under a name."""

    @property
    def of_host(self) -> "HostLocks":
        """The locks that only this host sees, and that the kernel frees when their holder dies."""

    def hold(self, name: str, *, wait_seconds: float = 0) -> AbstractContextManager[Held]:
        """Hold a lock for the length of a `with` block.

        Args:
            name: the lock.
            wait_seconds: how long to wait for another holder to let go, seconds.

        Raises:
            LockedError: another process holds it; the message names the holder.
            LockUnreachableError: the server that keeps it does not answer.
            ConfigError: locks can't be kept in this place.
        """

    def is_free(self, name: str) -> bool:
        """Whether no process holds a lock.

        Raises:
            ConfigError: locks can't be kept in this place.
        """


class HostLocks(Locks, Protocol):
    """Locks that only this host sees."""

    @property
    def host(self) -> str:
        """The name of this host, as others know it."""

    def knows(self, name: str) -> bool:
        """Whether a lock was taken in this place and not forgotten; whether it is free, only then can be told."""

    def forget(self, name: str) -> None:
        """Remove what is left of a lock whose name is never used again."""
