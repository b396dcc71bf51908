"""Locks in the database that the hosts share; the server frees them when their holder's connection ends."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Protocol

from kylink_cli.errors import DatabaseError, LockedError, LockUnreachableError
from kylink_cli.language import tr
from kylink_cli.locks.file import FileLocks
from kylink_cli.locks.held import Held, Renewal, kept
from kylink_cli.rules.moments import readable

_POLL_SECONDS = 0.5
_LABEL = "kylink "


class LockSession(Protocol):
    """A connection to the database whose only purpose is to hold locks."""

    def take(self, name: str) -> bool:
        """Take a lock; whether nobody else had it."""

    def holder(self, name: str) -> tuple[str, datetime] | None:
        """The label of who holds a lock, and since when it is connected; None if it is free."""

    def ping(self) -> None:
        """Make sure that the connection, and with it what it holds, is still there.

        Raises:
            DatabaseError: it is not.
        """

    def close(self) -> None:
        """Let everything go."""


# Connects under a label that tells others whose connection it is.
Connect = Callable[[str], LockSession]


class DatabaseLocks:
    """Locks kept in the database."""

    def __init__(self, connect: Connect, of_host: FileLocks, renewal: Renewal | None = None) -> None:
        self.of_host = of_host
        self._connect = partial(connect, f"{_LABEL}pid {os.getpid()} on {of_host.host}")
        self._renewal = renewal or Renewal()

    @contextmanager
    def hold(self, name: str, *, wait_seconds: float = 0) -> Iterator[Held]:
        """Hold a lock for the length of a `with` block.

        Raises:
            LockedError: another process holds it; the message names the holder.
        """
        grip = _Grip(name, self._connect)
        try:
            grip.take(wait_seconds)
            with kept(name, grip.renew, self._renewal) as held:
                yield held
        finally:
            grip.let_go()

    def is_free(self, name: str) -> bool:
        """Whether no process holds a lock."""
        connection = self._connect()
        try:
            return connection.holder(name) is None
        finally:
            connection.close()


class _Grip:
    """One lock on a connection of its own."""

    def __init__(self, name: str, connect: Callable[[], LockSession]) -> None:
        self._name = name
        self._connect = connect
        self._connection: LockSession | None = None

    def take(self, wait_seconds: float) -> None:
        """Take the lock.

        Raises:
            LockedError: another process holds it.
        """
        self._connection = self._connect()
        end = time.monotonic() + wait_seconds
        while not self._connection.take(self._name):
            if time.monotonic() > end:
                holder = _words(self._connection.holder(self._name))
                raise LockedError(tr("another run holds the lock {name}: {holder}", name=self._name, holder=holder))
            time.sleep(_POLL_SECONDS)

    def renew(self) -> bool:
        """Make sure of the lock; on a new connection if the old one broke. False if another has it now.

        Raises:
            LockUnreachableError: the database does not answer.
        """
        try:
            if self._connection is not None:
                self._connection.ping()
                return True
        except DatabaseError:
            self.let_go()
        try:
            self._connection = self._connect()
            return self._connection.take(self._name)
        except DatabaseError as error:
            self.let_go()
            raise LockUnreachableError(str(error)) from error

    def let_go(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _words(holder: tuple[str, datetime] | None) -> str:
    if holder is None or not holder[0]:
        return tr("its holder is not known")
    label, since = holder
    return tr("{holder} since {moment}", holder=label.removeprefix(_LABEL), moment=readable(since))
