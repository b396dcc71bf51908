"""What operators do by a click: forms that only a page of their own session can send."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from kylink_cli.rules.vocabulary import CampaignStatus, JobWord
from kylink_cli.running import pausing
from kylink_cli.serving import alerts, jobs
from kylink_cli.serving.backend import Served
from kylink_cli.serving.pages.reader import PageOperator, PageRoute
from kylink_cli.serving.pages.templates import in_path

router = APIRouter(route_class=PageRoute)


@router.post("/jobs/{job}/run")
async def run_job(job: JobWord, caller: PageOperator, backend: Served) -> Response:
    """Start a job, and go where its run can be watched."""
    started = await jobs.run_now(job, caller, backend)
    return _go("/jobs" if started.run_id is None else f"/runs/{started.run_id}")


@router.post("/jobs/{job}/pause")
async def pause_job(job: JobWord, caller: PageOperator, backend: Served) -> Response:
    """Pause a job."""
    await jobs.pause(job, caller, backend)
    return _go("/jobs")


@router.post("/jobs/{job}/resume")
async def resume_job(job: JobWord, caller: PageOperator, backend: Served) -> Response:
    """Let a paused job run again."""
    await jobs.resume(job, caller, backend)
    return _go("/jobs")


@router.post("/alerts/{alert_id}/ack")
async def acknowledge(alert_id: alerts.Id, caller: PageOperator, backend: Served) -> Response:
    """Take an alert on; one that is resolved meanwhile is shown as that."""
    await alerts.acknowledge(alert_id, caller, backend)
    return _go("/alerts")


@router.post("/campaigns/{campaign_id:path}")
async def set_campaign(
    campaign_id: str, act: Annotated[Literal["pause", "resume"], Form()], caller: PageOperator, backend: Served
) -> Response:
    """Pause a campaign, or let it be replenished again."""
    await backend.workers.read(lambda session: jobs.require_known(session, caller, [campaign_id]))
    status = CampaignStatus.PAUSED if act == "pause" else CampaignStatus.ACTIVE
    await backend.workers.write(lambda: pausing.set_status(backend.database, [campaign_id], status, caller.who))
    return _go(f"/campaigns/{in_path(campaign_id)}")


def _go(path: str) -> Response:
    return RedirectResponse(path, 303)
