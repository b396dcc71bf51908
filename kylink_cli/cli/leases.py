"""`kylink leases …`: the consumer's side."""

from typing import Annotated

import typer

from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.completers import campaign_ids
from kylink_cli.errors import OutputError
from kylink_cli.rules.vocabulary import LeaseState

leases = group("leases", "The consumer's side: take an item, use it, confirm it.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    app.add_typer(leases)


TokensArgument = Annotated[list[str], typer.Argument(metavar="TOKEN...", help="Lease tokens, as returned by 'take'.")]


@command(leases, "take")
def take(
    cli: Cli,
    campaign: Annotated[
        str,
        typer.Argument(
            metavar="CAMPAIGN",
            help="The campaign whose stock is used.",
            autocompletion=campaign_ids,
        ),
    ],
    count: Annotated[int, typer.Option("--count", metavar="N", help="Take N items, or as many as there are.")] = 1,
    key: Annotated[
        str | None, typer.Option("--key", metavar="K", help="Idempotency key: the same one gets the same leases.")
    ] = None,
    holder: Annotated[
        str | None, typer.Option("--holder", metavar="H", help="Who takes the items, for people to read.")
    ] = None,
    ttl: Annotated[
        int | None, typer.Option("--ttl", metavar="MIN", help="Minutes the lease lasts. [default: LEASE_TTL_MINUTES]")
    ] = None,
    wait: Annotated[
        float,
        typer.Option("--wait", metavar="S", help="Wait up to S seconds for an item if there is none."),
    ] = 0,
) -> int:
    """Lease items from a campaign's stock. Exit 11 if there are none, 10 if fewer than requested."""
    from kylink_cli import leasing, wiring
    from kylink_cli.cli.views import leases as view

    minutes = cli.settings.lease_ttl_minutes if ttl is None else ttl
    request = leasing.TakeRequest(campaign, minutes, count, holder, key)
    database = wiring.existing_database(cli.settings)
    bell = wiring.bell(cli.settings, cli.loaded.env_file)
    taken = leasing.take(database, request, database.now(), wait_seconds=wait, bell=bell)
    try:
        view.show_taken(cli.console, taken, count)
        cli.console.finish(0)
    except OutputError:
        if key is None:
            # Nobody knows the token. Under a key, the same call once more gets the same leases.
            leasing.release(database, [lease.token for lease in taken.leases], database.now())
        raise
    return 0 if len(taken.leases) == count else view.PARTLY


@command(leases, "confirm", acts=True)
def confirm(
    cli: Cli,
    tokens: TokensArgument,
) -> int:
    """Confirm that items were used; this is final."""
    from kylink_cli import leasing, wiring
    from kylink_cli.cli.views import leases as view

    database = wiring.existing_database(cli.settings)
    results = leasing.confirm(database, tokens, database.now())
    return view.show_results(cli.console, results)


@command(leases, "release", acts=True)
def release(
    cli: Cli,
    tokens: TokensArgument,
    error: Annotated[
        str | None, typer.Option("--error", metavar="MSG", help="Why the items could not be used.")
    ] = None,
    discard: Annotated[
        bool, typer.Option("--discard", help="Discard the items instead of returning them to stock.")
    ] = False,
) -> int:
    """Give items back to the stock."""
    from kylink_cli import leasing, wiring
    from kylink_cli.cli.views import leases as view

    database = wiring.existing_database(cli.settings)
    results = leasing.release(database, tokens, database.now(), error=error, discard=discard)
    return view.show_results(cli.console, results)


@command(leases, "extend", acts=True)
def extend(
    cli: Cli,
    tokens: TokensArgument,
    ttl: Annotated[int, typer.Option("--ttl", metavar="MIN", help="Minutes from now to the new deadline.")],
) -> int:
    """Extend leases. One that already lasts longer is left unchanged."""
    from kylink_cli import leasing, wiring
    from kylink_cli.cli.views import leases as view

    database = wiring.existing_database(cli.settings)
    results = leasing.extend(database, tokens, ttl, database.now())
    return view.show_results(cli.console, results)


@command(leases, "list")
def list_leases(
    cli: Cli,
    campaign: Annotated[
        str | None,
        typer.Option(
            "--campaign",
            metavar="ID",
            help="Show only this campaign.",
            autocompletion=campaign_ids,
        ),
    ] = None,
    state: Annotated[LeaseState | None, typer.Option("--state", help="Show only this state.")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Show only active leases past their deadline.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Show at most N.")] = 20,
) -> None:
    """List leases, newest first, without their tokens."""
    from kylink_cli import wiring
    from kylink_cli.cli.lookups import refuse_unknown
    from kylink_cli.cli.views import leases as view
    from kylink_cli.store import campaigns
    from kylink_cli.store.lease_list import LeaseFilter, read_leases

    database = wiring.existing_database(cli.settings)
    now = database.now()
    wanted = [] if campaign is None else [campaign]
    refuse_unknown(wanted, database.read(lambda session: campaigns.facts(session, wanted)))
    found = database.read(lambda session: read_leases(session, LeaseFilter(campaign, state, overdue, limit), now))
    view.show_list(cli.console, found, now)
