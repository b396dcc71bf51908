"""Why a campaign is ordered for, or is not, in a sentence: what is expected, what covers what, which limit binds."""

from kylink_cli.language import for_programs, tr
from kylink_cli.rules import counted
from kylink_cli.rules.order_limits import Limited
from kylink_cli.rules.reorder import Reorder
from kylink_cli.rules.replenishment import Need
from kylink_cli.rules.vocabulary import LimitSource, WatermarkSource


def reason(need: Need) -> str:
    """What decided a campaign's watermark and target."""
    if need.reorder is None:
        parts = [_by_settings(need)]
    else:
        parts = [_expected(need.reorder), _surviving(need.reorder), _unused(need.reorder), _own(need)]
    if need.limited is not None:
        parts.append(order_limit_reached(need.limited))
    return "; ".join(part for part in parts if part)


def order_limit_reached(limited: Limited) -> str:
    """Which limit keeps items from being ordered."""
    missing = counted.items(limited.items)
    match limited.by:
        case LimitSource.OWN:
            return tr("{items} not ordered: its own limit of {limit} in 24 h", items=missing, limit=limited.limit)
        case LimitSource.CAMPAIGN:
            return tr(
                "{items} not ordered: CAMPAIGN_ORDER_LIMIT_PER_DAY is {limit} in 24 h",
                items=missing,
                limit=limited.limit,
            )
        case LimitSource.ALL:
            return tr(
                "{items} not ordered: ORDER_LIMIT_PER_DAY is {limit} in 24 h for all campaigns",
                items=missing,
                limit=limited.limit,
            )


def reason_for_programs(need: Need) -> str:
    """The same sentence in English, whatever language people read here."""
    with for_programs():
        return reason(need)


def _by_settings(need: Need) -> str:
    mark = need.watermark
    if mark.source == WatermarkSource.OWN:
        return _own(need)
    if mark.source == WatermarkSource.DEFAULT:
        return tr("new, and without demand so far: it starts with {target}", target=need.target)
    capped = tr(", capped") if mark.capped else ""
    return tr("consumed {number} in 24 hours{capped}", number=need.level.consumed_24h, capped=capped)


def _expected(found: Reorder) -> str:
    return tr(
        "expects {items} in the next {minutes}, {certain} with {percent} % certainty",
        items=_items(found.expected),
        minutes=counted.minutes(round(found.minutes)),
        certain=found.certain,
        percent=f"{100 * found.service_level:.6g}",
    )


def _surviving(found: Reorder) -> str:
    if not found.to_survive:
        return ""
    minutes = counted.minutes(round(found.cover_minutes))
    if found.to_survive == found.certain:
        return tr("all of them to survive an outage of {minutes}", minutes=minutes)
    return tr("{number} of them to survive an outage of {minutes}", number=found.to_survive, minutes=minutes)


def _items(expected: float) -> str:
    """So many items, or parts of one, in three digits."""
    text = f"{expected:.3g}"
    return counted.items(1) if text == "1" else tr("{expected} items", expected=text)


def _unused(found: Reorder) -> str:
    if not found.unused:
        return ""
    return tr(
        "of these and an hour's demand more, {number} are left out: they would expire unused", number=found.unused
    )


def _own(need: Need) -> str:
    """What the campaign itself says, which wins."""
    level = need.level
    if level.own_watermark is not None and level.own_target is not None:
        return tr("its own watermark and target win")
    if level.own_watermark is not None:
        return tr("its own watermark wins")
    return tr("its own target wins") if level.own_target is not None else ""
