"""Why a campaign is ordered for, or is not, in a sentence: what is expected, what covers what, which limit binds."""

from kylink_cli.language import for_programs, tr
from kylink_cli.rules.reorder import Reorder
from kylink_cli.rules.replenishment import Need
from kylink_cli.rules.vocabulary import WatermarkSource


def reason(need: Need) -> str:
    """What decided a campaign's watermark and target."""
    if need.reorder is None:
        return _by_settings(need)
    found = _expected(need.reorder)
    if need.reorder.to_survive:
        found += "; " + _surviving(need.reorder)
    if need.reorder.unused:
        found += "; " + _unused(need.reorder)
    own = _own(need)
    return f"{found}; {own}" if own else found


def reason_for_programs(need: Need) -> str:
    """The same sentence in English, whatever language people read here."""
    with for_programs():
        return reason(need)


def _by_settings(need: Need) -> str:
    mark = need.watermark
    if mark.source == WatermarkSource.OWN:
        return _own(need)
    if mark.source == WatermarkSource.DEFAULT:
        return tr("new, and nobody has asked for anything yet: it begins with {target}", target=need.target)
    capped = tr(", capped") if mark.capped else ""
    return tr("consumed {number} in 24 hours{capped}", number=need.level.consumed_24h, capped=capped)


def _expected(found: Reorder) -> str:
    return tr(
        "expects {expected} items in the next {minutes} minutes, {certain} with {percent} % certainty",
        expected=f"{found.expected:.3g}",
        minutes=f"{found.minutes:.0f}",
        certain=found.certain,
        percent=f"{100 * found.service_level:.6g}",
    )


def _surviving(found: Reorder) -> str:
    return tr(
        "{number} of them to survive an outage of {minutes} minutes",
        number=found.to_survive,
        minutes=f"{found.cover_minutes:.0f}",
    )


def _unused(found: Reorder) -> str:
    return tr("{number} fewer than that and an hour's worth: they would expire unused", number=found.unused)


def _own(need: Need) -> str:
    """What the campaign itself says, which wins."""
    level = need.level
    if level.own_watermark is not None and level.own_target is not None:
        return tr("its own watermark and target win")
    if level.own_watermark is not None:
        return tr("its own watermark wins")
    return tr("its own target wins") if level.own_target is not None else ""
