"""`kylink campaigns add`, `set` and `import`: saying what is kept in stock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.cli.completers import campaign_ids, users
from kylink_cli.errors import UnknownCampaignError, UsageError
from kylink_cli.language import tr

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from kylink_cli.imports.campaigns import CampaignFile
    from kylink_cli.rules.campaign_import import Plan
    from kylink_cli.rules.campaigns import CampaignFacts
    from kylink_cli.store.engine.database import Database

IdArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="The campaign.",
        autocompletion=campaign_ids,
    ),
]
NameOption = Annotated[str | None, typer.Option("--name", help="A name for people to read.")]
CountryOption = Annotated[
    str | None,
    typer.Option("--country", help="A country's ISO code or name; its code is passed on to the supply service."),
]
UrlOption = Annotated[str | None, typer.Option("--source-url", metavar="URL", help="Passed on to the supply service.")]
WatermarkOption = Annotated[
    str | None,
    typer.Option("--low-watermark", metavar="N", help="Replenish below N items, instead of the dynamic watermark."),
]
TargetOption = Annotated[
    str | None, typer.Option("--target-stock", metavar="N", help="Fill up to N items; above the watermark.")
]

LimitOption = Annotated[
    str | None,
    typer.Option(
        "--order-limit",
        metavar="N",
        help="Order at most N items in 24 hours, instead of CAMPAIGN_ORDER_LIMIT_PER_DAY; 0 is no limit.",
    ),
]


def register(campaigns: typer.Typer) -> None:
    """Add the commands to their group."""
    command(campaigns, "add", acts=True)(add)
    command(campaigns, "set", acts=True)(set_fields)
    command(campaigns, "import", acts=True)(import_file)


def add(
    cli: Cli,
    campaign_id: IdArgument,
    user: Annotated[
        str,
        typer.Option(
            "--user",
            metavar="USER",
            help="The user that the campaign belongs to.",
            autocompletion=users,
        ),
    ],
    name: NameOption = None,
    country: CountryOption = None,
    source_url: UrlOption = None,
    low_watermark: WatermarkOption = None,
    target_stock: TargetOption = None,
    order_limit: LimitOption = None,
) -> None:
    """Add a campaign; without --name it is called by its id.

    Creates the embedded database if there is none.
    """
    from dataclasses import asdict

    from kylink_cli import wiring
    from kylink_cli.store import campaigns as store

    given = {"name": name, "country": _country(cli, country), "source_url": source_url}
    levels = {"low_watermark": low_watermark, "target_stock": target_stock, "order_limit": order_limit}
    facts = _changed(None, _fields({"campaign_id": campaign_id, "user_id": user, **given, **levels}))
    database = wiring.new_database(cli.settings)

    def act(session: "Session") -> None:
        if store.facts(session, [facts.campaign_id]):
            raise UsageError(
                tr(
                    "campaign {campaign_id} exists already: 'kylink campaigns set' changes it",
                    campaign_id=facts.campaign_id,
                )
            )
        store.save(session, [facts], database.now())

    database.commit(act)
    if cli.console.json:
        cli.console.document(asdict(facts))
    else:
        cli.console.say(tr("campaign {campaign_id} was added", campaign_id=facts.campaign_id))


def set_fields(
    cli: Cli,
    campaign_id: IdArgument,
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            metavar="USER",
            help="The user that the campaign belongs to.",
            autocompletion=users,
        ),
    ] = None,
    name: NameOption = None,
    country: CountryOption = None,
    source_url: UrlOption = None,
    low_watermark: WatermarkOption = None,
    target_stock: TargetOption = None,
    order_limit: LimitOption = None,
) -> None:
    """Change a campaign.

    An empty value, as in --low-watermark "", clears a field that may be empty.
    """
    from kylink_cli import wiring
    from kylink_cli.cli.views import campaign_changes as view
    from kylink_cli.store import campaigns as store

    given = {"user_id": user, "name": name, "country": _country(cli, country), "source_url": source_url}
    levels = {"low_watermark": low_watermark, "target_stock": target_stock, "order_limit": order_limit}
    fields = _fields({**given, **levels})
    if not fields:
        raise UsageError(tr("name what to change, as in --low-watermark 5 (see 'kylink campaigns set --help')"))
    database = wiring.existing_database(cli.settings)

    def act(session: "Session") -> "tuple[CampaignFacts, CampaignFacts]":
        before = store.facts(session, [campaign_id]).get(campaign_id)
        if before is None:
            raise UnknownCampaignError(campaign_id)
        after = _changed(before, fields)
        store.save(session, [after], database.now())
        return before, after

    before, after = database.commit(act)
    if cli.console.json:
        cli.console.document({"campaign_id": campaign_id, "changed": view.change_document(before, after)})
    else:
        cli.console.say(
            tr(
                "campaign {campaign_id}: {change}",
                campaign_id=campaign_id,
                change=view.change_text(before, after) or tr("nothing to change"),
            )
        )


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

    found = read_campaigns(file, _fields({"user_id": user}).get("user_id"))
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


def _country(cli: Cli, text: str | None) -> str | None:
    """The ISO code of the country that was given; what is doubtful about it is said."""
    from kylink_cli.cli.views.campaign_changes import say_doubts
    from kylink_cli.countries import read_countries
    from kylink_cli.rules.text import one_line

    if not text:
        return text
    found = read_countries(text)
    if found.doubt is not None:
        say_doubts(cli.console, [tr("country {country!r} {doubt}", country=one_line(text), doubt=found.doubt)])
    return found.text


def _fields(given: Mapping[str, str | None]) -> dict[str, Any]:
    """The fields that were given, checked."""
    from kylink_cli.rules.campaigns import parse_field

    try:
        return {field: parse_field(field, text) for field, text in given.items() if text is not None}
    except ValueError as error:
        raise UsageError(str(error)) from None


def _changed(before: "CampaignFacts | None", fields: Mapping[str, Any]) -> "CampaignFacts":
    from kylink_cli.rules.campaigns import changed

    try:
        return changed(before, fields)
    except ValueError as error:
        raise UsageError(str(error)) from None


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
    from kylink_cli.store import campaigns as store

    database = wiring.database_if_any(cli.settings)
    if database is None or dry_run:
        plan = _plan(wanted, database)
        if dry_run:
            return plan
    target = database or wiring.new_database(cli.settings)

    def act(session: "Session") -> "Plan":
        plan = wanted.plan_in(session)
        store.save(session, plan.to_save, target.now())
        return plan

    return target.commit(act)


def _plan(wanted: _Import, database: "Database | None") -> "Plan":
    return wanted.plan({}) if database is None else database.read(wanted.plan_in)
