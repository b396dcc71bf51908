"""What alerts say: each message one whole sentence with named placeholders, in this one place.

An alert's first line says what is wrong and how bad it is, then come the worst cases, then what to type.
"""

from collections.abc import Sequence

from kylink_cli.rules.text import one_line

LISTED = 10
NAME_LENGTH = 60
REASON_LENGTH = 160


def listed(first_line: str, cases: Sequence[str], advice: str = "") -> str:
    """A message: what is wrong, the first ten cases, how many more there are, and what to do."""
    lines = [heading(first_line), *cases[:LISTED]]
    if len(cases) > LISTED:
        lines.append("... and {number} more".format(number=len(cases) - LISTED))
    return "\n".join([*lines, advice] if advice else lines)


def heading(title: str) -> str:
    """The line above a list."""
    return "{title}:".format(title=title)


def case(name: str, campaign_id: str, what: str) -> str:
    """One campaign in a list; its name and what is said of it are from outside."""
    return "- {name} ({campaign}): {what}".format(
        name=one_line(name, NAME_LENGTH),
        campaign=one_line(campaign_id, NAME_LENGTH),
        what=one_line(what, REASON_LENGTH),
    )


def plural(number: int, one: str, many: str) -> str:
    """The form of a message that fits a number."""
    return one if number == 1 else many


def replenish_failed(number: int) -> str:
    """A replenish run left campaigns unfilled."""
    text = plural(number, "Replenishment failed for {number} campaign", "Replenishment failed for {number} campaigns")
    return text.format(number=number)


def more_failed(number: int) -> str:
    """How many failures of a run are not listed."""
    return "... and {number} more failed".format(number=number)


def supply_in_doubt(number: int) -> str:
    """Nobody knows whether supply requests were charged."""
    text = plural(
        number,
        "{number} supply request can no longer be asked again safely",
        "{number} supply requests can no longer be asked again safely",
    )
    return text.format(number=number)


def supply_in_doubt_key(campaign_id: str, key: str) -> str:
    """One request that is in doubt."""
    return "- campaign {campaign}: key {key}".format(campaign=one_line(campaign_id, NAME_LENGTH), key=key)


def supply_in_doubt_advice() -> str:
    """What to do about requests that are in doubt."""
    return "Ask the supply service whether these keys were charged."


def low_stock(low: int, empty: int) -> str:
    """Campaigns are below their watermark."""
    text = plural(low, "{low} campaign is low on stock", "{low} campaigns are low on stock")
    if empty:
        text = plural(
            low,
            "{low} campaign is low on stock ({empty} empty)",
            "{low} campaigns are low on stock ({empty} empty)",
        )
    return text.format(low=low, empty=empty)


def low_stock_case(available: int, watermark: int) -> str:
    """How low one campaign is."""
    return "{available} available, watermark {watermark}".format(available=available, watermark=watermark)


def low_stock_advice() -> str:
    """What to do about low stock."""
    return "Fill them now: kylink replenish --all"


def enough_stock() -> str:
    """No campaign is low."""
    return "no campaign is low"


def leases_held(number: int, minutes: int) -> str:
    """Leases are held for long, but within their time."""
    text = plural(
        number,
        "{number} lease is held for long, for {minutes} min now",
        "{number} leases are held for long, the oldest for {minutes} min",
    )
    return text.format(number=number, minutes=minutes)


def leases_overdue(number: int, minutes: int) -> str:
    """Leases are past their deadline."""
    text = plural(
        number,
        "{number} lease is past its deadline, held for {minutes} min",
        "{number} leases are past their deadline, the oldest held for {minutes} min",
    )
    return text.format(number=number, minutes=minutes)


def lease_case(leases: int, overdue: int) -> str:
    """The leases of one campaign that are held for long."""
    text = plural(leases, "{leases} lease, {overdue} overdue", "{leases} leases, {overdue} overdue")
    return text.format(leases=leases, overdue=overdue)


def lease_advice() -> str:
    """What to do about leases that are held for long."""
    return "See who holds them: kylink leases list --state active; take back what is over: kylink recover-leases"


def no_lease_held() -> str:
    """No lease is held for long."""
    return "no lease is held for long"


def failure_rate(percent: str, failed: int, closed: int) -> str:
    """Too many leases end badly."""
    return "{percent} % of leases failed in the last hour ({failed} of {closed})".format(
        percent=percent, failed=failed, closed=closed
    )


def failure_case(failed: int, closed: int) -> str:
    """How many leases of one campaign ended badly."""
    return "{failed} of {closed}".format(failed=failed, closed=closed)


def failure_advice() -> str:
    """What to do about leases that end badly."""
    return "See why: kylink leases list --state released, kylink leases list --state expired"


def no_lease_closed() -> str:
    """Nothing can be said of how leases end."""
    return "too few leases ended in the last hour to judge"


def no_stock(events: int) -> str:
    """Consumers found no stock."""
    text = plural(
        events,
        "Consumers found no stock {events} time in 24 h",
        "Consumers found no stock {events} times in 24 h",
    )
    return text.format(events=events)


def no_stock_case(events: int) -> str:
    """How often consumers of one campaign found no stock."""
    return plural(events, "{events} time", "{events} times").format(events=events)


def no_stock_advice() -> str:
    """What to do about consumers that find no stock."""
    return "Fill them now: kylink replenish --all; keep more in stock: kylink campaigns set ID --low-watermark N"


def job_overdue(job: str, minutes: int, interval: int) -> str:
    """A timer no longer starts a job."""
    return "{job} has not started for {minutes} min, its interval is {interval} min".format(
        job=job, minutes=minutes, interval=interval
    )


def job_overdue_advice() -> str:
    """What to do about a job that is overdue."""
    return "Look at the timers: systemctl list-timers 'kylink-*'; see the last runs: kylink jobs history"


def job_in_time(job: str) -> str:
    """A job is not overdue."""
    return "{job} is not overdue".format(job=job)


def runs_crashed(runs: int, minutes: int) -> str:
    """Runs died without an end."""
    text = plural(runs, "{runs} run crashed in the last {minutes} min", "{runs} runs crashed in the last {minutes} min")
    return text.format(runs=runs, minutes=minutes)


def crashed_case(run_id: int, job: str, host: str) -> str:
    """One run that died."""
    return "- run {run} of {job} on {host}".format(run=run_id, job=job, host=one_line(host, NAME_LENGTH))


def crashed_advice(run_id: int) -> str:
    """What to do about runs that died."""
    return "See what it was doing: kylink jobs show {run}; the next run takes its work over".format(run=run_id)


def supply_rate(percent: str, good: int, asked: int) -> str:
    """The supply service answers too few requests."""
    return "The supply service answered {percent} % of requests in the last hour ({good} of {asked})".format(
        percent=percent, good=good, asked=asked
    )


def supply_advice() -> str:
    """What to do about a failing supply service."""
    return "Look at the service: kylink doctor; see the errors: kylink jobs history stock_replenish"


def no_request() -> str:
    """Nothing can be said of the supply service."""
    return "too few supply requests in the last hour to judge"


def disk_used(percent: str, free_mib: int) -> str:
    """The database's disk fills up."""
    return "The disk of the database is {percent} % full, {free} MiB are left".format(percent=percent, free=free_mib)


def disk_advice() -> str:
    """What to do about a full disk."""
    return "Make room; see what the database needs: kylink db stats"


def disk_unknown() -> str:
    """The database is on another host."""
    return "the database's disk is not on this host"


def grouped(open_alerts: int, resolved: int) -> str:
    """The subject of a notification with several alerts."""
    if not resolved:
        return "{open} alerts".format(open=open_alerts)
    if not open_alerts:
        return "{resolved} alerts resolved".format(resolved=resolved)
    return "{open} open, {resolved} resolved".format(open=open_alerts, resolved=resolved)


def subject(level: str, title: str) -> str:
    """The subject of a notification: how bad, and what."""
    return "[kylink] {level}: {title}".format(level=level, title=title)


def still(title: str, count: int) -> str:
    """A condition that people were told of goes on."""
    return "still: {title} (seen {count} times)".format(title=title, count=count)


def resolved(title: str) -> str:
    """A condition is over."""
    return "resolved: {title}".format(title=title)


def paragraph(level: str, title: str) -> str:
    """The first line of what a notification says of one alert."""
    return "{level}: {title}".format(level=level, title=title)


def alert_commands(alert_id: int) -> str:
    """How to look at an alert, and how to stop its repeats."""
    return "kylink alerts show {id} · kylink alerts ack {id}".format(id=alert_id)


def cut() -> str:
    """The rest of a long notification is left out."""
    return "... 'kylink alerts list' shows the rest"


def probe() -> str:
    """The notification that `kylink alerts test` sends."""
    return "this is a test: notifications arrive here"
