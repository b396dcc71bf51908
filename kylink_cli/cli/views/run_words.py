"""What a run has come to, in words: only what there is to say, and what went wrong first."""

from collections.abc import Iterator, Mapping
from typing import Any

from kylink_cli.console.tables import milliseconds
from kylink_cli.language import marked, tr
from kylink_cli.rules import counted
from kylink_cli.rules.vocabulary import JobName
from kylink_cli.store.tables import Run

# The figures of runs that are no campaigns, by their names in the database: what is counted, and what has become of it.
_FIGURES = {
    "expired_leases": (counted.leases, marked("{things} expired")),
    "recovered": (counted.items, marked("{things} back in stock")),
    "discarded": (counted.items, marked("{things} discarded")),
    "expired_items": (counted.items, marked("{things} expired")),
    "deleted": (counted.rows, marked("{things} too old and deleted")),
    "checks": (counted.checks, marked("{things}")),
    "raised": (counted.checks, marked("{things} found something")),
    "purged": (counted.rows, marked("{things} too old and deleted")),
    "duplicates": (counted.items, marked("{things} there already")),
    "unsaid": (counted.log_lines, marked("{things} lost")),
}
# The other ends of campaigns in a replenish run.
_FARED = {
    "failed": marked("{n:,} failed"),
    "not_served": marked("{n:,} not served"),
    "partial": marked("{n:,} in part"),
    "skipped": marked("{n:,} passed over"),
}


def run_in_words(run: Run) -> str:
    """How a run went: its status, its figures, and how long it took."""
    said = figures_in_words(run.job, run.figures)
    status = tr(run.status)
    if run.duration_ms is not None:
        status = tr("{status} in {took}", status=status, took=milliseconds(run.duration_ms))
    return f"{status}; {said}" if said else status


def figures_in_words(job: str, figures: Mapping[str, Any]) -> str:
    """The figures of a run, without those that are nothing; empty if all are."""
    own = _filled(figures) if job == JobName.REPLENISH and figures.get("total") else iter(())
    others = (tr(words, things=count(figures[name])) for name, (count, words) in _FIGURES.items() if figures.get(name))
    return ", ".join([*own, *others])


def _filled(figures: Mapping[str, Any]) -> Iterator[str]:
    """How the campaigns of a replenish run fared."""
    total = counted.campaigns(figures["total"])
    yield tr("{number} of {total} filled", number=f"{figures.get('succeeded', 0):,}", total=total)
    for name, words in _FARED.items():
        if number := figures.get(name, 0):
            yield tr(words, n=number)
    if figures.get("produced"):
        yield counted.items(figures["produced"])
