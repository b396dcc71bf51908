"""`kylink campaigns …`: what is kept in stock."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli import campaign_changes, campaign_import
from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.completers import campaign_ids, users
from kylink_cli.cli.lookups import refuse_unknown
from kylink_cli.cli.options import YesOption
from kylink_cli.errors import LockedError, UnknownCampaignError, UsageError
from kylink_cli.language import tr
from kylink_cli.rules.vocabulary import Act, CampaignStatus

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# So many campaigns are listed to a person who does not say how many.
_LISTED = 50

campaigns = group("campaigns", "Campaigns: what is kept in stock.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    app.add_typer(campaigns)


campaign_changes.register(campaigns)
campaign_import.register(campaigns)


class SortOrder(StrEnum):
    """What campaigns can be sorted by."""

    ID = "id"
    RUNWAY = "runway"
    AVAILABLE = "available"


IdsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...",
        help="The campaigns.",
        autocompletion=campaign_ids,
    ),
]


@command(campaigns, "list")
def list_campaigns(
    cli: Cli,
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            metavar="USER",
            help="Show only this user's campaigns.",
            autocompletion=users,
        ),
    ] = None,
    status: Annotated[CampaignStatus | None, typer.Option("--status", help="Show only this status.")] = None,
    low: Annotated[bool, typer.Option("--low", help="Show only campaigns below their watermark.")] = False,
    failing: Annotated[
        bool, typer.Option("--failing", help="Show only campaigns whose last run failed, and why.")
    ] = False,
    sort: Annotated[
        SortOrder | None,
        typer.Option("--sort", help="Shortest runway, or emptiest, first. [default: runway on a terminal, else id]"),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, max=1_000_000, help="Show at most N. [default: 50 on a terminal, else all]"),
    ] = None,
) -> None:
    """List campaigns with their stock.

    WM is the watermark, RUNWAY how long the stock lasts at the demand that is expected.
    """
    from kylink_cli import wiring
    from kylink_cli.cli.views import campaigns as view
    from kylink_cli.documents.campaigns import campaign_rows
    from kylink_cli.overview.campaigns import in_order, read_campaigns
    from kylink_cli.store.levels import Scope

    database = wiring.existing_database(cli.settings)
    now = database.now()
    shown = database.read(lambda session: read_campaigns(session, cli.settings.policy, now, Scope(user_id=user)))
    wanted = [
        one
        for one in shown
        if status in {None, one.status} and (one.need.low or not low) and (one.failing or not failing)
    ]
    for_people = not cli.console.json and cli.console.stdout.is_terminal
    ordered = in_order(wanted, sort or (SortOrder.RUNWAY if for_people else SortOrder.ID))
    if cli.console.json:
        cli.console.document({"campaigns": campaign_rows(ordered[:limit])})
    else:
        view.show_list(cli.console, ordered, limit or (_LISTED if for_people else None), with_errors=failing)


@command(campaigns, "show")
def show(cli: Cli, campaign_id: campaign_changes.IdArgument) -> None:
    """Show everything that is known about a campaign."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import campaigns as view
    from kylink_cli.documents.campaigns import campaign_document
    from kylink_cli.jobs.order_limits import planned
    from kylink_cli.overview.campaign import look_at_campaign

    database = wiring.existing_database(cli.settings)
    detail = look_at_campaign(database, cli.settings.policy, campaign_id)
    if detail is None:
        raise UnknownCampaignError(campaign_id)
    found, now = detail.need, detail.now
    [allowed] = database.read(lambda session: planned(session, cli.settings.order_limits, [found], now))
    detail = replace(detail, need=allowed)
    if cli.console.json:
        cli.console.document(campaign_document(detail))
    else:
        view.show_campaign(cli.console, detail)


@command(campaigns, "pause", acts=True)
def pause(cli: Cli, campaign_ids: IdsArgument) -> None:
    """Stop replenishing campaigns until they are resumed. What is in stock can still be leased."""
    _set_status(cli, campaign_ids, CampaignStatus.PAUSED)


@command(campaigns, "resume", acts=True)
def resume(cli: Cli, campaign_ids: IdsArgument) -> None:
    """Replenish paused campaigns again."""
    _set_status(cli, campaign_ids, CampaignStatus.ACTIVE)


@command(campaigns, "remove", acts=True)
def remove(cli: Cli, campaign_ids: IdsArgument, yes: YesOption = False) -> None:
    """Remove campaigns with their stock and history."""
    from kylink_cli import wiring
    from kylink_cli.rules.text import one_line
    from kylink_cli.store import audit
    from kylink_cli.store import campaigns as store
    from kylink_cli.store.audit import AuditEntry

    wanted = list(dict.fromkeys(campaign_ids))
    database = wiring.existing_database(cli.settings)
    refuse_unknown(wanted, database.read(lambda session: store.facts(session, wanted)))
    names = one_line(", ".join(wanted), 60)
    if not cli.console.confirm(tr("Remove {names} with all stock and history?", names=names), yes=yes):
        raise UsageError(tr("nothing was removed: answer y, or use --yes"))

    def act(session: "Session") -> list[str]:
        _refuse_claimed(cli, session, wanted, database.now())
        removed = store.remove(session, wanted, database.now())
        audit.record(session, AuditEntry(cli.who, Act.CAMPAIGN_REMOVED, removed), database.now())
        return removed

    removed = database.commit(act)
    if cli.console.json:
        cli.console.document({"removed": removed})
    else:
        cli.console.say(tr("removed: {campaign_ids}", campaign_ids=one_line(", ".join(removed))))


def _set_status(cli: Cli, campaign_ids: list[str], status: CampaignStatus) -> None:
    from kylink_cli import wiring
    from kylink_cli.cli.views import campaign_changes as view
    from kylink_cli.running.pausing import set_status

    wanted = list(dict.fromkeys(campaign_ids))
    changed = set_status(wiring.existing_database(cli.settings), wanted, status, cli.who)
    unchanged = [campaign_id for campaign_id in wanted if campaign_id not in changed]
    if cli.console.json:
        cli.console.document({"status": status, "changed": changed, "unchanged": unchanged})
    else:
        view.show_status(cli.console, status, changed, unchanged)


def _refuse_claimed(cli: Cli, session: "Session", campaign_ids: list[str], now: datetime) -> None:
    """Leave alone what a living run is filling: it would pay for items that could not be stored."""
    from kylink_cli import wiring
    from kylink_cli.running.liveness import is_dead
    from kylink_cli.store import claims

    locks = wiring.locks(cli.settings)
    for campaign_id, run in sorted(claims.holders(session, campaign_ids).items()):
        if not is_dead(run, locks, now):
            where = tr("run {id} on {host}", id=run.id, host=run.host)
            raise LockedError(
                tr(
                    "campaign {campaign_id} is being filled by {where}: try again when it has ended",
                    campaign_id=campaign_id,
                    where=where,
                )
            )
