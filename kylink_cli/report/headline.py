"""The headline figures: how all is, in three seconds."""

from datetime import timedelta

from kylink_cli.language import ntr, tr
from kylink_cli.report import consumption, jobs, supply
from kylink_cli.report.parts import Tile, Verdict
from kylink_cli.report.timeline import within
from kylink_cli.rules import counted
from kylink_cli.rules.demand import Asked
from kylink_cli.rules.figures import Figures, History
from kylink_cli.rules.moments import span
from kylink_cli.rules.replenishment import runway_minutes
from kylink_cli.rules.success import Success, percent
from kylink_cli.rules.verdict import share_refused
from kylink_cli.rules.vocabulary import AlertLevel, JobName

_GOOD_SHARE = 0.95
_POOR_SHARE = 0.8


def tiles(figures: Figures, history: History, asked: Asked) -> list[Tile]:
    """The headline figures.

    Args:
        asked: what consumers asked for within the period.
    """
    return [
        _low(figures),
        _turned_away(asked),
        _filled(history.success.get(JobName.REPLENISH)),
        _runway(figures),
        _stock(figures),
        _rate(
            tr("Supply requests answered"),
            supply.answer_rate(figures.requests),
            sum(one.durations.number for one in figures.requests),
        ),
        _consumed(figures, history),
        _expired(history),
        _leases(figures),
        _alerts(figures),
    ]


def _turned_away(asked: Asked) -> Tile:
    if not asked.items:
        return Tile(tr("Consumers turned away"), "-", tr("nobody has asked for anything"))
    note = tr("{share} of {items} asked for", share=share_refused(asked), items=counted.items(asked.items))
    verdict: Verdict = "bad" if asked.refused / asked.items > 1 - _GOOD_SHARE else "warning"
    return Tile(tr("Consumers turned away"), f"{asked.refused:,}", note, verdict if asked.refused else "good")


def _filled(success: Success | None) -> Tile:
    """How replenishing does; other jobs have their own rows in the table of jobs."""
    if success is None or success.share is None:
        return Tile(tr("Campaigns filled"), "-", tr("no replenish run has ended"))
    tone: Verdict = "good" if success.done == success.of else "warning" if success.share >= _POOR_SHARE else "bad"
    return Tile(tr("Campaigns filled"), percent(success.share, 1), jobs.success_of(success), tone)


def _expired(history: History) -> Tile:
    share = history.expired / arrived if (arrived := sum(one.arrived for one in history.stock)) else None
    note = tr("nothing arrived") if share is None else tr("{arrived:,} arrived", arrived=arrived)
    return Tile(tr("Items expired unused"), f"{history.expired:,}", note)


def _stock(figures: Figures) -> Tile:
    active = sum(one.level.active for one in figures.campaigns)
    note = tr(
        "in {campaigns} that are active, {paused:,} paused",
        campaigns=counted.campaigns(active),
        paused=len(figures.campaigns) - active,
    )
    return Tile(tr("Items in stock"), f"{sum(one.level.available for one in figures.campaigns):,}", note)


def _low(figures: Figures) -> Tile:
    low = sum(one.low for one in figures.campaigns)
    empty = sum(one.level.active and not one.level.available for one in figures.campaigns)
    verdict: Verdict = "bad" if empty else "warning" if low else "good"
    return Tile(
        tr("Campaigns below watermark"), f"{low:,}", tr("{empty:,} of them without any stock", empty=empty), verdict
    )


def _runway(figures: Figures) -> Tile:
    lengths = [runway_minutes(one) for one in figures.campaigns if one.level.active]
    known = sorted(length for length in lengths if length is not None)
    if not known:
        return Tile(tr("Shortest runway"), "-", tr("nobody has asked for anything in four weeks"))
    soon = sum(length < 60 for length in known)
    note = ntr("{n:,} campaign lasts less than an hour", "{n:,} campaigns last less than an hour", soon)
    verdict: Verdict = "bad" if known[0] == 0 else "warning" if soon else "good"
    if known[0] == 0:
        return Tile(tr("Shortest runway"), tr("empty"), note, verdict)
    return Tile(tr("Shortest runway"), span(timedelta(minutes=known[0])), note, verdict)


def _rate(label: str, rate: float | None, number: int) -> Tile:
    if rate is None:
        return Tile(label, "-", tr("there were none"))
    verdict: Verdict = "good" if rate >= _GOOD_SHARE else "warning" if rate >= _POOR_SHARE else "bad"
    return Tile(label, percent(rate, 1), tr("of {number:,}", number=number), verdict)


def _consumed(figures: Figures, history: History) -> Tile:
    note = ntr("{n:,} time there was nothing to lease", "{n:,} times there was nothing to lease", figures.no_stock)
    label = tr("Items consumed in {period}", period=within(figures.period))
    return Tile(label, f"{consumption.total(history.consumption):,}", note)


def _leases(figures: Figures) -> Tile:
    overdue = figures.leases.overdue
    note = ntr("{n:,} is overdue", "{n:,} are overdue", overdue)
    return Tile(tr("Active leases"), f"{figures.leases.active:,}", note, "warning" if overdue else "plain")


def _alerts(figures: Figures) -> Tile:
    number = sum(one.number for one in figures.alerts)
    errors = sum(one.number for one in figures.alerts if one.level == AlertLevel.ERROR)
    note = ntr("{n:,} of them is an error", "{n:,} of them are errors", errors)
    return Tile(tr("Unresolved alerts"), f"{number:,}", note, "bad" if errors else "warning" if number else "good")
