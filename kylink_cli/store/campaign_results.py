"""How campaigns fared in runs: a row each, and the last word on the campaign itself."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, func, select, update
from sqlalchemy.orm import Session

from kylink_cli.rules.text import natural
from kylink_cli.rules.vocabulary import ResultStatus
from kylink_cli.store.engine.database import upsert
from kylink_cli.store.tables import Campaign, CampaignResult, Run, table

_results = table(CampaignResult)
_campaigns = table(Campaign)
_runs = table(Run)


@dataclass(frozen=True, slots=True)
class NewResult:
    """How one campaign fared in a run."""

    run_id: int
    campaign_id: str
    status: str
    available_before: int  # items, when it was claimed
    watermark: int  # items
    target: int  # items
    ordered: int
    produced: int  # items that are new in stock
    attempts: int
    error: str | None  # None if nothing went wrong
    is_barren: bool = False  # nothing but duplicates came

    @property
    def available_after(self) -> int:
        """Items available before, and those that were produced."""
        return self.available_before + self.produced


def add(session: Session, results: Sequence[NewResult], now: datetime) -> None:
    """Record results, and note on the campaigns when they last got items and what went wrong last."""
    if not results:
        return
    rows = [{"available_after": r.available_after, **_columns(r)} for r in results]
    session.execute(upsert(session, _results).on_conflict_do_nothing(), rows)
    moment = bindparam("moment", type_=_campaigns.c.last_replenished_at.type)
    note = (
        update(_campaigns)
        .where(_campaigns.c.id == bindparam("campaign"))
        .values(
            last_error=bindparam("reason"),
            last_replenished_at=case((bindparam("new_items") > 0, moment), else_=_campaigns.c.last_replenished_at),
        )
    )
    notes = [
        {
            "campaign": r.campaign_id,
            # A campaign that was passed over, as by a limit on orders, has not failed.
            "reason": None if r.status == ResultStatus.SKIPPED else r.error,
            "new_items": r.produced,
            "moment": now,
        }
        for r in results
    ]
    session.connection().execute(note, notes)


def _columns(result: NewResult) -> dict[str, Any]:
    return {name: value for name, value in asdict(result).items() if name != "is_barren"}


def partial_before(session: Session, run_id: int, campaign_ids: Collection[str], runs: int) -> set[str]:
    """The campaigns that each of the last runs before one filled only in part.

    Args:
        run_id: the run before which it is looked.
        campaign_ids: of these campaigns; those that were skipped say nothing.
        runs: how many of each campaign's last results are looked at.
    """
    c = _results.c
    place = func.row_number().over(partition_by=c.campaign_id, order_by=c.run_id.desc()).label("place")
    last = (
        select(c.campaign_id, c.status, place)
        .where(c.campaign_id.in_(campaign_ids), c.run_id < run_id, c.status != ResultStatus.SKIPPED)
        .subquery("last")
    )
    statement = (
        select(last.c.campaign_id)
        .where(last.c.place <= runs, last.c.status == ResultStatus.PARTIAL)
        .group_by(last.c.campaign_id)
        .having(func.count() == runs)
    )
    return set(session.scalars(statement))


def of_run(session: Session, run_id: int) -> list[tuple[CampaignResult, Campaign]]:
    """The results of a run with their campaigns, by campaign id."""
    statement = (
        select(CampaignResult, Campaign)
        .join(Campaign, _campaigns.c.id == _results.c.campaign_id)
        .where(_results.c.run_id == run_id)
    )
    found = [(row[0], row[1]) for row in session.execute(statement)]
    return sorted(found, key=lambda one: natural(one[0].campaign_id))


@dataclass(frozen=True, slots=True)
class PastResult:
    """How a campaign fared in a run that is looked back on."""

    run_id: int
    started_at: datetime  # the run
    status: str
    ordered: int
    produced: int  # items that were new in stock
    error: str | None  # None if nothing went wrong


def of_campaign(session: Session, campaign_id: str, limit: int) -> list[PastResult]:
    """How a campaign fared in the last runs that had to do with it, newest first."""
    c = _results.c
    statement = (
        select(c.run_id, _runs.c.started_at, c.status, c.ordered, c.produced, c.error)
        .join(_runs, _runs.c.id == c.run_id)
        .where(c.campaign_id == campaign_id)
        .order_by(c.run_id.desc())
        .limit(limit)
    )
    return [PastResult(*row) for row in session.execute(statement)]
