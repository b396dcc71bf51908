"""Several policies side by side over one demand, and the two bounds that no policy beats."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace

from kylink_cli.simulation.demand import MINUTES_A_DAY, Asking, ReplayedDemand
from kylink_cli.simulation.replay import Replay, Terms
from kylink_cli.simulation.till import Till

# Fewer takes are replayed sooner than other processes have started.
WORTH_PROCESSES = 100_000

Event = tuple[float, str, str, int]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Contestant:
    """A policy by its name, with what is said of it."""

    name: str
    rule: str
    settings: Mapping[str, str]  # those that differ, as they were given
    terms: Terms


@dataclass(slots=True)
class PolicyResult:
    """What a policy came to."""

    contestant: Contestant
    till: Till = field(default_factory=Till)
    events: list[Event] = field(default_factory=list)  # in the order in which they happened; none unless asked for

    @property
    def average_stock(self) -> float:
        """Items in stock in the mean, of all campaigns together."""
        terms = self.contestant.terms
        return self.till.stock_minutes / max(1e-9, terms.end - terms.counts_from)


@dataclass(frozen=True, slots=True)
class Task:
    """One campaign under one policy."""

    asking: Asking
    terms: Terms
    with_events: bool


def compare(
    demand: ReplayedDemand, contestants: Sequence[Contestant], progress: Progress, *, with_events: bool = False
) -> list[PolicyResult]:
    """Replay every campaign under every policy.

    Args:
        progress: told how many of how many are done.
        with_events: whether every event is kept.
    """
    results = [PolicyResult(contestant) for contestant in contestants]
    pairs = [(result, asking) for asking in demand.campaigns for result in results]
    tasks = [Task(asking, result.contestant.terms, with_events) for result, asking in pairs]
    for done, ((result, _), (till, events)) in enumerate(zip(pairs, _replayed(tasks), strict=True), 1):
        result.till.add(till)
        result.events += events
        progress(done, len(pairs))
    for result in results:
        result.events.sort(key=lambda event: event[0])
    return results


def clairvoyant(demand: ReplayedDemand, contestant: Contestant) -> tuple[int, int]:
    """What somebody who knows all that will be asked for buys and loses: each item at its moment, and nothing else."""
    counted = sum(minute >= contestant.terms.counts_from for one in demand.campaigns for minute in one.minutes)
    return counted, 0


def counting_from(demand: ReplayedDemand, warm_up_days: float) -> float:
    """The minute from which figures count: after so many days in which rules learn."""
    return demand.start + warm_up_days * MINUTES_A_DAY


def _replayed(tasks: Sequence[Task]) -> Iterator[tuple[Till, list[Event]]]:
    """What each task comes to, in their order; many takes are shared out among the processors."""
    takes = sum(len(task.asking.minutes) for task in tasks)
    if len(tasks) < 2 or takes < WORTH_PROCESSES:
        yield from map(_replay, tasks)
        return
    with ProcessPoolExecutor(min(len(tasks), os.cpu_count() or 1)) as processes:
        yield from processes.map(_replay, tasks)


def _replay(task: Task) -> tuple[Till, list[Event]]:
    events: list[Event] = []

    def book(minute: float, campaign_id: str, event: str, quantity: int) -> None:
        events.append((minute, campaign_id, event, quantity))

    replay = Replay(task.asking, task.terms)
    if task.with_events:
        replay.book = book
    return replay.run(), events


def with_bell(contestant: Contestant, *, bell: bool) -> Contestant:
    """The same policy, with takes that ring or without."""
    return replace(contestant, terms=replace(contestant.terms, bell=bell))
