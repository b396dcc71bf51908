"""How near a replenish run comes to its bound: calls x latency / calls in flight."""

import heapq
import resource
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tests.benchmarks.frame import Effort, Figure, Rounds, against, alternate, run_python, seconds_of
from tests.benchmarks.service import SLOWER, supply_service
from tests.support.cli import run_process
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
    # At most so many times the bound, for the run alone and with the command's start; None if nothing is promised.
    target: float | None
    target_with_start: float | None = None
    # Each so many-th call is slow; 0 for none.
    slow_every: int = 0

    @property
    def in_flight(self) -> int:
        """Calls at once."""
        return 5 * self.at_once

    @property
    def bound_seconds(self) -> float:
        """What no run can beat: the best order that one could give to calls whose lengths one knew."""
        calls = self.campaigns * ITEMS
        slow = calls // self.slow_every if self.slow_every else 0
        lengths = [SLOWER * self.latency_ms / 1000] * slow + [self.latency_ms / 1000] * (calls - slow)
        return best_order(lengths, self.in_flight)

    def __str__(self) -> str:
        tail = f", one in {self.slow_every} of {SLOWER} times that" if self.slow_every else ""
        return (
            f"replenish {self.campaigns:,} campaigns x {ITEMS} items from a service of {self.latency_ms} ms{tail}, "
            f"{self.in_flight} calls in flight"
        )


def best_order(lengths: Sequence[float], places: int) -> float:
    """How long calls take with so many at once, the longest first (Graham, 1969: at most 4/3 of the best)."""
    ends = [0.0] * places
    for length in sorted(lengths, reverse=True):
        heapq.heapreplace(ends, ends[0] + length)
    return max(ends)


LOADS = (
    Load(20, 3, CAMPAIGNS, None, target_with_start=1.15),
    Load(300, 3, CAMPAIGNS // 10, 1.05),
    Load(100, 20, CAMPAIGNS, 1.05),
    Load(100, 20, CAMPAIGNS, 1.15, slow_every=100),
)


def near_the_bound(effort: Effort) -> list[Figure]:
    """Wall time of a run against the bound, with few and with many calls in flight; and with the command's start."""
    figures = []
    for load in LOADS:
        with supply_service(load.latency_ms, load.slow_every) as url:
            rounds = _against_bound(effort, url, replace(load, campaigns=effort.of(load.campaigns)))
        figures.append(against(rounds, "run", "the bound", str(load), load.target))
        with_start = f"{load}, with the command's start"
        figures.append(against(rounds, "command", "the bound", with_start, load.target_with_start))
    return figures


def beside_a_peer(effort: Effort) -> list[Figure]:
    """The command beside what a good engineer writes in an hour: how long it takes, and what a call costs."""
    return [
        figure
        for load in (LOADS[0], LOADS[2])
        for figure in _beside_a_peer(effort, replace(load, campaigns=effort.of(CAMPAIGNS // 10)))
    ]


def _beside_a_peer(effort: Effort, load: Load) -> list[Figure]:
    names = [f"c{number}" for number in range(load.campaigns)]
    costs: dict[str, list[float]] = {"kylink": [], "the peer": []}
    with supply_service(load.latency_ms) as url:
        sides = {"kylink": _replenishing(url, names, load.at_once), "the peer": _by_the_peer(url, names, load)}
        rounds = alternate(
            effort, {side: partial(_noting_cost, measure, costs[side]) for side, measure in sides.items()}
        )
    used, calls = Rounds(costs), load.campaigns * ITEMS
    detail = " against ".join(f"{used.median(side) / calls * 1e6:,.0f} us a call" for side in costs)
    return [
        against(rounds, "kylink", "the peer", f"{load}: the command", 1),
        Figure(f"{load}: processor time", used.ratio("kylink", "the peer"), "x the peer", None, detail),
    ]


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
            # As a process: what is run within this one has loaded everything already.
            command = partial(run_process, "replenish", "--all", "--quiet", env=installation.settings, cwd=Path(name))
            seconds = seconds_of(command)
            _assert_filled(installation, campaigns)
            [run_ms] = installation.rows("SELECT duration_ms FROM runs")
        return seconds if with_start else run_ms / 1000

    return measure


def _by_the_peer(url: str, campaigns: list[str], load: Load) -> Callable[[], float]:
    """What tells how long the peer takes to fill these campaigns."""
    return _by_a_program("tests.benchmarks.peer", url, str(load.in_flight), campaigns)


def _noting_cost(measure: Callable[[], float], costs: list[float]) -> float:
    """Measure, and note the processor time of the processes that were started for it and have ended."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = measure()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return seconds


def _plainly(url: str, campaigns: list[str]) -> Callable[[], float]:
    """What tells how long the plain scheme takes to fill them."""
    return _by_a_program("tests.benchmarks.reference", url, str(DELAY_SECONDS), campaigns)


def _by_a_program(module: str, url: str, option: str, campaigns: list[str]) -> Callable[[], float]:
    def measure() -> float:
        with tempfile.TemporaryDirectory() as name, Installation.without_supply(Path(name)) as installation:
            installation.add_campaigns(*campaigns)
            database = str(installation.folder / "kylink.db")
            seconds = seconds_of(lambda: run_python("-m", module, database, url, option))
            _assert_filled(installation, campaigns)
        return seconds

    return measure


def _assert_filled(installation: Installation, campaigns: list[str]) -> None:
    """A command that gives up early would be quick, too."""
    good = [campaign for campaign in campaigns if not campaign.startswith("bad")]
    assert installation.rows("SELECT count(*) FROM stock_items") == [len(good) * ITEMS]
