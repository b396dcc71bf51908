"""So many campaigns as can be replayed in a bounded time, drawn at random."""

import random
from collections.abc import Sequence

from kylink_cli.rules.demand import MINUTES_AN_HOUR
from kylink_cli.simulation.demand import Steps

# Looks of a timer in an hour, and takes that cost as much time as one look.
LOOKS_AN_HOUR = 6
TAKES_A_LOOK = 8


def sampled(series: Sequence[Steps], looks: int) -> list[Steps]:
    """Some campaigns, drawn at random, the same ones each time; all of them if there is the time.

    One that alone would take longer is left out.

    Args:
        looks: how many looks at a campaign there is the time for, with the takes between them.
    """
    order = list(series)
    random.Random("sample").shuffle(order)  # noqa: S311  (nothing secret)
    found = []
    for one in order:
        needs = _looks(one)
        if needs <= looks:
            found.append(one)
            looks -= needs
    return found


def _looks(one: Steps) -> int:
    """About so many looks a replay needs: those of the hours in which something is asked, and of the days between."""
    hours = {minute // MINUTES_AN_HOUR for minute, count in one.counts if count}
    items = sum(count for _, count in one.counts)
    return 30 + LOOKS_AN_HOUR * len(hours) + items // TAKES_A_LOOK
