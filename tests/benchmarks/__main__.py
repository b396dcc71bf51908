"""Run the benchmarks: `make bench`, or `make bench-smoke` for a hundredth of the work."""

import sys
from collections.abc import Callable, Mapping, Sequence

from tests.benchmarks import replenish
from tests.benchmarks.frame import FULL, SMOKE, Effort, Figure

Benchmark = Callable[[Effort], list[Figure]]

BENCHMARKS: Mapping[str, Benchmark] = {
    "replenish": replenish.near_the_bound,
    "failures": replenish.with_failures,
}


def measure(effort: Effort, names: Sequence[str]) -> list[Figure]:
    """Run benchmarks one after the other, and print each figure when it is known."""
    figures = []
    for name in names:
        for figure in BENCHMARKS[name](effort):
            print(" · ".join(cell for cell in figure.cells if cell), flush=True)
            figures.append(figure)
    return figures


def main(args: Sequence[str]) -> None:
    """Measure what is named, or all."""
    effort = SMOKE if "--smoke" in args else FULL
    measure(effort, [name for name in args if name in BENCHMARKS] or list(BENCHMARKS))


if __name__ == "__main__":
    main(sys.argv[1:])
