"""What the report replays: the last four weeks, under the settings in force and under two others."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kylink_cli.cli.policies import Setup, contestant
from kylink_cli.language import tr
from kylink_cli.report.simulated import Simulated
from kylink_cli.rules.vocabulary import ReplenishRule
from kylink_cli.simulation.comparison import compare, counting_from
from kylink_cli.simulation.demand import Own, of_hours, replayed
from kylink_cli.simulation.sample import sampled
from kylink_cli.simulation.shop import Shop, random_outages

if TYPE_CHECKING:
    from kylink_cli.rules.replenishment import Need
    from kylink_cli.settings.fields import Settings

# Of less, nothing can be said.
SHORTEST_DAYS = 3
WARM_UP_DAYS = 10
LEAD_SECONDS = 5
OUTAGE_MINUTES, OUTAGE_EVERY_HOURS = 45, 36
# A look and what lies around it take a tenth of a millisecond, under each policy.
LOOKS = 12_000


def look_back(settings: "Settings", needs: "Sequence[Need]") -> Simulated | None:
    """What other settings would have come to; None where there is too little demand to say.

    Args:
        needs: the campaigns, with what was asked of them.
    """
    levels = [n.level for n in needs if n.level.history.hours]
    owns = [Own(level.own_watermark, level.own_target, level.own_order_limit) for level in levels]
    series = [of_hours(one.campaign_id, one.history.hours, own) for one, own in zip(levels, owns, strict=True)]
    series = [one for one in series if any(count for _, count in one.counts)]
    some = sampled(series, LOOKS)
    if not some:
        return None
    asked = replayed(some, None, seed=1)
    if asked.days < SHORTEST_DAYS:
        return None
    counts_from = counting_from(asked, min(WARM_UP_DAYS, asked.days / 3))
    closed = random_outages(asked.start, asked.end, OUTAGE_MINUTES, OUTAGE_EVERY_HOURS, seed=1)
    shop = Shop(LEAD_SECONDS / 60, closed)
    setup = Setup(settings, shop, settings.is_bell_heard, asked.start, asked.end, counts_from)
    policies = _policies(settings)
    results = compare(asked, [contestant(policy, setup) for policy in policies.values()], lambda _done, _total: None)
    return Simulated(
        results=results,
        names=list(policies),
        replayed=len(some),
        asked=len(series),
        fixed=sum(None not in {one.own.watermark, one.own.target} for one in some),
        days=(asked.end - counts_from) / (24 * 60),
        outage=tr(
            "{minutes} minutes without supply every {hours} hours", minutes=OUTAGE_MINUTES, hours=OUTAGE_EVERY_HOURS
        ),
    )


def _policies(settings: "Settings") -> dict[str, str]:
    """The settings in force, and two others, as `kylink simulate` knows them; by what people call them."""
    if settings.replenish_rule == ReplenishRule.COVER:
        longer = min(1440, 2 * settings.cover_minutes or 60)
        return {
            tr("in force"): "current",
            tr("rule forecast"): "forecast",
            f"forecast, COVER_MINUTES={longer}": f"forecast:COVER_MINUTES={longer}",
        }
    others = (settings.cover_minutes // 2, min(1440, 2 * settings.cover_minutes or 60))
    return {
        tr("in force"): "current",
        **{f"COVER_MINUTES={minutes}": f"current:COVER_MINUTES={minutes}" for minutes in others},
    }
