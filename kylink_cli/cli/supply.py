"""`kylink supply …`: what was ordered and not clearly answered, and what people found out about it."""

from datetime import timedelta
from typing import Annotated

import typer

from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.completers import campaign_ids
from kylink_cli.errors import UsageError
from kylink_cli.language import tr
from kylink_cli.rules.vocabulary import RequestState

supply = group("supply", "Orders at the supply service, above all the unclear ones.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    app.add_typer(supply)


KeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="The request's idempotency key, as 'kylink supply requests' shows it.")
]


@command(supply, "requests")
def list_requests(
    cli: Cli,
    state: Annotated[
        list[RequestState] | None,
        typer.Option("--state", help="Only requests in this state; may be repeated. [default: open, in_doubt]"),
    ] = None,
    campaign: Annotated[
        str | None,
        typer.Option("--campaign", metavar="ID", help="Only this campaign's.", autocompletion=campaign_ids),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Show at most N requests.")] = 50,
) -> None:
    """List orders whose outcome is open or in doubt, newest first. With --state others too."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import supply as view
    from kylink_cli.store import request_list

    database = wiring.existing_database(cli.settings)
    states = state or [RequestState.OPEN, RequestState.IN_DOUBT]
    found = database.read(lambda session: request_list.read_requests(session, states, campaign, limit))
    if cli.console.json:
        cli.console.document({"requests": [view.document(request) for request in found]})
    else:
        view.show_requests(cli.console, found, database.now())


@command(supply, "show")
def show(cli: Cli, key: KeyArgument) -> None:
    """Show one order: what was asked for, what came, and how it stands."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import supply as view
    from kylink_cli.store import request_list

    database = wiring.existing_database(cli.settings)
    request = database.read(lambda session: request_list.get(session, key))
    if cli.console.json:
        cli.console.document(view.document(request) | {"body": request.body})
    else:
        view.show_request(cli.console, request, database.now())


@command(supply, "settle", acts=True)
def settle(
    cli: Cli,
    key: KeyArgument,
    charged: Annotated[
        str | None,
        typer.Option(
            "--charged",
            metavar="FILE",
            help="It was charged: the file has its values, one a line, or is what a run rescued.",
        ),
    ] = None,
    not_charged: Annotated[
        bool, typer.Option("--not-charged", help="It was not charged: nothing comes of it.")
    ] = False,
) -> None:
    """Record what became of an order without a clear answer. Ask the supply service first.

    With --charged, the values are put in stock. A request of a campaign that is being filled is left alone.
    """
    from kylink_cli import wiring
    from kylink_cli.cli.views import supply as view
    from kylink_cli.imports.source import refuse_faults
    from kylink_cli.imports.values import read_values
    from kylink_cli.places import operator
    from kylink_cli.store import request_list
    from kylink_cli.store.request_list import Settlement
    from kylink_cli.store.supply_requests import NewItem

    if (charged is None) != not_charged:
        raise UsageError(tr("tell what you found out: exactly one of --charged FILE and --not-charged"))
    database = wiring.existing_database(cli.settings)
    now, items = database.now(), None
    if charged is not None:
        found = read_values(charged, now, key=key)
        refuse_faults(charged, found.faults)
        latest = now + timedelta(hours=cli.settings.stock_ttl_hours)
        items = [NewItem(value, min(end or latest, latest)) for value, end in found.ends.items()]
    settlement = Settlement(key, items, operator(cli.settings.kylink_host_name))
    settled = database.commit(lambda session: request_list.settle(session, settlement, now))
    if cli.console.json:
        cli.console.document(view.document(settled))
    else:
        view.show_settled(cli.console, settled)
