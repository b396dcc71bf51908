"""How near a replenish run comes to its bound: calls x latency / calls in flight."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.benchmarks.frame import Effort, Figure, Rounds, against, alternate, run_python, seconds_of
from tests.benchmarks.service import supply_service
from tests.support.installation import Installation

LATENCY_MS = 20
CAMPAIGNS = 1_000
# What an empty campaign whose target is 10 is short of, one item a call.
ITEMS = 10
TRIES = 3
DELAY_SECONDS = 2.0
# One campaign in so many fails for good.
FAILING_EVERY = 20


@dataclass(frozen=True)
class Load:
    """A service and a run that fills campaigns from it."""

    latency_ms: int
    # Campaigns at once; each has five calls in flight.
    at_once: int
    campaigns: int
    # At most so many times the bound.
    target: float

    @property
    def bound_seconds(self) -> float:
        """What no run can beat."""
        return self.campaigns * ITEMS * self.latency_ms / 1000 / (5 * self.at_once)


LOADS = (Load(20, 3, CAMPAIGNS, 1.15), Load(300, 3, CAMPAIGNS // 10, 1.05), Load(100, 20, CAMPAIGNS, 1.05))


def near_the_bound(effort: Effort) -> list[Figure]:
    """Wall time of a run against the bound, with few and with many calls in flight; and with the command's start."""
    figures = []
    for load in LOADS:
        with supply_service(load.latency_ms) as url:
            rounds = _against_bound(effort, url, replace(load, campaigns=effort.of(load.campaigns)))
        what = (
            f"replenish {load.campaigns:,} campaigns x {ITEMS} items from a service of {load.latency_ms} ms, "
            f"{5 * load.at_once} calls in flight"
        )
        figures.append(against(rounds, "run", "the bound", what, load.target))
        figures.append(against(rounds, "command", "the bound", f"{what}, with the command's start", None))
    return figures


def with_failures(effort: Effort) -> list[Figure]:
    """The same with campaigns that fail for good, which wait for their next tries; and the plain scheme."""
    campaigns = effort.of(CAMPAIGNS // 2)
    good = [f"c{number}" for number in range(campaigns)]
    mixed = [f"bad{name}" if number % FAILING_EVERY == 0 else name for number, name in enumerate(good)]
    with supply_service(LATENCY_MS) as url:
        rounds = alternate(
            effort,
            {
                "clean": _replenishing(url, good, 3),
                "failing": _replenishing(url, mixed, 3),
                "the plain scheme": _plainly(url, mixed),
            },
        )
    waits = (TRIES - 1) * DELAY_SECONDS
    allowed = Rounds({**rounds.seconds, "clean + waits": [clean + waits for clean in rounds.seconds["clean"]]})
    return [
        against(allowed, "failing", "clean + waits", "replenish, 5 % of campaigns failing for good", 1.10),
        against(rounds, "failing", "the plain scheme", "replenish, 5 % of campaigns failing for good", 1),
    ]


def _against_bound(effort: Effort, url: str, load: Load) -> Rounds:
    names = [f"c{number}" for number in range(load.campaigns)]
    return alternate(
        effort,
        {
            "run": _replenishing(url, names, load.at_once, with_start=False),
            "command": _replenishing(url, names, load.at_once),
            "the bound": lambda: load.bound_seconds,
        },
    )


def _replenishing(url: str, campaigns: list[str], at_once: int, *, with_start: bool = True) -> Callable[[], float]:
    """What tells how long the command takes to fill these campaigns, or its run without the command's start."""

    def measure() -> float:
        with (
            tempfile.TemporaryDirectory() as name,
            Installation.at(
                Path(name),
                url,
                "key",
                CAMPAIGN_CONCURRENCY=str(at_once),
                REPLENISH_RETRY_TIMES=str(TRIES),
                REPLENISH_RETRY_DELAY_MS=str(round(DELAY_SECONDS * 1000)),
            ) as installation,
        ):
            installation.add_campaigns(*campaigns)
            seconds = seconds_of(lambda: installation.run("replenish", "--all", "--quiet"))
            _assert_filled(installation, campaigns)
            [run_ms] = installation.rows("SELECT duration_ms FROM runs")
        return seconds if with_start else run_ms / 1000

    return measure


def _plainly(url: str, campaigns: list[str]) -> Callable[[], float]:
    """What tells how long the plain scheme takes to fill them."""

    def measure() -> float:
        with tempfile.TemporaryDirectory() as name, Installation.without_supply(Path(name)) as installation:
            installation.add_campaigns(*campaigns)
            args = str(installation.folder / "kylink.db"), url, str(DELAY_SECONDS)
            seconds = seconds_of(lambda: run_python("-m", "tests.benchmarks.reference", *args))
            _assert_filled(installation, campaigns)
        return seconds

    return measure


def _assert_filled(installation: Installation, campaigns: list[str]) -> None:
    """A command that gives up early would be quick, too."""
    good = [campaign for campaign in campaigns if not campaign.startswith("bad")]
    assert installation.rows("SELECT count(*) FROM stock_items") == [len(good) * ITEMS]
