"""How every job runs: lock, run record, signals, heartbeats, end. The job itself is handed in.

1. The job's lock is taken, or the run ends here.
2. Runs that died without an end become `crashed`, and their claims are freed.
3. The run is recorded as `running`, and holds a lock of its own for as long as it lives.
4. The job does its work; signals, and the loss of its lock, ask it to end early.
5. The end is recorded together with the alerts, and the claims that are left are freed.
6. The heartbeat and the notifications are sent, those of earlier runs that did not arrive too.
"""

import asyncio
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress

from kylink_cli.alerting.delivery import Delivered, PostOffice
from kylink_cli.errors import DatabaseError, KylinkError, LockedError
from kylink_cli.language import tr
from kylink_cli.locks.held import Held
from kylink_cli.rules.heartbeats import HeartbeatState
from kylink_cli.rules.text import ERROR_LENGTH, one_line
from kylink_cli.rules.vocabulary import SUCCESSES, RunStatus
from kylink_cli.running import record
from kylink_cli.running.events import AlertRaised, RunFinished, Warned, unsaid
from kylink_cli.running.run import Finished, LiveRun, R, Work
from kylink_cli.store.runs import RunEnd


def run_job(run: LiveRun, work: Work[R]) -> Finished[R]:
    """Run a job from lock to recorded end.

    Args:
        work: the job itself.

    Raises:
        LockedError: another run of the job is under way.
        KylinkError: the run failed as a whole; this is recorded.
    """
    with _job_lock(run) as held:
        return asyncio.run(_run(run, work, held))


def _job_lock(run: LiveRun) -> AbstractContextManager[Held]:
    request = run.request
    return run.locks.hold(request.job, wait_seconds=request.wait_seconds) if request.exclusive else nullcontext(Held())


async def _run(run: LiveRun, work: Work[R], held: Held) -> Finished[R]:
    with ExitStack() as stack:
        stack.enter_context(run.stop.on_signals())
        stack.enter_context(run.stop.at_loss_of(held))
        record.bury_dead(run)
        record.start(run, stack)
        await _ping(run, "start", "")
        beating = asyncio.create_task(record.beat(run))
        try:
            report = await work(run)
            await run.ledger.close()
        except BaseException as error:  # noqa: BLE001  (whatever ends a run is recorded, and goes on)
            cause = first_cause(error)
            await _fail(run, cause)
            raise cause from None if cause is not error else error.__cause__
        finally:
            beating.cancel()
        return await _finish(run, report)


def first_cause(error: BaseException) -> BaseException:
    """The first error inside of the groups that concurrent tasks raise."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def _finish(run: LiveRun, report: R) -> Finished[R]:
    """Record the end of the work, with the alerts that it raised, and tell whom it concerns."""
    error = None if report.error is None else str(report.error)
    end = RunEnd(report.status, round(run.seconds * 1000), report.figures | _unsaid(run), error)
    posted = record.end(run, end, report.raised, report.over)
    for condition, alert_id in zip(report.raised, posted.raised, strict=True):
        if alert_id in posted.opened:
            run.observe(AlertRaised(alert_id, condition.title))
    _, delivered = await asyncio.gather(_announce(run, end), _deliver(run))
    return Finished(run.id, run.started_at, end.duration_ms, report, posted, delivered, run.stop.reason)


async def _fail(run: LiveRun, cause: BaseException) -> None:
    """Record that the run failed as a whole; if even that can't be recorded, the next run will see it dead."""
    if isinstance(cause, LockedError):
        record.withdraw(run)
        return
    text = str(cause) if isinstance(cause, KylinkError) else f"{type(cause).__name__}: {cause}"
    end = RunEnd(RunStatus.FAILED, round(run.seconds * 1000), _unsaid(run), text)
    with suppress(DatabaseError):
        record.end(run, end)
    await _announce(run, end)


async def _deliver(run: LiveRun) -> Delivered:
    """Send notifications; those that a stopped run leaves, or a failing database, the next run sends."""
    if run.stop.is_by_signal:
        return Delivered()
    office = PostOffice(run.database, run.locks, run.alerting, run.observe, run.clock)
    try:
        return await office.deliver(run.id, only_due=run.request.scheduled)
    except DatabaseError as error:
        run.observe(Warned(tr("notifications are left to the next run: {error}", error=error)))
        return Delivered()


async def _announce(run: LiveRun, end: RunEnd) -> None:
    run.observe(RunFinished(run.request.job, end.status, end.duration_ms))
    await _ping(run, "success" if end.status in SUCCESSES else "fail", _summary(run.request.job, end))


def _unsaid(run: LiveRun) -> dict[str, int]:
    """What could not be notified of the run, which then stands in its record alone."""
    count = unsaid(run.observe)
    return {"unsaid": count} if count else {}


async def _ping(run: LiveRun, state: HeartbeatState, summary: str) -> None:
    if run.ping is not None:
        await run.ping(state, summary)


def _summary(job: str, end: RunEnd) -> str:
    """How a run ended, in one line: what a heartbeat service shows."""
    figures = ", ".join(f"{name} {value}" for name, value in end.figures.items() if isinstance(value, int) and value)
    parts = [f"{job} {end.status} in {end.duration_ms} ms", figures, one_line(end.error or "", ERROR_LENGTH)]
    return "; ".join(part for part in parts if part)
