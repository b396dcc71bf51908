"""`kylink stock …`: the items."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.completers import campaign_ids
from kylink_cli.cli.lookups import refuse_unknown
from kylink_cli.cli.options import LARGEST_ID
from kylink_cli.cli.output_files import replaced
from kylink_cli.errors import NotFoundError, UsageError
from kylink_cli.language import ntr, tr
from kylink_cli.rules import counted
from kylink_cli.rules.vocabulary import Act, ItemState

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from kylink_cli.store.stock import Item

    Write = Callable[[Iterable[Item], IO[str]], int]

stock = group("stock", "Stock: the items that consumers lease.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    app.add_typer(stock)


CampaignOption = Annotated[
    str | None,
    typer.Option(
        "--campaign",
        metavar="ID",
        help="Show only this campaign's items.",
        autocompletion=campaign_ids,
    ),
]
StateOption = Annotated[ItemState | None, typer.Option("--state", help="Show only items in this state.")]


@command(stock, "list")
def list_items(
    cli: Cli,
    campaign: CampaignOption = None,
    state: StateOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Show at most N items.")] = 50,
) -> None:
    """List items in the order in which they came."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import stock as view
    from kylink_cli.store.stock import ItemFilter, read_items

    database = wiring.existing_database(cli.settings)
    now = database.now()
    wanted = ItemFilter(campaign, state, limit if cli.console.json else limit + 1)

    def read(session: "Session") -> "list[Item]":
        _refuse_unknown_campaign(session, campaign)
        return list(read_items(session, wanted, now))

    items = database.read(read)
    if cli.console.json:
        cli.console.document({"items": [view.item_document(item) for item in items]})
    else:
        view.show_items(cli.console, items, now, limit)


@command(stock, "import", acts=True)
def import_file(
    cli: Cli,
    campaign: Annotated[
        str,
        typer.Argument(
            metavar="CAMPAIGN",
            help="The campaign that the values are for.",
            autocompletion=campaign_ids,
        ),
    ],
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="One value a line, a sheet, or JSON; - is standard input.")
    ],
    column: Annotated[
        str | None, typer.Option("--column", metavar="NAME", help="The column with the values. [default: value]")
    ] = None,
) -> None:
    """Put the values of a file in stock: all of them, or none.

    The file holds one value a line, or is a sheet (or JSON) with the column value, and perhaps expires_at. Lines that
    begin with # are skipped, and blanks around a value are dropped. An item ends after STOCK_TTL_HOURS, or at its
    expires_at if that is earlier. A value that the campaign has or had is left out; of an export of kylink's, so is
    what is not available. Of what a run rescued when its database was taken away, the campaign's lines are taken.
    """
    from kylink_cli import wiring
    from kylink_cli.cli.views.campaign_changes import say_ignored
    from kylink_cli.imports.source import refuse_faults
    from kylink_cli.imports.values import read_values
    from kylink_cli.store import audit
    from kylink_cli.store import stock as store
    from kylink_cli.store.audit import AuditEntry

    database = wiring.existing_database(cli.settings)
    now = database.now()
    found = read_values(file, now, campaign, column)
    refuse_faults(file, found.faults)
    say_ignored(cli.console, found.ignored, found.notes)
    latest = now + timedelta(hours=cli.settings.stock_ttl_hours)
    ends = {value: min(end or latest, latest) for value, end in found.ends.items()}

    def act(session: "Session") -> int:
        _refuse_unknown_campaign(session, campaign)
        added = store.add(session, campaign, ends, now)
        audit.record(session, AuditEntry(cli.who, Act.STOCK_IMPORTED, [campaign], f"{added} items"), now)
        return added

    added = database.commit(act)
    duplicates = len(ends) - added + found.duplicates
    if cli.console.json:
        counts = {"added": added, "duplicates": duplicates, "left_out": found.left_out}
        cli.console.document({"campaign_id": campaign} | counts)
    else:
        cli.console.say(
            tr(
                "{items} added, {duplicates} left out",
                items=ntr("{n} item", "{n} items", added),
                duplicates=ntr("{n} duplicate", "{n} duplicates", duplicates),
            )
        )
        if found.left_out:
            cli.console.say(
                ntr(
                    "{n} line is about another campaign or has no value",
                    "{n} lines are about other campaigns or have no value",
                    found.left_out,
                )
            )


@command(stock, "export")
def export(
    cli: Cli,
    campaign: CampaignOption = None,
    state: StateOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write to this file, which only you can read.")
    ] = None,
) -> None:
    """Write items as CSV, or as JSON with --json.

    Values are written exactly as they are: beware of those that begin with = + - or @ before opening the file in a
    spreadsheet, which may take them for formulas.
    """
    from kylink_cli import wiring
    from kylink_cli.cli.views import stock as view
    from kylink_cli.rules.text import one_line
    from kylink_cli.store.stock import ItemFilter, read_items

    write = view.write_json if cli.console.json else view.write_csv
    database = wiring.existing_database(cli.settings)
    # What was written can't be taken back, so nothing is read again.
    with database.reading() as session:
        _refuse_unknown_campaign(session, campaign)
        items = read_items(session, ItemFilter(campaign, state), database.now())
        if out is None:
            with cli.console.results() as stdout:
                write(items, stdout)
            return
        with replaced(out) as file:
            number = write(items, file)
    if cli.console.json:
        cli.console.document({"file": str(out), "items": number})
    else:
        cli.console.say(tr("{items} written to {out}", items=counted.items(number), out=one_line(str(out))))


@command(stock, "discard", acts=True)
def discard(
    cli: Cli,
    item_ids: Annotated[list[int], typer.Argument(metavar="ITEM_ID...", min=1, max=LARGEST_ID, help="The items.")],
) -> None:
    """Discard available items: all that are named, or none."""
    from kylink_cli import wiring
    from kylink_cli.store import audit
    from kylink_cli.store import stock as store
    from kylink_cli.store.audit import AuditEntry

    wanted = sorted(set(item_ids))
    database = wiring.existing_database(cli.settings)

    def act(session: "Session") -> list[int]:
        states = store.lock_states(session, wanted, database.now())
        for item_id in wanted:
            _refuse_unless_available(item_id, states.get(item_id))
        discarded = store.discard(session, wanted)
        audit.record(session, AuditEntry(cli.who, Act.STOCK_DISCARDED, [str(one) for one in discarded]), database.now())
        return discarded

    discarded = database.commit(act)
    if cli.console.json:
        cli.console.document({"discarded": discarded})
    else:
        cli.console.say(tr("discarded: {item_ids}", item_ids=", ".join(str(item_id) for item_id in discarded)))


def _refuse_unless_available(item_id: int, state: str | None) -> None:
    if state is None:
        raise NotFoundError(
            tr("unknown item {item_id}, nothing was discarded: 'kylink stock list' shows them", item_id=item_id)
        )
    if state != ItemState.AVAILABLE:
        raise UsageError(
            tr(
                "item {item_id} is {state}, nothing was discarded: only available items can be",
                item_id=item_id,
                state=state,
            )
        )


def _refuse_unknown_campaign(session: "Session", campaign_id: str | None) -> None:
    from kylink_cli.store.campaigns import facts

    if campaign_id is not None:
        refuse_unknown([campaign_id], facts(session, [campaign_id]))
