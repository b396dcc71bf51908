"""Campaigns whose last runs went badly: they queue behind others, and rest while nothing new is to be had for them."""

from datetime import timedelta

# From so many failed runs in a row on, a campaign queues behind those that did not fail.
QUEUES_BEHIND_AFTER = 3
SHORTEST_REST = timedelta(minutes=30)
LONGEST_REST = timedelta(hours=8)
# Rounds of calls for a campaign that bring nothing but duplicates before its run gives up.
BARREN_ROUNDS = 2


def queues_behind(failed_runs: int) -> bool:
    """Whether a campaign comes after those whose last runs went well, however short its stock."""
    return failed_runs >= QUEUES_BEHIND_AFTER


def rest_after(barren_runs: int) -> timedelta:
    """How long nothing is ordered for a campaign after runs in a row that brought nothing but duplicates.

    Args:
        barren_runs: at least one.
    """
    return min(SHORTEST_REST * (1 << min(barren_runs - 1, 10)), LONGEST_REST)


def is_barren(rounds: int, duplicates: int, ordered: int) -> bool:
    """Whether a run stops ordering for a campaign: what comes is there already, and each round costs the same again.

    Args:
        rounds: rounds of calls so far that brought nothing but duplicates.
        duplicates: items that came and were there already.
        ordered: items that were wanted.
    """
    return rounds >= BARREN_ROUNDS or duplicates > ordered
