"""The run that is under way: the one handle that everything on its path takes, and what it comes to."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from kylink_cli.alerting.delivery import Delivered
from kylink_cli.alerting.posting import Alerting, Posted
from kylink_cli.errors import KylinkError
from kylink_cli.language import tr
from kylink_cli.locks.base import Locks
from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.heartbeats import HeartbeatState
from kylink_cli.running.events import Observer, Stopping
from kylink_cli.running.ledger import Ledger
from kylink_cli.running.stop import Stop, StopReason
from kylink_cli.store.engine.clock import Clock, local_clock, uptime
from kylink_cli.store.engine.database import Database

# As long as others take a silent run on another host for alive.
LONGEST_SLEEP_SECONDS = 300

Ping = Callable[[HeartbeatState, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Which job is to run, and how."""

    job: str
    scheduled: bool = False  # a timer started it
    exclusive: bool = True  # it needs the job's lock
    wait_seconds: float = 0  # for the lock


@dataclass(slots=True)
class LiveRun:
    """A run that is under way."""

    request: RunRequest
    database: Database
    locks: Locks
    observe: Observer
    alerting: Alerting
    clock: Clock = field(default_factory=local_clock)
    ping: Ping | None = None  # tells a heartbeat service; None if there is none
    stop: Stop = field(init=False)
    ledger: Ledger = field(init=False)
    id: int = field(init=False, default=0)  # 0 until it is recorded
    # Whether the database has it as running: its lock's file must stay then, for others to see that nobody holds it.
    is_recorded_as_running: bool = field(init=False, default=False)
    started_at: datetime = field(init=False)
    _began: float = field(init=False, repr=False)
    _awake: float = field(init=False, repr=False)  # what uptime was ahead of a clock that stands still in sleep

    def __post_init__(self) -> None:
        """Let it be stopped, and write."""
        self.stop = Stop(on_stop=lambda reason: self.observe(Stopping(reason.text)))
        self.ledger = Ledger(self.database, self.clock, self.stop)
        self.begin()

    def begin(self) -> None:
        """Count its time from now."""
        self.started_at, self._began = self.clock(), time.monotonic()
        self._awake = uptime() - self._began

    def goes_on(self) -> bool:
        """Whether the run makes further calls; one on a machine that slept for long does not.

        Others may have taken over meanwhile, and the service may have forgotten the keys.
        """
        asleep = uptime() - time.monotonic() - self._awake
        if asleep > LONGEST_SLEEP_SECONDS:
            self.stop.ask(StopReason(tr("the machine slept for {seconds} s", seconds=round(asleep))))
        return self.stop.reason is None

    def check(self) -> None:
        """Go no further if the run is to end.

        Raises:
            StoppedError: it is.
            SupplyError: it is, because no call can succeed any more.
        """
        self.goes_on()
        self.stop.check()

    @property
    def seconds(self) -> float:
        """How long it has been going on, by a clock that never jumps."""
        return time.monotonic() - self._began


@dataclass(frozen=True)
class Report:
    """What a job's work has come to; each job adds what its command shows."""

    status: str = "succeeded"
    figures: dict[str, Any] = field(default_factory=dict)  # what it did, in numbers, as the contract names them
    error: KylinkError | None = None  # what the exit code comes from
    raised: Sequence[NewAlert] = ()  # conditions to alert about
    over: Sequence[str] = ()  # fingerprints of conditions that are over


R = TypeVar("R", bound=Report)
Work = Callable[[LiveRun], Awaitable[R]]


@dataclass(frozen=True, slots=True)
class Finished(Generic[R]):
    """A run that has ended and is recorded."""

    run_id: int
    started_at: datetime
    duration_ms: int
    report: R
    posted: Posted = field(default_factory=Posted)
    delivered: Delivered = field(default_factory=Delivered)
    stopped_by: StopReason | None = None  # why it ended early; None if it did not
