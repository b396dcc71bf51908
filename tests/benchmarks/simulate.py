"""Replaying demand: how long a year takes, and what the default settings lose and buy of the project's own demand."""

import csv
import json
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kylink_cli.simulation.demand import Steps
from tests.benchmarks.frame import Effort, Figure, cost_of, run_python
from tests.support.cli import clean_environment
from tests.support.demand import daily, generated

PER_HOUR = 50
YEAR = 365
# Days of the six campaigns, of which the first ten do not count.
DAYS = 60
OUTAGES = "45:36"


def of_a_year(effort: Effort) -> list[Figure]:
    """A year of one campaign, by the command that an operator types; one process does all of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        replay = ("simulate", *_arguments(_written(folder, [daily(PER_HOUR, effort.of(YEAR), seed=1)])))
        costs = [cost_of(*replay, env=clean_environment(folder), cwd=folder) for _ in range(effort.rounds)]
    seconds = statistics.median(cost.seconds for cost in costs)
    peak = max(cost.peak_mib for cost in costs)
    what = f"a year of one campaign at {PER_HOUR} items an hour replayed"
    return [Figure(what, seconds, "s of processor time", 10, f"{peak:.0f} MiB at its peak")]


def of_the_own_demand(effort: Effort) -> list[Figure]:
    """What is lost and bought of six campaigns: days and weeks, bursts, an end, a beginning, a step and back."""
    with tempfile.TemporaryDirectory() as folder:
        found = _simulated(_written(Path(folder), generated(PER_HOUR, effort.of(DAYS), seed=1)))
    detail = f"{found['lost']:,} of {found['asked']:,} items, {found['expired']:,} expired"
    what = f"six campaigns at {PER_HOUR} items an hour, outages of 45 minutes every 36 hours"
    return [
        Figure(f"{what}: lost", 100 * found["lost_share"], "%", 0.1, detail),
        Figure(f"{what}: bought for each that was used", found["bought_per_used"], "items", 1.03),
    ]


def _written(folder: Path, series: Sequence[Steps]) -> Path:
    file = folder / "demand.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["minute", "count", "campaign_id"])
        rows.writerows([minute, count, one.campaign_id] for one in series for minute, count in one.counts)
    return file


def _arguments(file: Path) -> tuple[str, ...]:
    return ("--demand", str(file), "--outage", OUTAGES, "--policy", "forecast", "--json")


def _simulated(file: Path) -> dict[str, Any]:
    """What the rule in force came to."""
    said = run_python("-m", "kylink_cli", "simulate", *_arguments(file))
    [policy] = json.loads(said)["policies"]
    return dict(policy)
