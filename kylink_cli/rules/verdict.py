"""The verdict: do consumers get what they ask for? One sentence and a tone, for whoever looks for three seconds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from kylink_cli.language import ntr, tr
from kylink_cli.rules.attention import Matter
from kylink_cli.rules.demand import Asked
from kylink_cli.rules.figures import Period
from kylink_cli.rules.moments import span
from kylink_cli.rules.situation import Situation
from kylink_cli.rules.vocabulary import JobName

# What nothing can be said of is neutral, and never good.
Tone = Literal["good", "warning", "bad", "neutral"]


@dataclass(frozen=True, slots=True)
class OverallVerdict:
    """How all is.

    Attributes:
        tone: the colour that it is said in.
        sentence: what is said.
    """

    tone: Tone
    sentence: str


def verdict(situation: Situation, matters: Sequence[Matter]) -> OverallVerdict:
    """Say how all is: the first that is true, from the worst on.

    Args:
        matters: what needs attention (`attention.py`).
    """
    if not situation.campaigns:
        return OverallVerdict("neutral", tr("There are no campaigns yet: nothing is kept in stock."))
    judges: Sequence[Callable[[Situation, Sequence[Matter]], OverallVerdict | None]] = (
        _of_empty,
        _of_jobs,
        _of_low,
        _of_refused,
        _of_others,
    )
    for judge in judges:
        if (found := judge(situation, matters)) is not None:
            return found
    return _all_well(situation)


def _of_empty(situation: Situation, _: Sequence[Matter]) -> OverallVerdict | None:
    empty = sum(one.empty for one in situation.campaigns)
    if not empty:
        return None
    opening = ntr("{n:,} campaign is empty", "{n:,} campaigns are empty", empty)
    return OverallVerdict("bad", _with_refusals(opening, situation))


def _of_jobs(situation: Situation, matters: Sequence[Matter]) -> OverallVerdict | None:
    """No campaign is empty, and what fills them does not work."""
    urgent = [one for one in matters if one.kind == "job" and one.urgent]
    if not urgent:
        return None
    filling = any(one.id == JobName.REPLENISH for one in urgent)
    opening = "; ".join(tr("{job}: {what}", job=one.id, what=one.what) for one in urgent)
    return OverallVerdict("bad" if filling else "warning", _with_refusals(opening, situation))


def _of_low(situation: Situation, _: Sequence[Matter]) -> OverallVerdict | None:
    failing = sum(one.failing for one in situation.campaigns)
    if not failing:
        return None
    opening = ntr(
        "{n:,} campaign is low and could not be refilled", "{n:,} campaigns are low and could not be refilled", failing
    )
    return OverallVerdict("warning", _with_refusals(opening, situation))


def _of_refused(situation: Situation, _: Sequence[Matter]) -> OverallVerdict | None:
    if not situation.asked.refused:
        return None
    return OverallVerdict("warning", _with_refusals(tr("Every campaign has stock now"), situation))


def _of_others(situation: Situation, matters: Sequence[Matter]) -> OverallVerdict | None:
    """What hurts no consumer today."""
    if not matters:
        return None
    opening = tr("Every campaign has stock, and nobody was turned away in {period}", period=length(situation.period))
    rest = ntr("{n} thing needs attention", "{n} things need attention", len(matters))
    return OverallVerdict("warning", tr("{opening}; {rest}.", opening=opening, rest=rest))


def _all_well(situation: Situation) -> OverallVerdict:
    period, taken = length(situation.period), situation.asked.taken
    if not any(one.need.level.active for one in situation.campaigns):
        return OverallVerdict("neutral", tr("Every campaign is paused: nothing is kept in stock."))
    if not taken:
        return OverallVerdict(
            "good", tr("Every campaign has stock; nobody has asked for anything in {period}.", period=period)
        )
    sentence = ntr(
        "Consumers get what they ask for: {n:,} item in {period}, and nobody was turned away.",
        "Consumers get what they ask for: {n:,} items in {period}, and nobody was turned away.",
        taken,
        period=period,
    )
    return OverallVerdict("good", sentence)


def _with_refusals(opening: str, situation: Situation) -> str:
    """A sentence that ends with who went without."""
    asked, period = situation.asked, length(situation.period)
    if not asked.refused:
        return tr("{opening}; nobody was turned away in {period}.", opening=opening, period=period)
    rest = ntr(
        "{n:,} consumer was turned away in {period}, {share} of demand",
        "{n:,} consumers were turned away in {period}, {share} of demand",
        asked.refused,
        period=period,
        share=share_refused(asked),
    )
    return tr("{opening}: {rest}.", opening=opening, rest=rest)


def share_refused(asked: Asked) -> str:
    """The share of demand that was refused; what was little is not said to be none."""
    share = asked.refused / asked.items if asked.items else 0.0
    return tr("less than 0.1 %") if 0 < share < 0.001 else tr("{percent:.1f} %", percent=100 * share)


def length(period: Period) -> str:
    """How long a period is, as a sentence says it: `24 hours`, `7 days`."""
    hours = round((period.until - period.since) / timedelta(hours=1))
    if hours % 24 == 0 and hours > 24:
        return ntr("{n} day", "{n} days", hours // 24)
    return ntr("{n} hour", "{n} hours", hours) if hours else span(period.until - period.since)
