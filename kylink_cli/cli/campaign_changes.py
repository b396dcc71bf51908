"""`kylink campaigns add` and `set`: saying what is kept in stock, one campaign at a time."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.cli.completers import campaign_ids, users
from kylink_cli.errors import UnknownCampaignError, UsageError
from kylink_cli.language import tr
from kylink_cli.rules.vocabulary import Act

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from kylink_cli.rules.campaigns import CampaignFacts

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
    from kylink_cli.store import audit
    from kylink_cli.store import campaigns as store
    from kylink_cli.store.audit import AuditEntry

    given = {"name": name, "country": _country(cli, country), "source_url": source_url}
    levels = {"low_watermark": low_watermark, "target_stock": target_stock, "order_limit": order_limit}
    facts = _changed(None, checked_fields({"campaign_id": campaign_id, "user_id": user, **given, **levels}))
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
        audit.record(session, AuditEntry(cli.who, Act.CAMPAIGN_ADDED, [facts.campaign_id]), database.now())

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
    from kylink_cli.store import audit
    from kylink_cli.store import campaigns as store
    from kylink_cli.store.audit import AuditEntry

    given = {"user_id": user, "name": name, "country": _country(cli, country), "source_url": source_url}
    levels = {"low_watermark": low_watermark, "target_stock": target_stock, "order_limit": order_limit}
    fields = checked_fields({**given, **levels})
    if not fields:
        raise UsageError(tr("name what to change, as in --low-watermark 5 (see 'kylink campaigns set --help')"))
    database = wiring.existing_database(cli.settings)

    def act(session: "Session") -> "tuple[CampaignFacts, CampaignFacts]":
        before = store.facts(session, [campaign_id]).get(campaign_id)
        if before is None:
            raise UnknownCampaignError(campaign_id)
        after = _changed(before, fields)
        store.save(session, [after], database.now())
        changes = [f"{field}={change['to']}" for field, change in view.change_document(before, after).items()]
        entry = AuditEntry(cli.who, Act.CAMPAIGN_CHANGED, [campaign_id] if changes else [], ", ".join(changes))
        audit.record(session, entry, database.now())
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


def checked_fields(given: Mapping[str, str | None]) -> dict[str, Any]:
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
