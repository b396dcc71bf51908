"""`kylink replenish`: fill the campaigns that are low.

Within its run record (`runner.py`), a run goes like this:

1. Supply requests that are too old to be asked again safely are given up as in doubt.
2. One query yields every campaign that is low, or has requests left open by runs that ended; the emptiest come first.
3. The deadline, a signal or a refused key ends the work early.
4. In that order campaigns are claimed in batches, each while the batch before is filled; what another run holds is
   skipped. What a batch lacks is recorded as requests in the transaction that claims it.
5. A few at once, they are filled (`fill.py`): requests are sent, those that earlier runs left open under their old
   key, and what comes is stored at once.
6. What was not served is recorded.
7. Failures become one alert, and the run an exit code.
"""

import asyncio
from datetime import datetime, timedelta

from kylink_cli.jobs.assignment import Assignment
from kylink_cli.jobs.calls import Calls
from kylink_cli.jobs.claiming import claim_in_turn
from kylink_cli.jobs.fill import Fill
from kylink_cli.jobs.outcome import Outcomes, ReplenishReport, report
from kylink_cli.rules.replenishment import Need, need, urgency
from kylink_cli.running.events import WorkFound
from kylink_cli.running.run import LiveRun, Work
from kylink_cli.store import supply_requests
from kylink_cli.store.engine.database import Database
from kylink_cli.store.levels import Scope, read_levels
from kylink_cli.supply.base import Supplier

# The service keeps an answer under its key for 24 hours; after 23 nobody asks again by himself.
ASKED_AGAIN_WITHIN = timedelta(hours=23)


async def replenish(run: LiveRun, assignment: Assignment, supplier: Supplier) -> ReplenishReport:
    """Fill the campaigns in scope that are low; the run is recorded by the runner.

    Raises:
        DatabaseError: the database failed; what was asked and not stored is asked for again by a later run.
    """
    in_doubt = give_up_old_requests(run)
    needs = scan(run.database, assignment, run.clock())
    run.observe(WorkFound(len(needs), sum(n.order for n in needs)))
    calls, outcomes = Calls(run, supplier, assignment.limits), Outcomes(run)
    with run.stop.at_deadline(assignment.deadline_seconds):
        async with asyncio.TaskGroup() as tasks:
            async for claimed in claim_in_turn(run, assignment, needs, outcomes, tasks):
                fill = Fill(run, assignment.limits, calls, claimed)
                tasks.create_task(outcomes.record_when_known(fill.fill(await calls.slot())))
        await outcomes.record_unserved(needs)
    return report(run, outcomes.of(needs), in_doubt, is_whole=assignment.scope == Scope())


def replenish_with(assignment: Assignment, supplier: Supplier) -> Work[ReplenishReport]:
    """The work of a run, as the runner takes it; the supplier is closed at its end."""

    async def work(run: LiveRun) -> ReplenishReport:
        try:
            return await replenish(run, assignment, supplier)
        finally:
            await supplier.close()

    return work


def give_up_old_requests(run: LiveRun) -> list[tuple[str, str]]:
    """Give up what the service may no longer know; campaign and key of each."""
    now = run.clock()
    return run.database.commit(lambda session: supply_requests.give_up(session, now - ASKED_AGAIN_WITHIN, now))


def scan(database: Database, assignment: Assignment, now: datetime) -> list[Need]:
    """What every campaign in scope needs that is low, forced or has open requests, in the order of work."""
    low_by = None if assignment.demand.force else assignment.policy
    found = database.read(lambda session: read_levels(session, now, assignment.scope, low_by=low_by))
    needs = [need(level, assignment.policy, now, assignment.demand) for level in found]
    return sorted((n for n in needs if n.order > 0 or n.level.has_open_requests), key=urgency)
