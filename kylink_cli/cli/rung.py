"""`kylink replenish --rung`: one run of a host answers the bell at a time, and at most one waits to do so."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kylink_cli.cli.command import Cli
    from kylink_cli.settings.fields import Settings
    from kylink_cli.store.engine.database import Database
    from kylink_cli.store.levels import Scope

_BELL: Final = "bell"
_WAITING: Final = "bell-waiting"


@contextmanager
def answering(cli: "Cli") -> Iterator[None]:
    """Wait until this host's last answer to the bell is over; who rings from now on is heard by the next one.

    Raises:
        LockedError: another run waits already, and will serve whoever has rung until now.
    """
    from kylink_cli import wiring

    locks = wiring.locks(cli.settings).of_host
    with ExitStack() as stack:
        with locks.hold(_WAITING):
            stack.enter_context(locks.hold(_BELL, wait_seconds=2 * cli.settings.deadline_seconds))
        wiring.host_bell(cli.settings).silence()
        yield


def rung_scope(database: "Database", settings: "Settings") -> "Scope":
    """The campaigns that are rung for; none so soon after the service was found down."""
    from kylink_cli.store import bell
    from kylink_cli.store.levels import Scope

    since = database.now() - timedelta(milliseconds=settings.replenish_retry_delay_ms)
    is_down = database.read(lambda session: bell.is_down(session, since))
    return Scope(campaign_ids=frozenset() if is_down else frozenset(database.read(bell.rung)))
