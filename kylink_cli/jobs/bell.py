"""How a replenish run answers the bell, and tells it how the supply service is."""

from collections.abc import Sequence

from kylink_cli.jobs.assignment import Assignment
from kylink_cli.jobs.outcome import SERVICE_UNAVAILABLE, ReplenishReport
from kylink_cli.rules.replenishment import Need
from kylink_cli.running.run import LiveRun
from kylink_cli.store import bell
from kylink_cli.supply.errors import SupplyError


def silence_idle(run: LiveRun, assignment: Assignment, needs: Sequence[Need]) -> None:
    """Answer rings for campaigns that need nothing after all; those that do are answered by their claim."""
    if assignment.is_rung:
        idle = set(assignment.scope.campaign_ids or ()) - {n.level.campaign_id for n in needs}
        run.database.commit(lambda session: bell.answer(session, idle))


def note_supply(run: LiveRun, report: ReplenishReport) -> None:
    """Note that the service is down, or up again: nobody rings while it is down, but for a probe now and then."""
    if isinstance(report.error, SupplyError) and report.error.exit_code == SERVICE_UNAVAILABLE:
        run.database.commit(lambda session: bell.note_outage(session, run.clock()))
    elif any(outcome.tally.produced for outcome in report.outcomes):
        run.database.commit(bell.end_outage)
