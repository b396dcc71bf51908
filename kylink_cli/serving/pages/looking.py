"""What there is to look at: the overview, jobs, a run, alerts, a campaign."""

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from kylink_cli.documents.alerts import AlertsDocument
from kylink_cli.documents.campaigns import campaign_document
from kylink_cli.documents.jobs import RunDocument, StatusDocument, WholeRunDocument
from kylink_cli.rules.vocabulary import RunStatus
from kylink_cli.scheduling.jobs import JOBS
from kylink_cli.serving.alerts import seen_alerts
from kylink_cli.serving.backend import Served
from kylink_cli.serving.campaigns import seen_campaign
from kylink_cli.serving.jobs import seen_history, seen_status
from kylink_cli.serving.pages.overview import look_over
from kylink_cli.serving.pages.reader import Onlooker, PageRoute
from kylink_cli.serving.pages.templates import page
from kylink_cli.serving.runs import RunId, seen_run
from kylink_cli.store import runs
from kylink_cli.store.alerts import AlertFilter
from kylink_cli.store.runs import RunProgress

router = APIRouter(route_class=PageRoute)

_LISTED_RUNS = 10
_LISTED_ALERTS = 100
_LISTED_RESULTS = 200


@router.get("/")
async def overview(request: Request, caller: Onlooker, backend: Served) -> Response:
    """How all is: the verdict, what needs attention, the campaigns that are nearest to their end."""
    seen = await look_over(backend, caller)
    return page(request, "overview.html.j2", seen=seen)


@router.get("/jobs")
async def jobs(request: Request, caller: Onlooker, backend: Served) -> Response:
    """How every job is doing, and its last runs."""

    def look() -> tuple[StatusDocument, list[RunDocument]]:
        last = [run for job in JOBS for run in seen_history(backend, caller, job.name, _LISTED_RUNS)["runs"]]
        return seen_status(backend, caller), sorted(last, key=lambda run: -run["run_id"])

    status, last = await backend.workers.look(look)
    return page(request, "jobs.html.j2", jobs=status["jobs"], runs=last)


@router.get("/runs/{run_id}")
async def run(request: Request, run_id: RunId, caller: Onlooker, backend: Served) -> Response:
    """How a run goes, or went."""

    def look() -> tuple[WholeRunDocument, RunProgress | None]:
        seen = seen_run(backend, caller, run_id)
        if seen["status"] != RunStatus.RUNNING:
            return seen, None
        return seen, backend.database.read(lambda session: runs.read_progress(session, run_id, seen["started_at"]))

    seen, progress = await backend.workers.look(look)
    return page(request, "run.html.j2", run=seen, progress=progress, results=seen["campaigns"][:_LISTED_RESULTS])


@router.get("/alerts")
async def alerts(request: Request, caller: Onlooker, backend: Served) -> Response:
    """Alerts, those that are not resolved first."""
    wanted = AlertFilter(user_id=caller.user_id, limit=_LISTED_ALERTS)

    def read(session: Session) -> AlertsDocument:
        return seen_alerts(session, caller, wanted)

    return page(request, "alerts.html.j2", alerts=(await backend.workers.read(read))["alerts"])


@router.get("/campaigns/{campaign_id:path}")
async def campaign(request: Request, campaign_id: str, caller: Onlooker, backend: Served) -> Response:
    """A campaign: its stock, and how its last runs went."""
    seen = await backend.workers.look(lambda: seen_campaign(backend, caller, campaign_id))
    return page(request, "campaign.html.j2", one=campaign_document(seen), results=seen.runs)
