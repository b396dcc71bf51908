"""The record of a run, as others see it: start, heartbeats and end, also of those that died without one."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from sqlalchemy.orm import Session

from kylink_cli.alerting import told_failures
from kylink_cli.alerting.posting import Posted, post
from kylink_cli.errors import DatabaseError
from kylink_cli.rules import unit_failures
from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.vocabulary import SUCCESSES, RunStatus, Trigger
from kylink_cli.running.events import RunsCrashed, RunStarted
from kylink_cli.running.liveness import BEAT_SECONDS, is_dead, own_lock
from kylink_cli.running.run import LiveRun
from kylink_cli.store import claims, runs
from kylink_cli.store.runs import RunEnd
from kylink_cli.store.tables import Run


def start(run: LiveRun, stack: ExitStack) -> None:
    """Record a run; it holds its own lock, to the end of the stack, before anybody can see it."""
    run.begin()
    here = run.locks.of_host

    def record(session: Session) -> int:
        row = _row(run)
        run_id = runs.start(session, row)
        stack.callback(_forget, run, own_lock(row))
        stack.enter_context(here.hold(own_lock(row)))
        return run_id

    run.id = run.database.commit(record)
    run.is_recorded_as_running = True
    run.observe(RunStarted(run.request.job, run.id))


def _forget(run: LiveRun, lock: str) -> None:
    """Remove the file of a lock that nobody will look at any more."""
    if not run.is_recorded_as_running:
        run.locks.of_host.forget(lock)


def _row(run: LiveRun) -> Run:
    return Run(
        job=run.request.job,
        trigger=Trigger.TIMER if run.request.scheduled else Trigger.MANUAL,
        host=run.locks.of_host.host,
        pid=os.getpid(),
        invocation_id=os.environ.get("INVOCATION_ID"),
        status=RunStatus.RUNNING,
        started_at=run.started_at,
        heartbeat_at=run.started_at,
    )


def withdraw(run: LiveRun) -> None:
    """Take the record of a run back that met other runs everywhere, and did nothing."""
    run.database.commit(lambda session: runs.remove(session, run.id))


async def beat(run: LiveRun) -> None:
    """Show those on other hosts that the run is alive, again and again."""

    def beat_once() -> None:
        run.database.commit(lambda session: runs.beat(session, run.id, run.clock()))

    while True:
        await asyncio.sleep(BEAT_SECONDS)
        with suppress(DatabaseError):
            await asyncio.to_thread(beat_once)


def end(run: LiveRun, how: RunEnd, raised: Sequence[NewAlert] = (), over: Sequence[str] = ()) -> Posted:
    """Record a run's end with the alerts that it changes, and free the claims that are left.

    Raises:
        DatabaseError: it could not be recorded.
    """
    now = run.clock()
    failures = (run.request.job, unit_failures.SETTINGS) if run.request.scheduled and how.status in SUCCESSES else ()
    over = [*over, *map(unit_failures.fingerprint, failures)]
    told_failures.forget(failures)

    def record(session: Session) -> Posted:
        posted = post(session, run.alerting, raised, over, now)
        runs.finish(session, run.id, how, now)
        claims.free_all(session, [run.id])
        return posted

    posted = run.database.commit(record)
    run.is_recorded_as_running = False
    return posted


def bury_dead(run: LiveRun) -> None:
    """Mark runs that died without an end, and free their claims."""
    running = run.database.read(runs.running)
    dead = {other.id: other for other in running if other.id and is_dead(other, run.locks, run.clock())}
    if not dead:
        return

    def bury(session: Session) -> set[int]:
        crashed = runs.mark_crashed(session, dead, run.clock())
        claims.free_all(session, crashed)
        return crashed

    crashed = sorted(run.database.commit(bury))
    for run_id in crashed:
        run.locks.of_host.forget(own_lock(dead[run_id]))
    if crashed:
        run.observe(RunsCrashed(tuple(crashed), tuple(dead[run_id].host for run_id in crashed)))
