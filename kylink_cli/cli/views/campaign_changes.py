"""What changes of campaigns look like."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from kylink_cli.console import Console
from kylink_cli.console.tables import Column
from kylink_cli.language import ntr, tr
from kylink_cli.rules.campaign_import import Plan
from kylink_cli.rules.campaigns import CampaignFacts, differences
from kylink_cli.rules.text import one_line

_COLUMNS = [Column("CAMPAIGN"), Column("WHAT", words=True), Column("CHANGE", wraps=True)]


def change_text(before: CampaignFacts, after: CampaignFacts) -> str:
    """The fields that change, in one line."""
    changes = differences(before, after).items()
    return ", ".join(f"{field} {_word(old)} → {_word(new)}" for field, (old, new) in changes)


def change_document(before: CampaignFacts, after: CampaignFacts) -> dict[str, Any]:
    """The fields that change, as JSON."""
    return {field: {"from": old, "to": new} for field, (old, new) in differences(before, after).items()}


def show_status(console: Console, status: str, changed: Sequence[str], unchanged: Sequence[str]) -> None:
    """Say which campaigns were paused or resumed, and which were so already."""
    for campaign_id in changed:
        console.say(tr("campaign {campaign_id} is {status}", campaign_id=one_line(campaign_id), status=tr(status)))
    for campaign_id in unchanged:
        console.say(
            tr("campaign {campaign_id} was {status} already", campaign_id=one_line(campaign_id), status=tr(status))
        )


def say_ignored(console: Console, columns: Sequence[str], notes: Sequence[str]) -> None:
    """Say what of a file was not looked at."""
    if columns:
        console.info(tr("columns that mean nothing to kylink: {columns}", columns=", ".join(columns)))
    for note in notes:
        console.info(note)


def say_doubts(console: Console, doubts: Sequence[str]) -> None:
    """Say what may not be what is meant."""
    for doubt in doubts:
        console.warning(tr("warning: {warning}", warning=doubt))


def show_plan(console: Console, plan: Plan) -> None:
    """Show what an import would do."""
    rows = [
        [facts.campaign_id, "add", tr("user {user_id}, {name}", user_id=facts.user_id, name=facts.name)]
        for facts in plan.added
    ]
    rows += [[before.campaign_id, "update", change_text(before, after)] for before, after in plan.updated]
    if rows:
        console.table(_COLUMNS, rows)
    console.say(tr("it would be {plan}: nothing was changed", plan=plan_text(plan)))
    say_missing(console, plan)


def say_missing(console: Console, plan: Plan) -> None:
    """Say how many of the updated campaigns are paused because the file does not hold them."""
    if plan.missing:
        console.info(
            ntr(
                "{n} of the updated is not in the file: paused",
                "{n} of the updated are not in the file: paused",
                plan.missing,
            )
        )


def plan_text(plan: Plan) -> str:
    """What an import does, in numbers."""
    return tr(
        "{added} added, {updated} updated, {unchanged} unchanged",
        added=len(plan.added),
        updated=len(plan.updated),
        unchanged=plan.unchanged,
    )


def plan_document(plan: Plan, *, dry_run: bool) -> dict[str, Any]:
    """What an import did in numbers, or would do in full, as JSON."""
    figures = {"added": len(plan.added), "updated": len(plan.updated), "unchanged": plan.unchanged}
    changes = {"changes": _changes(plan)} if dry_run else {}
    return {"dry_run": dry_run, **figures, **changes}


def _changes(plan: Plan) -> list[dict[str, Any]]:
    added = [{"campaign_id": facts.campaign_id, "action": "add", "fields": asdict(facts)} for facts in plan.added]
    updated = [
        {"campaign_id": before.campaign_id, "action": "update", "fields": change_document(before, after)}
        for before, after in plan.updated
    ]
    return [*added, *updated]


def _word(value: Any) -> str:
    return tr("none") if value is None else one_line(str(value))
