"""`kylink simulate`: what rules and settings would have lost, bought and thrown away."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.cli.completers import campaign_ids, users
from kylink_cli.cli.output_files import replaced
from kylink_cli.errors import NotFoundError, UsageError
from kylink_cli.language import marked, tr

if TYPE_CHECKING:
    from kylink_cli.simulation.demand import ReplayedDemand, Steps
    from kylink_cli.simulation.shop import Outage

DEFAULT_POLICIES = ("current", "forecast", "cover")
WARM_UP_DAYS = 10.0


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "simulate")(simulate)


def simulate(
    cli: Cli,
    days: Annotated[
        int, typer.Option("--days", min=1, max=28, help="Replay the last N days of the recorded demand.")
    ] = 28,
    campaign: Annotated[
        list[str] | None,
        typer.Option("--campaign", metavar="ID", help="Only these campaigns.", autocompletion=campaign_ids),
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER", help="Only this user's campaigns.", autocompletion=users)
    ] = None,
    demand: Annotated[
        str | None,
        typer.Option(
            "--demand", metavar="FILE", help="Replay a CSV file instead: minute,count[,campaign_id], or timestamps."
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option("--rate", metavar="PER_HOUR", min=0.000001, help="Thin the demand at random to this mean."),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            metavar="NAME[:SETTING=VALUE,...]",
            help="forecast, cover or current, with settings to change; may be repeated.",
        ),
    ] = None,
    bell: Annotated[
        bool, typer.Option("--bell/--no-bell", help="Takes ring the bell, or only the timer looks.")
    ] = True,
    lead: Annotated[float, typer.Option("--lead", metavar="SECONDS", min=0, help="From order to arrival.")] = 5,
    outage: Annotated[
        str | None,
        typer.Option("--outage", metavar="MINUTES:EVERY_HOURS", help="Let the supply fail at random, this often."),
    ] = None,
    outages: Annotated[
        str | None,
        typer.Option("--outages", metavar="FILE", help="Let it fail as a CSV file says: start_minute,minutes."),
    ] = None,
    warm_up: Annotated[
        float, typer.Option("--warm-up", metavar="DAYS", min=0, help="Figures count after N days.")
    ] = WARM_UP_DAYS,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same figures.")] = 1,
    events: Annotated[
        Path | None, typer.Option("--events", metavar="FILE", help="Write every order, arrival, take, loss and expiry.")
    ] = None,
) -> None:
    """Replay demand through ordering rules, side by side.

    Shows what each policy would have lost, bought, thrown away and held. Figures count after the warm-up, in
    which the rules learn. No supply service is called, and nothing is changed.
    """
    from kylink_cli.cli.policies import Setup, contestant
    from kylink_cli.cli.views import simulate as view
    from kylink_cli.console.observer import observing
    from kylink_cli.running.events import BatchDone
    from kylink_cli.simulation.comparison import compare, counting_from
    from kylink_cli.simulation.demand import replayed
    from kylink_cli.simulation.shop import Shop

    if outage is not None and outages is not None:
        raise UsageError(tr("use either --outage or --outages"))
    series = _of_history(cli, days, campaign, user) if demand is None else _of_file(demand, campaign)
    asked = replayed(series, rate, seed)
    closed = _outages(asked, outage, outages, seed)
    setup = Setup(cli.settings, Shop(lead / 60, closed), bell, asked.start, asked.end, counting_from(asked, warm_up))
    if setup.counts_from >= asked.end:
        raise UsageError(
            tr(
                "the demand lasts {days:.3g} days, and the first {warm_up:g} do not count: use --warm-up",
                days=asked.days,
                warm_up=warm_up,
            )
        )
    contestants = [contestant(text, setup) for text in dict.fromkeys(policy or DEFAULT_POLICIES)]
    with observing(cli.console, "simulate") as observe:
        results = compare(
            asked,
            contestants,
            lambda done, total: observe(BatchDone(marked("campaigns replayed"), done, total)),
            with_events=events is not None,
        )
    if events is not None:
        with replaced(events) as file:
            view.write_events(file, results)
    shown = view.Simulation(asked, lead, closed, results)
    if cli.console.json:
        cli.console.document(view.document(shown))
    else:
        view.show(cli.console, shown)


def _of_history(cli: Cli, days: int, campaigns: list[str] | None, user: str | None) -> "list[Steps]":
    """What was asked of the database's own campaigns in the last days.

    Raises:
        NotFoundError: nothing was.
    """
    from kylink_cli import wiring
    from kylink_cli.simulation.demand import Own, of_hours
    from kylink_cli.store import campaigns as stored
    from kylink_cli.store.demand import minute_at, read_histories
    from kylink_cli.store.levels import Scope, statuses

    database = wiring.existing_database(cli.settings)
    now = database.now()
    first_hour = minute_at(now) // 60 - 24 * days
    scope = Scope(user_id=user, campaign_ids=campaigns)
    facts = database.read(lambda session: stored.facts(session, statuses(session, scope)))
    histories = database.read(lambda session: read_histories(session, now))
    found = [
        of_hours(
            key,
            {hour: asked for hour, asked in histories[key].hours.items() if hour >= first_hour},
            Own(one.low_watermark, one.target_stock, one.order_limit),
        )
        for key, one in sorted(facts.items())
        if key in histories
    ]
    found = [one for one in found if one.counts]
    if not found:
        raise NotFoundError(tr("nobody has asked for anything in {days} days: there is nothing to replay", days=days))
    return found


def _of_file(path: str, campaigns: list[str] | None) -> "list[Steps]":
    """The demand of a file.

    Raises:
        NotFoundError: it holds none of these campaigns, or no demand.
    """
    from kylink_cli.imports.demand import read_demand
    from kylink_cli.simulation.demand import Steps, grouped, smallest_distance

    rows = read_demand(path)
    step = smallest_distance(minute for _, minute, _ in rows)
    wanted = {key: counts for key, counts in grouped(rows).items() if not campaigns or key in campaigns}
    found = [Steps(key, sorted(counts.items()), step) for key, counts in wanted.items() if any(counts.values())]
    if not found:
        raise NotFoundError(tr("the file holds no demand"))
    return found


def _outages(asked: "ReplayedDemand", rule: str | None, file: str | None, seed: int) -> "list[Outage]":
    """When the supply fails.

    Raises:
        UsageError: a rule or a file can't be understood.
    """
    from kylink_cli.imports.demand import read_outages
    from kylink_cli.simulation.shop import Outage, random_outages

    if file is not None:
        return sorted(Outage(*row) for row in read_outages(file))
    if rule is None:
        return []
    minutes, _, hours = rule.partition(":")
    try:
        length, every = float(minutes), float(hours)
    except ValueError:
        length = every = 0
    if length <= 0 or every <= 0:
        raise UsageError(tr("--outage is {rule!r}: must be MINUTES:EVERY_HOURS, as in 45:36", rule=rule))
    return random_outages(asked.start, asked.end, length, every, seed)
