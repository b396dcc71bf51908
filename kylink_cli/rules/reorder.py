"""When to order and how much, by the forecast: the reorder point s and the order-up-to level S, and what decided them.

s covers, with a certainty, the time that the supply may fail and the time until somebody looks again. S adds an hour's
worth, so that a busy campaign is not ordered for item by item, but never what would probably expire unused.
"""

import math
from dataclasses import dataclass

from kylink_cli.rules.demand import MINUTES_AN_HOUR
from kylink_cli.rules.forecast import Forecast

# So surely what is bought has to be used before it expires: above the reorder point, and up to it.
USED_CERTAINTY = 0.9
KEPT_CERTAINTY = 0.8
ORDER_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Aim:
    """What the stock is to withstand.

    Attributes:
        service_level: the certainty with which the stock lasts until more comes, 0.5 to 0.9999.
        cover_minutes: how long the supply may fail, minutes.
        look_minutes: the time until somebody looks at the stock again, minutes.
        lowest: the smallest reorder point, items.
        life_minutes: how long an item may be used, minutes.
    """

    service_level: float = 0.9
    cover_minutes: float = 90
    look_minutes: float = 10
    lowest: int = 1
    life_minutes: float = 48 * MINUTES_AN_HOUR


@dataclass(frozen=True, slots=True)
class Reorder:
    """When to order and how much, and why.

    Attributes:
        point: order when fewer items are in stock.
        upto: order up to so many.
        service_level: the certainty that was asked for.
        cover_minutes: how long the supply may fail, minutes.
        minutes: the time that the point has to cover, minutes.
        expected: items that will be asked for in that time, in the mean.
        certain: items that will do for that time with the certainty of the service level.
        to_survive: those of them that are there for a supply that fails.
        unused: items that the point, or the order, would be higher by if they did not expire unused.
    """

    point: int
    upto: int
    service_level: float
    cover_minutes: float
    minutes: float
    expected: float
    certain: int
    to_survive: int
    unused: int


def reorder(forecast: Forecast, aim: Aim) -> Reorder:
    """When to order and how much.

    Args:
        forecast: what is to be expected.
        aim: what the stock is to withstand.
    """
    minutes = aim.cover_minutes + aim.look_minutes
    asked = forecast.spread(minutes)
    certain = asked.quantile(aim.service_level)
    without_outage = forecast.spread(aim.look_minutes).quantile(aim.service_level)
    wanted = max(aim.lowest, certain + 1)
    life = forecast.usual_spread(aim.life_minutes)
    used = life.surely(USED_CERTAINTY)
    point = max(aim.lowest, min(wanted, life.surely(KEPT_CERTAINTY)))
    wanted_upto = wanted + math.ceil(forecast.items(ORDER_MINUTES))
    upto = max(point, min(wanted_upto, used))
    return Reorder(
        point=point,
        upto=upto,
        service_level=aim.service_level,
        cover_minutes=aim.cover_minutes,
        minutes=minutes,
        expected=asked.mean,
        certain=certain,
        to_survive=max(0, certain - without_outage),
        unused=wanted_upto - upto,
    )
