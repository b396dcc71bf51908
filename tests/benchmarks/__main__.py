"""Run the benchmarks: `make bench`, or `make bench-smoke` for a hundredth of the work.

`python -m tests.benchmarks NAME…` runs some of them and writes nothing.
"""

import sys
from collections.abc import Callable, Mapping, Sequence

from tests.benchmarks import (
    bell,
    face,
    hosts,
    large,
    leases,
    recovery,
    replenish,
    report,
    scan,
    simulate,
    size,
    startup,
    waiting,
)
from tests.benchmarks.frame import FULL, SMOKE, Effort, Figure

BENCHMARKS: Mapping[str, Callable[[Effort], list[Figure]]] = {
    "replenish": replenish.near_the_bound,
    "peer": replenish.beside_a_peer,
    "failures": replenish.with_failures,
    "scan": scan.against_sql,
    "history": scan.with_history,
    "recovery": recovery.against_sql,
    "leases": leases.throughput,
    "face": face.throughput,
    "waiting": waiting.beside_jobs,
    "bell": bell.until_systemd_answers,
    "startup": startup.starting,
    "large": large.commands,
    "size": size.of_a_large_run,
    "hosts": hosts.sharing,
    "simulate": simulate.of_a_year,
    "demand": simulate.of_the_own_demand,
}


def measure(effort: Effort, names: Sequence[str]) -> list[Figure]:
    """Run benchmarks one after the other, and print each figure when it is known."""
    figures = []
    for name in names:
        for figure in BENCHMARKS[name](effort):
            print(figure.what if effort is SMOKE else " · ".join(cell for cell in figure.cells if cell), flush=True)
            figures.append(figure)
    return figures


def main(args: Sequence[str]) -> None:
    """Measure what is named; or all, and put the results into the docs."""
    names = [name for name in args if name in BENCHMARKS]
    figures = measure(SMOKE if "--smoke" in args else FULL, names or list(BENCHMARKS))
    if not args:
        report.write(figures)


if __name__ == "__main__":
    main(sys.argv[1:])
