"""Pausing a job's scheduled runs or a campaign's orders, and letting them go on."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from kylink_cli.errors import UnknownCampaignError
from kylink_cli.rules.vocabulary import Act, CampaignStatus
from kylink_cli.store import audit, campaigns, runs
from kylink_cli.store.audit import AuditEntry
from kylink_cli.store.engine.database import Database


def pause(database: Database, job: str, who: str) -> bool:
    """Pause a job until it is resumed.

    Args:
        who: for the audit trail, here and below.

    Returns:
        False if it was paused already.
    """
    now = database.now()

    def act(session: Session) -> bool:
        changed = runs.pause_job(session, job, now)
        audit.record(session, AuditEntry(who, Act.JOB_PAUSED, [job] if changed else []), now)
        return changed

    return database.commit(act)


def resume(database: Database, job: str, who: str) -> bool:
    """Let a paused job go on.

    Returns:
        False if it was not paused.
    """

    def act(session: Session) -> bool:
        changed = runs.resume_job(session, job)
        audit.record(session, AuditEntry(who, Act.JOB_RESUMED, [job] if changed else []), database.now())
        return changed

    return database.commit(act)


def set_status(database: Database, campaign_ids: Sequence[str], status: CampaignStatus, who: str) -> list[str]:
    """Pause campaigns, or let them be replenished again: all of them, or none.

    Returns:
        Those that this has changed.

    Raises:
        UnknownCampaignError: one does not exist.
    """
    done = Act.CAMPAIGN_PAUSED if status == CampaignStatus.PAUSED else Act.CAMPAIGN_RESUMED

    def act(session: Session) -> list[str]:
        known = campaigns.facts(session, campaign_ids)
        for campaign_id in campaign_ids:
            if campaign_id not in known:
                raise UnknownCampaignError(campaign_id)
        changed = campaigns.set_status(session, campaign_ids, status)
        audit.record(session, AuditEntry(who, done, changed), database.now())
        return changed

    return database.commit(act)
