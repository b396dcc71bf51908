"""`kylink replenish`: fill the campaigns that are low.

Within its run record (`runner.py`), a run is these seven steps, and `replenish` is their list:

1. What there is to do is found: reorder points follow the forecast (`outlook.py`), and one query yields every campaign
   that is low, or has requests left open by runs that ended. Those that were rung for come first, then the shortest
   runway, and those that failed in one run after the other last.
2. The deadline, a signal, a refused key or a machine that slept end the work early.
3. In that order campaigns are claimed in batches, each while the batch before is filled; what another run holds is
   skipped. In the transaction that claims it, requests that are too old to be asked again safely are given up as in
   doubt, and what a campaign lacks is recorded as requests (`claiming.py`).
4. A few at once, they are filled (`fill.py`): requests are sent, those that earlier runs left open under their old
   key (`requests.py`), and what comes is stored at once.
5. What was not served is recorded.
6. If the database was taken away meanwhile, what the run was supplied is rescued (`rescue.py`).
7. Failures become one alert, and the run an exit code; so does what comes in part only, run after run (`outcome.py`).
"""

import asyncio
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from kylink_cli.jobs.assignment import Assignment
from kylink_cli.jobs.calls import Calls
from kylink_cli.jobs.claiming import claim_in_turn
from kylink_cli.jobs.fill import Fill
from kylink_cli.jobs.outcome import Outcomes, ReplenishReport, conclude
from kylink_cli.jobs.outlook import look_ahead
from kylink_cli.jobs.rescue import require_database
from kylink_cli.rules.backoff import queues_behind
from kylink_cli.rules.replenishment import Level, Need, need, urgency
from kylink_cli.running.events import WorkFound
from kylink_cli.running.run import LiveRun, Work
from kylink_cli.store import bell
from kylink_cli.store.claims import failed_runs
from kylink_cli.store.engine.database import Database
from kylink_cli.store.levels import read_levels
from kylink_cli.supply.base import Supplier


async def replenish(run: LiveRun, assignment: Assignment, supplier: Supplier) -> ReplenishReport:
    """Fill the campaigns in scope that are low; the run is recorded by the runner.

    Raises:
        DatabaseError: the database failed; what was asked and not stored is asked for again by a later run.
    """
    needs = find_work(run, assignment)
    calls, outcomes = Calls(run, supplier, assignment), Outcomes(run)
    with run.stop.at_deadline(assignment.deadline_seconds):
        async with asyncio.TaskGroup() as tasks:
            async for claimed in claim_in_turn(run, assignment, needs, outcomes, tasks):
                fill = Fill(run, assignment.limits, calls, claimed)
                tasks.create_task(outcomes.record_after(partial(fill.fill, await calls.slot())))
        await outcomes.record_unserved(needs)
    require_database(run)
    return conclude(run, assignment, outcomes.of(needs))


def replenish_with(assignment: Assignment, supplier: Supplier) -> Work[ReplenishReport]:
    """The work of a run, as the runner takes it; the supplier is closed at its end."""

    async def work(run: LiveRun) -> ReplenishReport:
        try:
            return await replenish(run, assignment, supplier)
        finally:
            await supplier.close()

    return work


def find_work(run: LiveRun, assignment: Assignment) -> list[Need]:
    """Scan for what there is to do, say so, and answer the rings for campaigns that need nothing after all."""
    needs = scan(run.database, assignment, run.clock())
    run.observe(WorkFound(len(needs), sum(n.order for n in needs)))
    if assignment.is_rung:
        idle = set(assignment.scope.campaign_ids or ()) - {n.level.campaign_id for n in needs}
        run.database.commit(lambda session: bell.answer(session, idle))
    return needs


def scan(database: Database, assignment: Assignment, now: datetime) -> list[Need]:
    """What every campaign in scope needs that is low, forced or has open requests, in the order of work."""
    look_ahead(database, assignment.policy, assignment.scope, now)
    low_by = None if assignment.demand.force else assignment.policy

    def look(session: Session) -> tuple[list[Level], dict[str, int], list[str]]:
        return read_levels(session, now, assignment.scope, low_by=low_by), failed_runs(session), bell.rung(session)

    found, failed, ringing = database.read(look)
    needs = [need(level, assignment.policy, now, assignment.demand) for level in found]

    def in_order(n: Need) -> tuple[bool, bool, Any]:
        campaign_id = n.level.campaign_id
        return queues_behind(failed.get(campaign_id, 0)), campaign_id not in ringing, urgency(n)

    return sorted((n for n in needs if n.order > 0 or n.level.has_open_requests), key=in_order)
