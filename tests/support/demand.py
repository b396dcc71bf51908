"""Demand as it comes: seeded campaigns with days and weeks, bursts, an end, a beginning, and a step to ten times."""

import math
import random
from collections.abc import Callable

from kylink_cli.simulation.demand import MINUTES_A_DAY, Steps

STEP = 5
# 2026-01-05 was a Monday.
FIRST_MINUTE = 29_459_520


def generated(per_hour: float, days: int, seed: int) -> list[Steps]:
    """Six campaigns of about so many items an hour each."""
    shapes = {"steady": _steady, "dies": _dies, "born": _born, "step": _step, "daily": _daily, "weekly": _weekly}
    return [_series(name, shape, per_hour, days, f"{seed} {name}") for name, shape in shapes.items()]


def daily(per_hour: float, days: int, seed: int) -> Steps:
    """One campaign that is asked for more by day than by night."""
    return _series("daily", _daily, per_hour, days, f"{seed} daily")


def _series(name: str, shape: Callable[[float], float], per_hour: float, days: int, seed: str) -> Steps:
    """Counts around a shape, with bursts of about ten times that come about daily and last some minutes."""
    chance = random.Random(seed)
    counts, burst_ends = [], 0
    for minute in range(0, days * MINUTES_A_DAY, STEP):
        if minute >= burst_ends and chance.random() < STEP / MINUTES_A_DAY:
            burst_ends = minute + chance.randrange(10, 40)
        factor = 10 if minute < burst_ends else chance.gammavariate(4, 0.25)
        mean = per_hour * STEP / 60 * factor * shape(minute / (days * MINUTES_A_DAY))
        counts.append((float(FIRST_MINUTE + minute), _poisson(mean, chance)))
    return Steps(name, counts, STEP)


def _poisson(mean: float, chance: random.Random) -> int:
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    limit, product, number = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        number += 1
    return number


def _steady(_: float) -> float:
    return 1.0


def _dies(part: float) -> float:
    return 1.0 if part < 0.6 else 0.0


def _born(part: float) -> float:
    return 0.0 if part < 0.5 else 1.0


def _step(part: float) -> float:
    return 10.0 if 0.5 < part < 0.7 else 1.0


def _daily(part: float) -> float:
    return 1 + 0.9 * math.sin(part * 40 * 2 * math.pi)


def _weekly(part: float) -> float:
    return 0.4 if part * 40 % 7 > 5 else 1.2
