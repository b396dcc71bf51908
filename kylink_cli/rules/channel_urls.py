"""The addresses of notification channels, as settings hold them: several in one text, each with its lowest level."""

import re
from dataclasses import dataclass
from urllib.parse import urlunsplit

from kylink_cli.language import tr
from kylink_cli.rules.addresses import split
from kylink_cli.rules.vocabulary import LEVELS, AlertLevel

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*://"
# A comma may be part of an address; one that ends it is followed by a blank or by the next address.
_BETWEEN = re.compile(rf",?\s+|,(?={_SCHEME})")
_ADDRESS = re.compile(rf"{_SCHEME}.+")
_LEVEL_PARAMETER = "min_level"


@dataclass(frozen=True, slots=True)
class ChannelUrl:
    """Where a channel sends to, and what it carries.

    Attributes:
        url: the address, secrets included, without `min_level`.
        lowest: notices below this level are not for it.
    """

    url: str
    lowest: AlertLevel

    @property
    def scheme(self) -> str:
        """The kind of channel."""
        return self.url.partition("://")[0].lower()


def parse_channel_urls(text: str, default: AlertLevel = AlertLevel.INFO) -> list[ChannelUrl]:
    """Read addresses that are separated by blanks or commas.

    Args:
        text: the addresses; `min_level=ERROR` among the parameters of one is taken out of it.
        default: the lowest level of an address that names none.

    Raises:
        ValueError: one is no address, or names an unknown level; the message shows nothing of it but its place.
    """
    return [_parse(part, tr("address {n}", n=n), default) for n, part in enumerate(_parts(text), start=1)]


def without_bad_urls(text: str) -> str:
    """The addresses of a text that can be read."""
    return " ".join(part for part in _parts(text) if _is_readable(part))


def _is_readable(part: str) -> bool:
    try:
        parse_channel_urls(part)
    except ValueError:
        return False
    return True


def _parts(text: str) -> list[str]:
    return [part for part in _BETWEEN.split(text.strip().strip(",")) if part]


def _parse(text: str, which: str, default: AlertLevel) -> ChannelUrl:
    if not _ADDRESS.fullmatch(text):
        raise ValueError(tr("must be addresses like mailto://…, separated by blanks: {which} is not one", which=which))
    try:
        parts = split(text)
    except ValueError as error:
        raise ValueError(f"{which}: {error}") from None
    parameters = [p.partition("=") for p in parts.query.split("&")] if parts.query else []
    levels = [value.upper() for name, _, value in parameters if name == _LEVEL_PARAMETER]
    if any(level not in LEVELS for level in levels):
        raise ValueError(
            tr(
                "min_level of {which} must be {levels} or {last}",
                which=which,
                levels=", ".join(LEVELS[:-1]),
                last=LEVELS[-1],
            )
        )
    if not levels:
        return ChannelUrl(text, default)
    query = "&".join("".join(p) for p in parameters if p[0] != _LEVEL_PARAMETER)
    return ChannelUrl(urlunsplit(parts._replace(query=query)), AlertLevel(levels[-1]))
