"""What a campaign's fields may hold, and what a change makes of a campaign."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from kylink_cli.language import tr
from kylink_cli.rules.text import bare, has_control_characters, has_hidden_characters, one_line
from kylink_cli.rules.vocabulary import CampaignStatus

# Values by field, checked; a field that is missing stays as it is.
Fields = Mapping[str, Any]

WATERMARK_LIMIT = 10_000
TARGET_LIMIT = 20_000
HIGHEST_ORDER_LIMIT = 1_000_000
_SHOWN_LENGTH = 60
# How people and their tools name a campaign's status.
STATUSES: Mapping[str, str] = {
    "active": CampaignStatus.ACTIVE,
    "enabled": CampaignStatus.ACTIVE,
    "paused": CampaignStatus.PAUSED,
    "inactive": CampaignStatus.PAUSED,
    "removed": CampaignStatus.PAUSED,
    "已启用": CampaignStatus.ACTIVE,
    "已暂停": CampaignStatus.PAUSED,
    "已移除": CampaignStatus.PAUSED,
}


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What an operator says of a campaign.

    Attributes:
        campaign_id: the campaign.
        user_id: whose campaign it is.
        name: what people call it.
        status: `active` or `paused`.
        country: passed on to the supply service.
        source_url: passed on to the supply service.
        low_watermark: its own reorder point, items; None for the dynamic one.
        target_stock: its own order-up-to level, items; None for the rule's.
        order_limit: items that may be ordered for it in 24 hours; 0 for no limit, None for the setting's.
    """

    campaign_id: str
    user_id: str
    name: str
    status: str = CampaignStatus.ACTIVE
    country: str | None = None
    source_url: str | None = None
    low_watermark: int | None = None
    target_stock: int | None = None
    order_limit: int | None = None


def parse_field(field: str, text: str) -> str | int | None:
    """Read a field of a campaign; blanks around it are not meant.

    Args:
        field: the field's name in `CampaignFacts`.
        text: what was given; nothing clears a field that may be empty.

    Returns:
        The field's value, None if it is cleared.

    Raises:
        ValueError: it is not allowed; the message names the field, what was given and what is allowed.
    """
    clean = bare(text)
    if not clean and field not in REQUIRED:
        return None
    try:
        return _PARSERS[field](clean)
    except ValueError as error:
        raise ValueError(
            tr("{field} is {clean!r}: {error}", field=field, clean=one_line(clean, _SHOWN_LENGTH), error=error)
        ) from None


def changed(existing: CampaignFacts | None, fields: Fields) -> CampaignFacts:
    """A campaign after a change.

    Args:
        existing: the campaign as it is, None if it is new.
        fields: the fields to change, checked; a new campaign without a name is called by its id.

    Raises:
        ValueError: the outcome is no valid campaign.
    """
    if existing is not None:
        outcome = replace(existing, **fields)
    elif "user_id" in fields:
        outcome = CampaignFacts(**{"name": fields["campaign_id"], **fields})
    else:
        raise ValueError(tr("user_id is missing, and the campaign is new: --user USER supplies it"))
    _check_levels(outcome)
    return outcome


def differences(before: CampaignFacts, after: CampaignFacts) -> dict[str, tuple[Any, Any]]:
    """The fields in which two states of a campaign differ, each with its old and new value."""
    old, new = asdict(before), asdict(after)
    return {field: (old[field], new[field]) for field in old if old[field] != new[field]}


def _check_levels(facts: CampaignFacts) -> None:
    mark, upto = facts.low_watermark, facts.target_stock
    if mark is not None and upto is not None and upto <= mark:
        raise ValueError(
            tr("target_stock is {upto}: must be above low_watermark, which is {mark}", upto=upto, mark=mark)
        )


def _text(limit: int) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not text:
            raise ValueError(tr("must not be empty"))
        if len(text) > limit:
            raise ValueError(tr("must have at most {limit} characters, not {number}", limit=limit, number=len(text)))
        if not has_hidden_characters(text):
            return text
        if has_control_characters(text):
            raise ValueError(tr("must not hold control characters"))
        raise ValueError(tr("must not hold characters that can't be seen"))

    return parse


def _url(text: str) -> str:
    _text(4096)(text)
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or " " in text:
        raise ValueError(tr("must be an http:// or https:// address"))
    return text


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        is_short_number = text.isascii() and text.isdigit() and len(text) <= 9
        if not is_short_number or not lowest <= int(text) <= highest:
            raise ValueError(tr("must be a whole number from {lowest} to {highest}", lowest=lowest, highest=highest))
        return int(text)

    return parse


def _status(text: str) -> str:
    status = STATUSES.get(text.lower())
    if status is None:
        raise ValueError(tr("must be active or paused"))
    return status


_PARSERS: dict[str, Callable[[str], str | int]] = {
    "campaign_id": _text(200),
    "user_id": _text(200),
    "name": _text(500),
    "status": _status,
    "country": _text(100),
    "source_url": _url,
    "low_watermark": _number(1, WATERMARK_LIMIT),
    "target_stock": _number(2, TARGET_LIMIT),
    "order_limit": _number(0, HIGHEST_ORDER_LIMIT),
}

FIELDS = tuple(_PARSERS)
REQUIRED = frozenset({"campaign_id", "user_id", "name", "status"})
