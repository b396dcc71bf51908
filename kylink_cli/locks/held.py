"""A lock that is held, and how its holder hears that it is lost."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kylink_cli.errors import LockUnreachableError
from kylink_cli.language import tr


class Held:
    """A lock that is held: a kind that can be lost says when it is."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._loss: str | None = None
        self._tell: Callable[[str], object] | None = None

    def when_lost(self, tell: Callable[[str], object] | None) -> None:
        """Have somebody told, from whatever thread, once the lock is lost; at once if it is lost already.

        Args:
            tell: takes the reason; None ends it.
        """
        with self._mutex:
            self._tell = tell
            self._announce()

    def lose(self, reason: str) -> None:
        """The lock is lost."""
        with self._mutex:
            self._loss = reason
            self._announce()

    def _announce(self) -> None:
        if self._loss is not None and self._tell is not None:
            self._tell(self._loss)


@dataclass(frozen=True, slots=True)
class Renewal:
    """How a lock that expires is kept."""

    expiry_seconds: float = 60  # unless it is renewed
    every_seconds: float = 5


@contextmanager
def kept(name: str, renew: Callable[[], bool], renewal: Renewal) -> Iterator[Held]:
    """Renew a lock from a thread for the length of a `with` block.

    Args:
        renew: renews it, or takes it again if nobody has it; False if another has it. Raises `LockUnreachableError`.
    """
    held, over = Held(), threading.Event()
    thread = threading.Thread(target=_keep, args=(name, renew, renewal, held, over), daemon=True)
    thread.start()
    try:
        yield held
    finally:
        over.set()
        thread.join()


def _keep(name: str, renew: Callable[[], bool], renewal: Renewal, held: Held, over: threading.Event) -> None:
    renewed_at = _uptime()
    while not over.wait(renewal.every_seconds):
        try:
            if not renew():
                return held.lose(tr("the lock {name} is lost: another run has taken it", name=name))
            renewed_at = _uptime()
        except LockUnreachableError as error:
            if _uptime() - renewed_at > renewal.expiry_seconds:
                return held.lose(tr("the lock {name} is lost: {error}", name=name, error=error))
    return None


def _uptime() -> float:
    """Seconds by a clock that goes on while the process is stopped and the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
