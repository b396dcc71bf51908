"""What requests work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from kylink_cli.alerting.posting import Alerting
from kylink_cli.errors import KylinkError
from kylink_cli.leasing import Bell
from kylink_cli.locks.base import Locks
from kylink_cli.rules.situation import Situation
from kylink_cli.serving.audience import Audience
from kylink_cli.serving.keyring import Keyring
from kylink_cli.serving.sessions import Sessions
from kylink_cli.serving.sharing import Shared
from kylink_cli.serving.waiting_room import WaitingRoom
from kylink_cli.serving.workers import Workers
from kylink_cli.settings.fields import Settings
from kylink_cli.store.engine.database import Database

# Says something in the log: a level of the module `logging`, and a line.
Tell = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the face is built from."""

    settings: Settings
    env_file: Path | None  # where the settings were read, for the jobs that are started
    database: Database
    locks: Locks
    bell: Bell
    alerting: Alerting
    read_metrics: Callable[[], str]  # in Prometheus' text format
    tell: Tell


class Backend:
    """The parts, and what requests share."""

    def __init__(self, parts: Parts, *, is_secure: bool = False) -> None:
        """Share the parts among requests.

        Args:
            is_secure: TLS is spoken, here or by a proxy before it.
        """
        self.parts = parts
        self.settings = parts.settings
        self.database = parts.database
        self.workers = Workers(parts.database)
        self.keyring = Keyring(self.workers)
        self.waiting_room = WaitingRoom(self.workers)
        self.audience = Audience()
        self.situations = Shared[Situation]()
        self.sessions = Sessions(is_secure=is_secure)
        self.failure: KylinkError | None = None  # why it can't go on

    def fail(self, failure: KylinkError) -> None:
        """Let the server end; whoever started it starts it anew."""
        self.failure = failure

    def now(self) -> datetime:
        """The time; asked in a worker, since a server's clock may have to be read."""
        return self.database.fresh_now()


async def _backend(request: Request) -> Backend:
    found: Backend = request.app.state.backend
    return found


# As a parameter of an endpoint.
Served = Annotated[Backend, Depends(_backend)]
