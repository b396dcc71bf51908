"""What the benchmarks share: how much work is done, how two sides are compared, and what a figure is."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work a benchmark does.

    Attributes:
        rounds: how often the sides are measured, one after the other.
        share: part of the whole work that each measurement does.
    """

    rounds: int
    share: float

    def of(self, number: int, at_least: int = 20) -> int:
        """So much of a number."""
        return max(at_least, round(number * self.share))


FULL = Effort(rounds=3, share=1)
SMOKE = Effort(rounds=1, share=0.01)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the results.

    Attributes:
        what: what was measured.
        measured: the median.
        unit: of the measured number and its target.
        target: what it may be at most; None if nothing is promised.
        detail: the numbers behind it.
    """

    what: str
    measured: float
    unit: str
    target: float | None = None
    detail: str = ""

    @property
    def verdict(self) -> str:
        """Whether the target is reached."""
        if self.target is None:
            return ""
        return "reached" if self.measured <= self.target else "not reached"

    @property
    def cells(self) -> list[str]:
        """As a row of a table: what, target, measured, verdict, detail."""
        target = "" if self.target is None else f"at most {self.target:,g} {self.unit}"
        return [self.what, target, f"{self.measured:,.3g} {self.unit}", self.verdict, self.detail]


@dataclass(frozen=True, slots=True)
class Rounds:
    """The seconds that each side took in each round."""

    seconds: Mapping[str, Sequence[float]]

    def median(self, side: str) -> float:
        """Of one side, seconds."""
        return statistics.median(self.seconds[side])

    def ratio(self, side: str, to: str) -> float:
        """The median of the rounds' ratios: what disturbs the machine disturbs both sides of a round."""
        return statistics.median(a / b for a, b in zip(self.seconds[side], self.seconds[to], strict=True))


def alternate(effort: Effort, sides: Mapping[str, Callable[[], float]]) -> Rounds:
    """Measure the sides in turn, round after round.

    Args:
        effort: how many rounds.
        sides: what returns the seconds that each took.
    """
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(effort.rounds):
        for side, measure in sides.items():
            seconds[side].append(measure())
    return Rounds(seconds)


def against(rounds: Rounds, side: str, to: str, what: str, target: float | None) -> Figure:
    """One side as a multiple of another."""
    detail = f"{rounds.median(side):.3g} s against {rounds.median(to):.3g} s"
    return Figure(what, rounds.ratio(side, to), f"x {to}", target, detail)


def seconds_of(act: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command has taken: processor time, and memory at its peak."""

    seconds: float
    peak_mib: float


# The high-water mark of the process itself: what the system reports of a child counts its parent's memory before exec.
_PROBE = """
import atexit, re, sys, time
from pathlib import Path
def tell():
    sys.stdout.flush()
    peak = re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]
    print(f"\\n{time.process_time()} {peak}")
atexit.register(tell)
from kylink_cli.__main__ import main
main()
"""


def cost_of(*args: str, env: Mapping[str, str], cwd: Path) -> Cost:
    """What a command of kylink's takes.

    Raises:
        CalledProcessError: it failed.
    """
    *_, seconds, peak_kib = run_python("-c", _PROBE, *args, env=env, cwd=cwd).split()
    return Cost(float(seconds), int(peak_kib) / 1024)


def run_python(*args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a Python program to its end; what it printed.

    Raises:
        CalledProcessError: it failed.
    """
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])} | dict(env or {})
    return subprocess.run(
        [sys.executable, *args], env=own, cwd=cwd, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
