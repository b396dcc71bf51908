"""How every job runs: lock, run record, signals, heartbeats, end. The job itself is handed in.

1. The job's lock is taken, or the run ends here.
2. Runs that died without an end become `crashed`, and their claims are freed.
3. The run is recorded as `running`, and holds a lock of its own for as long as it lives.
4. The job does its work; signals, and the loss of its lock, ask it to end early.
5. The end is recorded together with the alerts, and the claims that are left are freed.
6. The heartbeat and the notifications are sent, those of earlier runs that did not arrive too.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

from sqlalchemy.orm import Session

from kylink_cli.alerting.delivery import Delivered, PostOffice
from kylink_cli.alerting.posting import Alerting, Posted, post
from kylink_cli.errors import DatabaseError, KylinkError
from kylink_cli.language import tr
from kylink_cli.locks.base import Locks
from kylink_cli.locks.held import Held
from kylink_cli.rules import unit_failures
from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.text import ERROR_LENGTH, one_line
from kylink_cli.rules.vocabulary import SUCCESSES, RunStatus, Trigger
from kylink_cli.running.events import Observer, RunFinished, RunsCrashed, RunStarted, Stopping, Warned
from kylink_cli.running.ledger import Ledger
from kylink_cli.running.liveness import BEAT_SECONDS, is_dead, own_lock
from kylink_cli.running.stop import Stop, StopReason
from kylink_cli.store import claims, runs
from kylink_cli.store.engine.clock import Clock, local_clock
from kylink_cli.store.engine.database import Database
from kylink_cli.store.runs import RunEnd
from kylink_cli.store.tables import Run

Ping = Callable[[Literal["start", "success", "fail"], str], Awaitable[None]]


class Report(Protocol):
    """What the runner needs to know of a job's work."""

    @property
    def status(self) -> str:
        """How the run ended."""

    @property
    def figures(self) -> dict[str, Any]:
        """What it did, in numbers."""

    @property
    def error(self) -> KylinkError | None:
        """What went wrong, None if nothing."""

    @property
    def raised(self) -> Sequence[NewAlert]:
        """Conditions to alert about."""

    @property
    def over(self) -> Sequence[str]:
        """Fingerprints of conditions that are over."""


R = TypeVar("R", bound=Report)


@dataclass(frozen=True, slots=True)
class Machinery:
    """What runs need around them."""

    database: Database
    locks: Locks
    observe: Observer
    ping: Ping | None = None  # tells a heartbeat service; None if there is none
    alerting: Alerting = field(default_factory=Alerting)
    clock: Clock = field(default_factory=local_clock)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Which job is to run, and how."""

    job: str
    scheduled: bool = False  # a timer started it
    exclusive: bool = True  # it needs the job's lock
    wait_seconds: float = 0  # for the lock


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a job works with."""

    run_id: int
    machinery: Machinery
    ledger: Ledger
    stop: Stop


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


Work = Callable[[RunContext], Awaitable[R]]


def run_job(machinery: Machinery, request: RunRequest, work: Work[R]) -> Finished[R]:
    """Run a job from lock to recorded end.

    Raises:
        LockedError: another run of the job is under way.
        KylinkError: the run failed as a whole; this is recorded.
    """
    with _job_lock(machinery, request) as held:
        return asyncio.run(_run(machinery, request, work, held))


def _job_lock(machinery: Machinery, request: RunRequest) -> AbstractContextManager[Held]:
    if not request.exclusive:
        return nullcontext(Held())
    return machinery.locks.hold(request.job, wait_seconds=request.wait_seconds)


async def _run(machinery: Machinery, request: RunRequest, work: Work[R], held: Held) -> Finished[R]:
    stop = Stop(on_stop=lambda reason: machinery.observe(Stopping(reason.text)))
    with ExitStack() as stack:
        stack.enter_context(stop.on_signals())
        stack.enter_context(stop.at_loss_of(held))
        _bury_dead(machinery)
        run = _record_start(machinery, request, stack)
        recording = _Recording(machinery, run, request)
        await recording.ping("start", "")
        context = RunContext(recording.run_id, machinery, Ledger(machinery.database), stop)
        beating = asyncio.create_task(_beat(machinery, recording.run_id))
        try:
            report = await work(context)
            await context.ledger.close()
        except BaseException as error:  # noqa: BLE001  (whatever ends a run is recorded, and goes on)
            cause = first_cause(error)
            await recording.fail(cause)
            raise cause from None if cause is not error else error.__cause__
        finally:
            beating.cancel()
        return await recording.finish(report, stop.reason)


def first_cause(error: BaseException) -> BaseException:
    """The first error inside of the groups that concurrent tasks raise."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _bury_dead(machinery: Machinery) -> None:
    """Mark runs that died without an end, and free their claims."""
    running = machinery.database.read(runs.running)
    dead = {run.id: run.host for run in running if run.id and is_dead(run, machinery.locks, machinery.clock())}
    if not dead:
        return

    def bury(session: Session) -> set[int]:
        crashed = runs.mark_crashed(session, dead, machinery.clock())
        claims.free_all(session, crashed)
        return crashed

    crashed = machinery.database.commit(bury)
    for run_id in crashed:
        machinery.locks.of_host.forget(own_lock(run_id))
    if crashed:
        ordered = sorted(crashed)
        machinery.observe(RunsCrashed(tuple(ordered), tuple(dead[run_id] for run_id in ordered)))


def _record_start(machinery: Machinery, request: RunRequest, stack: ExitStack) -> Run:
    """Record the run; it holds its own lock before anybody can see it."""

    def record(session: Session) -> Run:
        run = _new_run(request, machinery)
        run_id = runs.start(session, run)
        stack.callback(machinery.locks.of_host.forget, own_lock(run_id))
        stack.enter_context(machinery.locks.of_host.hold(own_lock(run_id)))
        return run

    run = machinery.database.commit(record)
    machinery.observe(RunStarted(request.job, run.id or 0))
    return run


def _new_run(request: RunRequest, machinery: Machinery) -> Run:
    now = machinery.clock()
    return Run(
        job=request.job,
        trigger=Trigger.TIMER if request.scheduled else Trigger.MANUAL,
        host=machinery.locks.of_host.host,
        pid=os.getpid(),
        invocation_id=os.environ.get("INVOCATION_ID"),
        status=RunStatus.RUNNING,
        started_at=now,
        heartbeat_at=now,
    )


async def _beat(machinery: Machinery, run_id: int) -> None:
    """Show those on other hosts that the run is alive."""

    def beat() -> None:
        machinery.database.commit(lambda session: runs.beat(session, run_id, machinery.clock()))

    while True:
        await asyncio.sleep(BEAT_SECONDS)
        with suppress(DatabaseError):
            await asyncio.to_thread(beat)


class _Recording:
    """The record of one run, from its start to its end."""

    def __init__(self, machinery: Machinery, run: Run, request: RunRequest) -> None:
        self.run_id = run.id or 0
        self._run = run
        self._request = request
        self._machinery = machinery
        self._began = time.monotonic()

    async def finish(self, report: R, stopped_by: StopReason | None) -> Finished[R]:
        """Record the end of the work, with the alerts that it raised, and tell whom it concerns."""
        error = None if report.error is None else str(report.error)
        end = RunEnd(report.status, self._duration_ms(), report.figures, error)
        posted = self._record(end, report.raised, report.over)
        _, delivered = await asyncio.gather(self._announce(end), self._deliver(stopped_by))
        return Finished(self.run_id, self._run.started_at, end.duration_ms, report, posted, delivered, stopped_by)

    async def fail(self, cause: BaseException) -> None:
        """Record that the run failed as a whole; if even that can't be recorded, the next run will see it dead."""
        text = str(cause) if isinstance(cause, KylinkError) else f"{type(cause).__name__}: {cause}"
        end = RunEnd(RunStatus.FAILED, self._duration_ms(), {}, text)
        with suppress(DatabaseError):
            self._record(end, (), ())
        await self._announce(end)

    async def ping(self, kind: Literal["start", "success", "fail"], summary: str) -> None:
        """Tell the heartbeat service, if there is one."""
        if self._machinery.ping is not None:
            await self._machinery.ping(kind, summary)

    def _record(self, end: RunEnd, raised: Sequence[NewAlert], over: Sequence[str]) -> Posted:
        now = self._machinery.clock()

        if self._request.scheduled and end.status in SUCCESSES:
            over = [*over, unit_failures.fingerprint(self._run.job)]

        def record(session: Session) -> Posted:
            posted = post(session, self._machinery.alerting, raised, over, now)
            runs.finish(session, self.run_id, end, now)
            claims.free_all(session, [self.run_id])
            return posted

        return self._machinery.database.commit(record)

    async def _deliver(self, stopped_by: StopReason | None) -> Delivered:
        """Send notifications; those that a stopped run leaves, or a failing database, the next run sends."""
        if stopped_by is not None and stopped_by.signal is not None:
            return Delivered()
        machinery = self._machinery
        office = PostOffice(machinery.database, machinery.locks, machinery.alerting, machinery.observe, machinery.clock)
        try:
            return await office.deliver(self.run_id, only_due=self._request.scheduled)
        except DatabaseError as error:
            machinery.observe(Warned(tr("notifications are left to the next run: {error}", error=error)))
            return Delivered()

    async def _announce(self, end: RunEnd) -> None:
        self._machinery.observe(RunFinished(self._run.job, end.status, end.duration_ms))
        is_good = end.status in SUCCESSES
        await self.ping("success" if is_good else "fail", _summary(self._run.job, end))

    def _duration_ms(self) -> int:
        return round((time.monotonic() - self._began) * 1000)


def _summary(job: str, end: RunEnd) -> str:
    """How a run ended, in one line: what a heartbeat service shows."""
    figures = ", ".join(f"{name} {value}" for name, value in end.figures.items() if isinstance(value, int) and value)
    parts = [f"{job} {end.status} in {end.duration_ms} ms", figures, one_line(end.error or "", ERROR_LENGTH)]
    return "; ".join(part for part in parts if part)
