"""What alerts say: each message one whole sentence with named placeholders, in this one place.

An alert's first line says what is wrong and how bad it is, then come the worst cases, then what to type.
"""

from collections.abc import Sequence

from kylink_cli.language import ntr, tr
from kylink_cli.rules import counted
from kylink_cli.rules.text import one_line

LISTED = 10
NAME_LENGTH = 60
REASON_LENGTH = 160


def listed(first_line: str, cases: Sequence[str], advice: str = "") -> str:
    """A message: what is wrong, the first ten cases, how many more there are, and what to do."""
    lines = [heading(first_line), *cases[:LISTED]]
    if len(cases) > LISTED:
        lines.append(tr("... and {number} more", number=len(cases) - LISTED))
    return "\n".join([*lines, advice] if advice else lines)


def heading(title: str) -> str:
    """The line above a list."""
    return tr("{title}:", title=title)


def case(name: str, campaign_id: str, what: str) -> str:
    """One campaign in a list; its name and what is said of it are from outside."""
    return tr(
        "- {name} ({campaign}): {what}",
        name=one_line(name, NAME_LENGTH),
        campaign=one_line(campaign_id, NAME_LENGTH),
        what=one_line(what, REASON_LENGTH),
    )


def replenish_failed(number: int) -> str:
    """A replenish run left campaigns unfilled."""
    return ntr("Replenishment failed for {n} campaign", "Replenishment failed for {n} campaigns", number)


def more_failed(number: int) -> str:
    """How many failures of a run are not listed."""
    return tr("... and {number} more failed", number=number)


def supply_in_doubt(number: int) -> str:
    """Nobody knows whether supply requests were charged."""
    return ntr(
        "{n} supply request can no longer be asked again safely",
        "{n} supply requests can no longer be asked again safely",
        number,
    )


def supply_in_doubt_key(campaign_id: str, key: str) -> str:
    """One request that is in doubt."""
    return tr("- campaign {campaign}: key {key}", campaign=one_line(campaign_id, NAME_LENGTH), key=key)


def supply_in_doubt_advice() -> str:
    """What to do about requests that are in doubt."""
    return tr(
        "Ask the supply service whether these keys were charged, then: "
        "kylink supply settle KEY --charged FILE, or --not-charged"
    )


def low_stock(low: int, empty: int) -> str:
    """Campaigns are below their watermark."""
    if not empty:
        return ntr("{n} campaign is low on stock", "{n} campaigns are low on stock", low)
    return ntr(
        "{n} campaign is low on stock ({empty} empty)",
        "{n} campaigns are low on stock ({empty} empty)",
        low,
        empty=empty,
    )


def low_stock_case(available: int, watermark: int) -> str:
    """How low one campaign is."""
    return tr("{available} available, watermark {watermark}", available=available, watermark=watermark)


def low_stock_advice() -> str:
    """What to do about low stock."""
    return tr("Fill them now: kylink replenish --all")


def enough_stock() -> str:
    """No campaign is low."""
    return tr("no campaign is low")


def leases_held(number: int, minutes: int) -> str:
    """Leases are held for long, but within their time."""
    return ntr(
        "{n} lease is held for long, for {minutes} min now",
        "{n} leases are held for long, the oldest for {minutes} min",
        number,
        minutes=minutes,
    )


def leases_overdue(number: int, minutes: int) -> str:
    """Leases are past their deadline."""
    return ntr(
        "{n} lease is past its deadline, held for {minutes} min",
        "{n} leases are past their deadline, the oldest held for {minutes} min",
        number,
        minutes=minutes,
    )


def lease_case(leases: int, overdue: int) -> str:
    """The leases of one campaign that are held for long."""
    return ntr("{n} lease, {overdue} overdue", "{n} leases, {overdue} overdue", leases, overdue=overdue)


def lease_advice() -> str:
    """What to do about leases that are held for long."""
    return tr("See who holds them: kylink leases list --state active; take back expired ones: kylink recover-leases")


def no_lease_held() -> str:
    """No lease is held for long."""
    return tr("no lease is held for long")


def failure_rate(percent: str, failed: int, closed: int) -> str:
    """Too many leases end badly."""
    return tr(
        "{percent} % of leases failed in the last hour ({failed} of {closed})",
        percent=percent,
        failed=failed,
        closed=closed,
    )


def failure_case(failed: int, closed: int) -> str:
    """How many leases of one campaign ended badly."""
    return tr("{failed} of {closed}", failed=failed, closed=closed)


def failure_advice() -> str:
    """What to do about leases that end badly."""
    return tr("See why: kylink leases list --state released, kylink leases list --state expired")


def no_lease_closed() -> str:
    """Nothing can be said of how leases end."""
    return tr("too few leases ended in the last hour to judge")


def no_stock(events: int) -> str:
    """Consumers found no stock."""
    return ntr("Consumers found no stock {n} time in 24 h", "Consumers found no stock {n} times in 24 h", events)


def no_stock_case(events: int) -> str:
    """How often consumers of one campaign found no stock."""
    return ntr("{n} time", "{n} times", events)


def no_stock_advice() -> str:
    """What to do about consumers that find no stock."""
    return tr("Fill them now: kylink replenish --all; keep more in stock: kylink campaigns set ID --low-watermark N")


def within_order_limits(items: int) -> str:
    """Orders are well within their limits."""
    return ntr("{n} item ordered in 24 h, within the limits", "{n} items ordered in 24 h, within the limits", items)


def order_limit(campaigns: int, percent: str) -> str:
    """A limit on orders binds, or nearly so."""
    return ntr(
        "Orders have reached {percent} % of a limit of 24 h ({n} campaign)",
        "Orders have reached {percent} % of a limit of 24 h ({n} campaigns)",
        campaigns,
        percent=percent,
    )


def order_limit_case(items: int, limit: int) -> str:
    """How much of its limit a campaign has used."""
    return tr("{items} of {limit} items ordered in 24 h", items=items, limit=limit)


def order_limit_in_all(items: int, limit: int) -> str:
    """How much of the limit for all has been used."""
    return tr("- all campaigns: {items} of {limit} items ordered in 24 h", items=items, limit=limit)


def order_limit_advice() -> str:
    """What to do about a limit that binds."""
    return tr(
        "See who takes so much: kylink leases list; if it is intended, raise ORDER_LIMIT_PER_DAY, "
        "CAMPAIGN_ORDER_LIMIT_PER_DAY, or a campaign's own limit: kylink campaigns set ID --order-limit N"
    )


def forecast_miss(campaigns: int) -> str:
    """Campaigns lost more of their demand than the service level allows."""
    return ntr(
        "{n} campaign lost more of a week's demand than SERVICE_LEVEL allows",
        "{n} campaigns lost more of a week's demand than SERVICE_LEVEL allows",
        campaigns,
    )


def forecast_miss_case(refused: int, asked: int) -> str:
    """How much a campaign lost."""
    return ntr("{refused} of {n} item refused", "{refused} of {n} items refused", asked, refused=refused)


def forecast_miss_advice() -> str:
    """What to do about lost demand."""
    return tr(
        "Raise COVER_MINUTES if the supply failed for longer, else SERVICE_LEVEL; kylink simulate says what that would "
        "have come to"
    )


def job_overdue(job: str, minutes: int, interval: int) -> str:
    """A timer no longer starts a job."""
    return tr(
        "{job}: its timer has not started it for {minutes} min, its interval is {interval} min",
        job=job,
        minutes=minutes,
        interval=interval,
    )


def job_overdue_advice() -> str:
    """What to do about a job that is overdue."""
    return tr("Look at the timers: systemctl list-timers 'kylink-*'; see the last runs: kylink jobs history")


def job_in_time(job: str) -> str:
    """A job is not overdue."""
    return tr("{job} is not overdue", job=job)


def runs_crashed(runs: int, minutes: int) -> str:
    """Runs died without an end."""
    return ntr(
        "{n} run crashed in the last {minutes} min", "{n} runs crashed in the last {minutes} min", runs, minutes=minutes
    )


def crashed_case(run_id: int, job: str, host: str) -> str:
    """One run that died."""
    return tr("- run {run} of {job} on {host}", run=run_id, job=job, host=one_line(host, NAME_LENGTH))


def crashed_advice(run_id: int) -> str:
    """What to do about runs that died."""
    return tr("See what it was doing: kylink jobs show {run}; the next run takes over its work", run=run_id)


def supply_rate(percent: str, good: int, asked: int) -> str:
    """The supply service answers too few requests."""
    return tr(
        "The supply service answered {percent} % of requests in the last hour ({good} of {asked})",
        percent=percent,
        good=good,
        asked=asked,
    )


def supply_advice() -> str:
    """What to do about a failing supply service."""
    return tr("Look at the service: kylink doctor; see the errors: kylink jobs history stock_replenish")


def no_request() -> str:
    """Nothing can be said of the supply service."""
    return tr("too few supply requests in the last hour to judge")


def disk_used(percent: str, free_mib: int) -> str:
    """The database's disk fills up."""
    return tr("The disk of the database is {percent} % full, {free} MiB are left", percent=percent, free=free_mib)


def disk_advice() -> str:
    """What to do about a full disk."""
    return tr("Make room; see what the database needs: kylink db stats")


def disk_unknown() -> str:
    """The database is on another host."""
    return tr("the database's disk is not on this host")


def unit_failed(unit: str, why: str) -> str:
    """Systemd reports that a unit failed."""
    return tr("{unit} failed: {why}", unit=unit, why=why) if why else tr("{unit} failed", unit=unit)


def unit_failed_advice(unit: str) -> str:
    """What to do about a unit that failed."""
    return tr("See why: journalctl -u {unit} -n 50; look at everything: kylink doctor", unit=unit)


def bad_settings_advice() -> str:
    """What to do about settings that can't be used."""
    return tr("Until this is fixed the timers do nothing: kylink config check says whether it is")


def unrecorded(reason: str) -> str:
    """An alert could not be recorded."""
    return tr("This could not be recorded: {reason}", reason=reason)


def grouped(open_alerts: int, resolved: int) -> str:
    """The subject of a notification with several alerts."""
    if not resolved:
        return counted.alerts(open_alerts)
    if not open_alerts:
        return tr("{alerts} resolved", alerts=counted.alerts(resolved))
    return tr("{open} open, {resolved} resolved", open=open_alerts, resolved=resolved)


def subject(level: str, title: str) -> str:
    """The subject of a notification: how bad, and what."""
    return tr("[kylink] {level}: {title}", level=tr(level), title=title)


def still(title: str, count: int) -> str:
    """A condition that people were notified of goes on."""
    return tr("still: {title} (seen {times})", title=title, times=counted.times(count))


def resolved(title: str) -> str:
    """A condition is over."""
    return tr("resolved: {title}", title=title)


def paragraph(level: str, title: str) -> str:
    """The first line of what a notification says of one alert."""
    return tr("{level}: {title}", level=tr(level), title=title)


def alert_commands(alert_id: int) -> str:
    """How to look at an alert, and how to stop its repeats."""
    return tr("kylink alerts show {id} · kylink alerts ack {id}", id=alert_id)


def cut() -> str:
    """The rest of a long notification is left out."""
    return tr("... 'kylink alerts list' shows the rest")


def probe() -> str:
    """The notification that `kylink alerts test` sends."""
    return tr("this is a test: notifications arrive here")
