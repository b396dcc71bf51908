"""What a simulation looks like."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

from kylink_cli.console import Console
from kylink_cli.console.tables import Column
from kylink_cli.language import tr
from kylink_cli.simulation.comparison import PolicyResult, clairvoyant
from kylink_cli.simulation.demand import ReplayedDemand
from kylink_cli.simulation.shop import Outage

_COLUMNS = [
    Column("POLICY", flexible=True),
    Column("ASKED", "right"),
    Column("LOST", "right"),
    Column("LOST %", "right"),
    Column("BOUGHT", "right"),
    Column("EXPIRED", "right"),
    Column("PER USED", "right"),
    Column("STOCK", "right"),
    Column("ORDERS", "right"),
]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What was replayed, and what came of it."""

    demand: ReplayedDemand
    lead_seconds: float
    outages: Sequence[Outage]
    results: Sequence[PolicyResult]


def show(console: Console, shown: Simulation) -> None:
    """Show what each policy came to, beside the bounds that none beats."""
    asked, lost = clairvoyant(shown.demand, shown.results[0].contestant)
    bound = [tr("clairvoyant"), asked, lost, "0", asked, 0, "1", None, None]
    console.table(_COLUMNS, [*[_row(result) for result in shown.results], bound])


def document(shown: Simulation) -> dict[str, Any]:
    """A simulation as JSON (contract, section 3)."""
    bought, lost = clairvoyant(shown.demand, shown.results[0].contestant)
    terms = shown.results[0].contestant.terms
    hours = (terms.end - terms.counts_from) / 60
    return {
        "demand": {
            "campaigns": len(shown.demand.campaigns),
            "days": round(shown.demand.days, 3),
            "asked": bought,
            "per_hour": round(bought / hours / len(shown.demand.campaigns), 6),
        },
        "lead_seconds": shown.lead_seconds,
        "outages": [{"start_minute": outage.start, "minutes": outage.minutes} for outage in shown.outages],
        "policies": [_policy(result) for result in shown.results],
        "clairvoyant": {"bought": bought, "lost": lost},
    }


def write_events(file: IO[str], results: Sequence[PolicyResult]) -> None:
    """Write every event as CSV, policy by policy."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["policy", "minute", "campaign_id", "event", "quantity"])
    for result in results:
        name = result.contestant.name
        rows.writerows([name, f"{minute:.4f}", *event] for minute, *event in result.events)


def _policy(result: PolicyResult) -> dict[str, Any]:
    contestant, till = result.contestant, result.till
    per_used = till.bought_per_used
    return {
        "name": contestant.name,
        "rule": contestant.rule,
        "settings": dict(contestant.settings),
        "bell": contestant.terms.bell,
        "asked": till.asked,
        "served": till.served,
        "lost": till.lost,
        "lost_share": round(till.lost_share, 8),
        "bought": till.bought,
        "expired": till.expired,
        "bought_per_used": None if per_used is None else round(per_used, 6),
        "average_stock": round(result.average_stock, 3),
        "orders": till.orders,
        "runs": till.runs,
    }


def _row(result: PolicyResult) -> list[Any]:
    till = result.till
    return [
        result.contestant.name,
        till.asked,
        till.lost,
        f"{100 * till.lost_share:.3g}",
        till.bought,
        till.expired,
        None if till.bought_per_used is None else f"{till.bought_per_used:.3f}",
        f"{result.average_stock:.3g}",
        till.orders,
    ]
