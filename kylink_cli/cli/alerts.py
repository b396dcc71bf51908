"""`kylink alerts …`: what a person should know of."""

from dataclasses import replace
from typing import Annotated

import typer

from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.completers import alert_ids, silence_ids, users
from kylink_cli.cli.options import LARGEST_ID
from kylink_cli.errors import ConfigError, KylinkError, NotFoundError, PartlyDoneError, UsageError
from kylink_cli.language import tr
from kylink_cli.rules.vocabulary import AlertLevel, AlertState, AlertType

alerts = group("alerts", "Alerts: list, acknowledge, resolve and silence them.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    app.add_typer(alerts)


IdsArgument = Annotated[
    list[int],
    typer.Argument(
        metavar="ID...", min=1, max=LARGEST_ID, help="Alert IDs, as shown by 'list'.", autocompletion=alert_ids
    ),
]


@command(alerts, "list")
def list_alerts(
    cli: Cli,
    state: Annotated[AlertState | None, typer.Option("--state", help="Show only this state.")] = None,
    type: Annotated[  # noqa: A002  (as the contract names it)
        AlertType | None, typer.Option("--type", help="Show only this type.")
    ] = None,
    level: Annotated[AlertLevel | None, typer.Option("--level", help="Show only this level.")] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            metavar="U",
            help="Show only alerts about this user's campaigns.",
            autocompletion=users,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Show resolved ones too.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Show at most N.")] = 20,
) -> None:
    """List the alerts that are not resolved, newest first.

    --state resolved shows those that are over, --all everything; so does --json.
    """
    from kylink_cli import wiring
    from kylink_cli.cli.views import alerts as view
    from kylink_cli.documents.alerts import AlertViewer
    from kylink_cli.rules.notices import GIVE_UP_AFTER
    from kylink_cli.store import outbox
    from kylink_cli.store.alerts import AlertFilter, count_alerts, read_alerts
    from kylink_cli.store.levels import Scope, statuses

    database = wiring.existing_database(cli.settings)
    now = database.now()
    wanted = AlertFilter(state, type, level, user, limit)
    counts = database.read(lambda session: count_alerts(session, wanted))
    unresolved = not (everything or state or cli.console.json)
    found = database.read(lambda session: read_alerts(session, replace(wanted, unresolved=unresolved)))
    undelivered = database.read(lambda session: outbox.undelivered(session, now - GIVE_UP_AFTER))
    own = None if user is None else database.read(lambda session: statuses(session, Scope(user_id=user)))
    viewer = None if own is None else AlertViewer(user or "", own)
    view.show_list(cli.console, view.Listed(found, counts), undelivered, now, viewer)


@command(alerts, "show")
def show(
    cli: Cli,
    alert_id: Annotated[
        int,
        typer.Argument(
            metavar="ID", min=1, max=LARGEST_ID, help="The alert's ID, as shown by 'list'.", autocompletion=alert_ids
        ),
    ],
) -> None:
    """Show one alert, with what went wrong and whom it concerns."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import alerts as view
    from kylink_cli.store import alerts as store

    database = wiring.existing_database(cli.settings)
    alert, users = database.read(
        lambda session: (store.get(session, [alert_id]).get(alert_id), store.users_of(session, alert_id))
    )
    if alert is None:
        raise NotFoundError(tr("there is no alert {alert_id}: 'kylink alerts list' shows them", alert_id=alert_id))
    view.show_alert(cli.console, alert, users, database.now())


@command(alerts, "ack", acts=True)
def acknowledge(
    cli: Cli,
    alert_ids: IdsArgument,
) -> int:
    """Acknowledge alerts: they are no longer repeated.

    They are when they get worse, and you are still notified when they end.
    """
    from kylink_cli import wiring
    from kylink_cli.alerting import acts as alert_acts
    from kylink_cli.cli.views import alerts as view

    database = wiring.existing_database(cli.settings)
    results = alert_acts.acknowledge(database, alert_ids, database.now(), cli.who)
    return view.show_results(cli.console, results)


@command(alerts, "resolve", acts=True)
def resolve(
    cli: Cli,
    alert_ids: IdsArgument,
) -> int:
    """Mark alerts as resolved. If the condition persists, the next check opens the alert again."""
    from kylink_cli import wiring
    from kylink_cli.alerting import acts as alert_acts
    from kylink_cli.cli.views import alerts as view

    database = wiring.existing_database(cli.settings)
    results = alert_acts.resolve(database, wiring.alerting(cli.settings), alert_ids, database.now(), cli.who)
    return view.show_results(cli.console, results)


@command(alerts, "silence", acts=True)
def silence(
    cli: Cli,
    type: Annotated[  # noqa: A002  (as the contract names it)
        AlertType | None, typer.Option("--type", help="Alerts of this type.")
    ] = None,
    campaign: Annotated[str | None, typer.Option("--campaign", metavar="ID", help="About this campaign.")] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="U", help="About this user's campaigns.")] = None,
    duration: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="How long, such as 90m, 8h, 2d or 1w.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="MOMENT", help="Until when, such as 2026-02-06T08:00Z.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why, for others to read.")] = None,
) -> None:
    """Mute alerts for a time. An alert must match everything that is named.

    An alert about several campaigns is muted once all of them are covered. It is still listed, and sent if it persists
    when the silence ends.
    """
    from kylink_cli import wiring
    from kylink_cli.alerting import acts as alert_acts
    from kylink_cli.cli.views import alerts as view
    from kylink_cli.rules.silences import Silence, parse_end

    database = wiring.existing_database(cli.settings)
    now = database.now()
    try:
        wanted = Silence(parse_end(duration, until, now), type, campaign, user)
    except ValueError as error:
        raise UsageError(str(error)) from None
    record = alert_acts.silence(database, wanted, reason, now, cli.who)
    view.show_silence(cli.console, record)


@command(alerts, "silences")
def silences(cli: Cli) -> None:
    """List active silences."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import alerts as view
    from kylink_cli.store.alerts import active_silences

    database = wiring.existing_database(cli.settings)
    now = database.now()
    found = database.read(lambda session: active_silences(session, now))
    view.show_silences(cli.console, found, now)


@command(alerts, "unsilence", acts=True)
def unsilence(
    cli: Cli,
    silence_id: Annotated[
        int,
        typer.Argument(
            metavar="ID",
            min=1,
            max=LARGEST_ID,
            help="The silence's ID, as shown by 'silences'.",
            autocompletion=silence_ids,
        ),
    ],
) -> None:
    """End a silence."""
    from kylink_cli import wiring
    from kylink_cli.alerting import acts as alert_acts

    database = wiring.existing_database(cli.settings)
    alert_acts.unsilence(database, silence_id, database.now(), cli.who)
    if cli.console.json:
        cli.console.document({"id": silence_id, "ended": True})
    else:
        cli.console.say(tr("silence {silence_id} has ended", silence_id=silence_id))


@command(alerts, "test")
def send_test(cli: Cli) -> int:
    """Send a probe through every channel. Exit 10 if some fail, 1 if all do."""
    from kylink_cli import wiring
    from kylink_cli.alerting.delivery import send_probe
    from kylink_cli.cli.views import alerts as view

    alerting = wiring.alerting(cli.settings)
    if not alerting.channels:
        raise ConfigError(tr("no channel is set up for alerts: set ALERT_NOTIFY_URLS or ALERT_WEBHOOK_URL"))
    results = send_probe(alerting)
    view.show_probe(cli.console, results)
    if all(result.error is None for result in results):
        return 0
    return PartlyDoneError.exit_code if any(result.error is None for result in results) else KylinkError.exit_code


@command(alerts, "purge", acts=True)
def purge(
    cli: Cli,
    days: Annotated[
        int | None,
        typer.Option(
            "--days", min=0, max=3650, help="Delete what ended more than N days ago. [default: ALERT_RETENTION_DAYS]"
        ),
    ] = None,
) -> None:
    """Delete alerts that were resolved long ago.

    The silences and notifications of that time go with them.
    """
    from kylink_cli import wiring
    from kylink_cli.alerting import acts as alert_acts
    from kylink_cli.cli.views import alerts as view

    kept_days = cli.settings.alert_retention_days if days is None else days
    database = wiring.existing_database(cli.settings)
    purged = alert_acts.purge(database, kept_days, database.now(), cli.who)
    view.show_purged(cli.console, purged, kept_days)
