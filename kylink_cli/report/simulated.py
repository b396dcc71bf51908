"""The section on settings: what the last weeks would have been under those in force, and under others."""

from collections.abc import Sequence
from dataclasses import dataclass

from kylink_cli.language import ntr, tr
from kylink_cli.report.parts import Axis, Chart, ReportColumn, Section, Series, Table
from kylink_cli.rules import counted
from kylink_cli.simulation.comparison import PolicyResult


@dataclass(frozen=True, slots=True)
class Simulated:
    """What policies would have made of the demand of some campaigns.

    Attributes:
        results: by policy, that in force first.
        names: what people call the policies.
        replayed: campaigns that were replayed.
        asked: campaigns of which anything was asked.
        fixed: of those replayed, how many have a watermark and a target of their own.
        days: over which figures count.
        outage: the failures of the supply that are assumed, in words.
    """

    results: Sequence[PolicyResult]
    names: Sequence[str]
    replayed: int
    asked: int
    fixed: int
    days: float
    outage: str


def section(shown: Simulated) -> Section:
    """The section on settings."""
    return Section("settings", tr("Settings"), [_lost(shown), _bought(shown)], [_table(shown)])


def _lost(shown: Simulated) -> Chart:
    shares = [round(100 * result.till.lost_share, 3) for result in shown.results]
    return Chart(
        key="settings-lost",
        title=tr("Refused of what was asked for"),
        summary=_each(shown, [f"{share:.3g} %" for share in shares]),
        x=_policies(shown),
        y_title=tr("refused (%)"),
        series=[Series(tr("refused"), "vermillion", shares)],
        table="compared",
    )


def _bought(shown: Simulated) -> Chart:
    bought = [result.till.bought_per_used for result in shown.results]
    return Chart(
        key="settings-bought",
        title=tr("Bought for each item that was used"),
        summary=_each(shown, ["-" if one is None else f"{one:.3f}" for one in bought]),
        x=_policies(shown),
        y_title=tr("bought (per item used)"),
        series=[Series(tr("bought"), "blue", [None if one is None else round(one, 3) for one in bought])],
        table="compared",
    )


def _each(shown: Simulated, figures: Sequence[str]) -> str:
    return "; ".join(f"{name}: {figure}" for name, figure in zip(shown.names, figures, strict=True)) + "."


def _policies(shown: Simulated) -> Axis:
    return Axis(tr("settings"), "category", range(len(shown.names)), shown.names)


def _table(shown: Simulated) -> Table:
    return Table(
        key="compared",
        title=tr("The same demand under other settings"),
        columns=[
            ReportColumn(tr("Settings")),
            ReportColumn(tr("Asked for"), "number"),
            ReportColumn(tr("Refused"), "number"),
            ReportColumn(tr("Bought"), "number"),
            ReportColumn(tr("Expired unused"), "number"),
            ReportColumn(tr("In stock, in the mean"), "number"),
        ],
        rows=[
            [name, till.asked, till.lost, till.bought, till.expired, round(result.average_stock, 1)]
            for name, result in zip(shown.names, shown.results, strict=True)
            for till in [result.till]
        ],
        note=_note(shown),
    )


def _note(shown: Simulated) -> str:
    whole = counted.campaigns(shown.asked)
    which = (
        whole
        if shown.replayed == shown.asked
        else tr("{some} of {whole}, drawn at random", some=shown.replayed, whole=whole)
    )
    note = tr(
        "{days:.0f} days of what was asked of {which}, replayed with {outage}; 'kylink simulate' tries other settings.",
        days=shown.days,
        which=which,
        outage=shown.outage,
    )
    return f"{note} {_fixed(shown.fixed)}" if shown.fixed else note


def _fixed(number: int) -> str:
    return ntr(
        "{n:,} of the campaigns replayed has a watermark and a target of its own, which no setting changes.",
        "{n:,} of the campaigns replayed have a watermark and a target of their own, which no setting changes.",
        number,
    )
