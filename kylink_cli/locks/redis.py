"""Locks in a Redis server, seen by every host that uses it; each expires unless its holder renews it.

A holder that was stopped for longer than the expiry learns of its loss as soon as it goes on.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from kylink_cli.errors import ConfigError, LockedError, LockUnreachableError
from kylink_cli.language import tr
from kylink_cli.locks.base import Holder
from kylink_cli.locks.file import FileLocks
from kylink_cli.locks.held import Held, Renewal, kept
from kylink_cli.rules.text import ERROR_LENGTH, one_line

if TYPE_CHECKING:
    from redis.lock import Lock

_PREFIX = "kylink:"
_ANSWER_SECONDS = 5
_POLL_SECONDS = 0.5

T = TypeVar("T")


class RedisLocks:
    """Locks kept in a Redis server."""

    def __init__(self, url: str, of_host: FileLocks, renewal: Renewal | None = None) -> None:
        """Use a server; it is asked for nothing yet.

        Args:
            url: `redis://…` or `rediss://…`.
            of_host: the locks that only this host sees.

        Raises:
            ConfigError: the library is not installed, or the URL is none.
        """
        try:
            from redis import Redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ModuleNotFoundError as error:
            raise ConfigError(
                tr("KYLINK_LOCK_URL names a Redis server, whose library is not installed: pip install redis")
            ) from error
        self.of_host = of_host
        self._renewal = renewal or Renewal()
        try:
            self._client = Redis.from_url(
                url,
                socket_timeout=_ANSWER_SECONDS,
                socket_connect_timeout=_ANSWER_SECONDS,
                retry=Retry(NoBackoff(), 1),
            )
        except ValueError:
            # The library's own words may hold the password.
            raise ConfigError(tr("KYLINK_LOCK_URL names no Redis server: write redis://HOST:PORT/NUMBER")) from None

    @contextmanager
    def hold(self, name: str, *, wait_seconds: float = 0) -> Iterator[Held]:
        """Hold a lock for the length of a `with` block.

        Raises:
            LockedError: another process holds it; the message names the holder.
            LockUnreachableError: the server does not answer.
            ConfigError: it refuses the user or password.
        """
        lock = self._lock(name)
        token = f"{self._myself().dump()} {uuid.uuid4()}"
        if not _answered(lambda: lock.acquire(blocking_timeout=wait_seconds, token=token)):
            raise LockedError(tr("another run holds the lock {name}: {holder}", name=name, holder=self._holder(name)))
        try:
            with kept(name, lambda: _answered(lambda: _renew(lock, token)), self._renewal) as held:
                yield held
        finally:
            # A lock that is lost is another's, and one whose server is gone expires.
            with suppress(LockUnreachableError):
                _answered(lambda: _release(lock))

    def is_free(self, name: str) -> bool:
        """Whether no process holds a lock.

        Raises:
            LockUnreachableError: the server does not answer.
            ConfigError: it refuses the user or password.
        """
        return not _answered(self._lock(name).locked)

    def _lock(self, name: str) -> "Lock":
        # Another thread renews it than takes it.
        seconds = self._renewal.expiry_seconds
        lock: Lock = self._client.lock(_PREFIX + name, timeout=seconds, sleep=_POLL_SECONDS, thread_local=False)
        return lock

    def _myself(self) -> Holder:
        return Holder.myself(datetime.now(UTC), self.of_host.host)

    def _holder(self, name: str) -> str:
        token = _answered(lambda: self._client.get(_PREFIX + name))
        text = token.decode(errors="replace") if isinstance(token, bytes) else str(token)
        return str(Holder.parse(text.rpartition(" ")[0]) or tr("its holder is not known"))


def _renew(lock: "Lock", token: str) -> bool:
    from redis.exceptions import LockNotOwnedError

    try:
        return lock.reacquire()
    except LockNotOwnedError:
        # A server that was started again has forgotten it.
        return bool(lock.acquire(blocking=False, token=token))


def _release(lock: "Lock") -> None:
    from redis.exceptions import LockError

    with suppress(LockError):
        lock.release()


def _answered(call: Callable[[], T]) -> T:
    """What a call of the server returns.

    Raises:
        LockUnreachableError: it does not answer.
        ConfigError: it refuses the user or password.
    """
    from redis import exceptions

    try:
        return call()
    except (
        exceptions.AuthenticationError,
        exceptions.NoPermissionError,
        exceptions.AuthenticationWrongNumberOfArgsError,
    ) as error:
        raise ConfigError(tr("the lock server refuses this user or password: check KYLINK_LOCK_URL")) from error
    except exceptions.RedisError as error:
        reason = one_line(str(error), ERROR_LENGTH)
        raise LockUnreachableError(
            tr("the lock server can't be reached: {reason}; see KYLINK_LOCK_URL", reason=reason)
        ) from error
