"""Starting a job: the command that its timer starts, by systemd where it is, else as a process of its own.

A job stays what it is: a short process, with its own lock, record and signals. The face only starts it, and waits until
it has recorded its run or has ended.
"""

import asyncio
import json
import logging
import os
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from typing import IO, Any, Final, Literal

from kylink_cli.children import own_command
from kylink_cli.errors import KylinkError, LockedError
from kylink_cli.language import tr
from kylink_cli.overview.status import as_found
from kylink_cli.places import ON_BEHALF_OF
from kylink_cli.rules.vocabulary import Act, RunStatus
from kylink_cli.scheduling.jobs import Job
from kylink_cli.scheduling.systemd import Manager, is_running
from kylink_cli.serving.backend import Backend
from kylink_cli.serving.keyring import Caller
from kylink_cli.serving.problems import Problem, status_of
from kylink_cli.store import audit, runs
from kylink_cli.store.audit import AuditEntry
from kylink_cli.store.tables import Run

_POLL_SECONDS: Final = 0.05
# A start takes a second, and on a busy machine several.
_PATIENCE_SECONDS: Final = 30.0
_FINE: Final = frozenset({0, 10, 69})
# The last runs of a job, among which the new one is looked for.
_RECENT: Final = 20


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What is to be started."""

    job: Job
    arguments: tuple[str, ...]
    as_timer: bool = False  # it is what the timer does, so that its unit will do

    @property
    def is_forced(self) -> bool:
        """Whether it orders what the rule would not, which the job itself keeps in the audit trail."""
        return "--force" in self.arguments


@dataclass(frozen=True, slots=True)
class Started:
    """What was started."""

    job: str
    run_id: int | None  # None if it ended without a record: there was nothing to do
    by: Literal["systemd", "process"]


async def start(backend: Backend, caller: Caller, order: JobOrder) -> Started:
    """Start a job, and wait until there is a run to look at.

    Raises:
        LockedError: it is under way.
        Problem: it ended at once with an error.
        DatabaseError: the database failed; whether the job was started is seen in its runs.
    """
    before = await backend.workers.read(lambda session: runs.history(session, order.job.name, 1))
    last = before[0].id or 0 if before else 0
    if order.as_timer and await _is_of_systemd(backend, order.job):
        started = Started(order.job.name, await _wait_for_unit(backend, order, last), "systemd")
    else:
        started = Started(order.job.name, await _wait_for_process(backend, caller, order, last), "process")
    if not order.is_forced:
        await backend.workers.write(lambda: _record(backend, caller, order, started))
    return started


def _record(backend: Backend, caller: Caller, order: JobOrder, started: Started) -> None:
    """Keep in the audit trail who started it."""
    run = "" if started.run_id is None else f"run {started.run_id} "
    entry = AuditEntry(
        caller.who, Act.RUN_STARTED, [order.job.name], f"{run}{' '.join(order.arguments)}".strip() or None
    )
    now = backend.now()
    backend.database.commit(lambda session: audit.record(session, entry, now))


async def _is_of_systemd(backend: Backend, job: Job) -> bool:
    """Whether systemd has started the job's unit.

    A timer's unit does nothing while scheduling is off or the job is paused, and not everybody may start it: then the
    job is a process of its own.
    """
    paused = await backend.workers.read(runs.paused_jobs)
    if not is_running() or not backend.settings.enable_auto_cron or job.name in paused:
        return False
    if await backend.workers.look(lambda: _is_under_way(backend, job)):
        # systemd would say nothing; a process is refused, and tells by whom.
        return False
    try:
        await asyncio.to_thread(Manager().start, job)
    except KylinkError as refusal:
        text = tr(
            "systemd does not start {job} for this server, which does it itself: {reason}", job=job.name, reason=refusal
        )
        backend.parts.tell(logging.INFO, text)
        return False
    return True


def _is_under_way(backend: Backend, job: Job) -> bool:
    now = backend.now()
    recent = backend.database.read(lambda session: runs.history(session, job.name, _RECENT))
    return any(as_found(run, backend.parts.locks, now).status == RunStatus.RUNNING for run in recent)


async def _wait_for_unit(backend: Backend, order: JobOrder, last: int) -> int | None:
    end = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while asyncio.get_running_loop().time() < end:
        found = await _newer(backend, order, last)
        if found:
            return found[0].id
        await asyncio.sleep(_POLL_SECONDS)
    return None


async def _wait_for_process(backend: Backend, caller: Caller, order: JobOrder, last: int) -> int | None:
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = await asyncio.to_thread(_launch, backend, caller, order, output)
        end = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while asyncio.get_running_loop().time() < end:
            has_ended = process.poll() is not None
            for run in await _newer(backend, order, last):
                if run.pid == process.pid:
                    return run.id
            if has_ended:
                return _ended_at_once(process.returncode, output)
            await asyncio.sleep(_POLL_SECONDS)
    return None


async def _newer(backend: Backend, order: JobOrder, last: int) -> list[Run]:
    """The runs of a job that have begun since, oldest first."""
    found = await backend.workers.read(lambda session: runs.history(session, order.job.name, _RECENT))
    return [run for run in reversed(found) if (run.id or 0) > last]


def _launch(backend: Backend, caller: Caller, order: JobOrder, output: IO[str]) -> "subprocess.Popen[str]":
    """A process that does not end with this one; its log lines go where this one's go."""
    env_file = backend.parts.env_file
    named = [] if env_file is None else ["--env-file", str(env_file.absolute())]
    process = subprocess.Popen(  # noqa: S603  (the command is ours; campaigns and users are names that exist)
        [*own_command(), *named, order.job.command, *order.arguments, "--json"],
        stdin=subprocess.DEVNULL,
        stdout=output,
        env={**os.environ, ON_BEHALF_OF: caller.who},
        start_new_session=True,
        text=True,
    )
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def _ended_at_once(code: int, output: IO[str]) -> int | None:
    """The run that an ended process tells of, if it recorded one.

    Raises:
        LockedError: another run is under way.
        Problem: it failed.
    """
    output.seek(0)
    try:
        document: dict[str, Any] = json.loads(output.read())
    except ValueError:
        document = {}
    error = document.get("error")
    if isinstance(error, dict):
        if error.get("code") == LockedError.code:
            raise LockedError(str(error.get("message")))
        raise Problem(status_of(str(error.get("code"))), str(error.get("code")), str(error.get("message")))
    if code not in _FINE:
        raise Problem(500, "INTERNAL", tr("the job ended at once with exit code {code}: see the log", code=code))
    run_id = document.get("run_id")
    return run_id if isinstance(run_id, int) else None
