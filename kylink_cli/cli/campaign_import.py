"""`kylink campaigns import`: saying in a file what is kept in stock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.campaign_changes import checked_fields
from kylink_cli.cli.command import Cli, command
from kylink_cli.rules.vocabulary import Act

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from kylink_cli.imports.campaigns import CampaignFile
    from kylink_cli.rules.campaign_import import Plan
    from kylink_cli.rules.campaigns import CampaignFacts
    from kylink_cli.store.engine.database import Database


def register(campaigns: typer.Typer) -> None:
    """Add the command to its group."""
    command(campaigns, "import", acts=True)(import_file)


def import_file(
    cli: Cli,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="CSV or JSON lines: a file, https://… or - for standard input.")
    ],
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER", help="User of the campaigns for which the file names none.")
    ] = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Move campaigns that belong to other users, with their stock.")
    ] = False,
    pause_missing: Annotated[
        bool, typer.Option("--pause-missing", help="Pause the campaigns of the file's users that it does not hold.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")] = False,
) -> None:
    """Add and update campaigns from a file: all of them, or none.

    Columns, in snake_case or camelCase: campaign_id, user_id, campaign_name, country, source_url (or finalUrl),
    low_watermark, target_stock, order_limit, status. A column that is missing leaves what is there; an empty cell
    clears a field that may be empty. Sheets of Google Ads are read as they come. Creates the embedded database if there
    is none.
    """
    from kylink_cli.cli.views import campaign_changes as view
    from kylink_cli.imports.campaigns import read_campaigns

    found = read_campaigns(file, checked_fields({"user_id": user}).get("user_id"))
    plan = _import(cli, _Import(file, found, take_over, pause_missing), dry_run=dry_run)
    view.say_ignored(cli.console, found.ignored, found.notes)
    view.say_doubts(cli.console, found.doubts)
    if cli.console.json:
        cli.console.document(view.plan_document(plan, dry_run=dry_run))
    elif dry_run:
        view.show_plan(cli.console, plan)
    else:
        cli.console.say(view.plan_text(plan))
        view.say_missing(cli.console, plan)


@dataclass(frozen=True, slots=True)
class _Import:
    """A file that is to be taken over."""

    file: str
    found: "CampaignFile"
    take_over: bool
    pause_missing: bool

    @property
    def ids(self) -> list[str]:
        return [entry.campaign_id for entry in self.found.entries]

    def plan_in(self, session: "Session") -> "Plan":
        """What it does in a database that exists."""
        from kylink_cli.rules.campaign_import import pausing
        from kylink_cli.store import campaigns as store

        existing = store.facts(session, self.ids)
        plan = self.plan(existing)
        if not self.pause_missing:
            return plan
        users = {
            str(entry.fields.get("user_id") or existing[entry.campaign_id].user_id) for entry in self.found.entries
        }
        return pausing(plan, self.found.entries, store.facts_of_users(session, users))

    def plan(self, existing: Mapping[str, "CampaignFacts"]) -> "Plan":
        """What it does; every row that is bad by itself, or beside what exists, ends it."""
        from kylink_cli.imports.source import refuse_faults
        from kylink_cli.rules.campaign_import import plan_import

        plan = plan_import(self.found.entries, existing, take_over=self.take_over)
        refuse_faults(self.file, [*self.found.faults, *plan.faults])
        return plan


def _import(cli: Cli, wanted: _Import, *, dry_run: bool) -> "Plan":
    """Take over what a file says, in one transaction; a bad file does not even create the database."""
    from kylink_cli import wiring
    from kylink_cli.imports.source import shown
    from kylink_cli.store import audit
    from kylink_cli.store import campaigns as store
    from kylink_cli.store.audit import AuditEntry

    database = wiring.database_if_any(cli.settings)
    if database is None or dry_run:
        plan = _plan(wanted, database)
        if dry_run:
            return plan
    target = database or wiring.new_database(cli.settings)

    def act(session: "Session") -> "Plan":
        plan = wanted.plan_in(session)
        store.save(session, plan.to_save, target.now())
        counts = f"{len(plan.added)} added, {len(plan.updated)} updated"
        entry = AuditEntry(cli.who, Act.CAMPAIGNS_IMPORTED, [shown(wanted.file)], counts)
        audit.record(session, entry, target.now())
        return plan

    return target.commit(act)


def _plan(wanted: _Import, database: "Database | None") -> "Plan":
    return wanted.plan({}) if database is None else database.read(wanted.plan_in)
