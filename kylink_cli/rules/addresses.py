"""Addresses as they may be shown: everything but scheme, host and port is secret, by its place and not by its name.

A password that holds `@ / # ?` as it is, or a slip, moves what people mean as a secret to another place. Where an
address can be read in more than one way, nothing but its scheme is shown, and a database's is refused.
"""

import re
from urllib.parse import SplitResult, urlsplit

from kylink_cli.language import tr

MASK = "********"

# Paths of this host, which operators must see; what follows a `?` is for the driver.
_LOCAL = re.compile(r"(sqlite:///|file:|exec:)([^?]*)(\?.*)?", re.IGNORECASE | re.DOTALL)
_REMOTE = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<login>[^/?#]*@)?(?P<place>[^/?#@]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
_HOST = r"(?:\[[0-9a-f:.%]+\]|[\w.%-]*)(?::[0-9]{1,5})?"
_PLACE = re.compile(rf"{_HOST}(?:,{_HOST})*", re.IGNORECASE)
_PATH = re.compile(r"[\w./~-]*")
_OPAQUE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def shown_address(text: str) -> str:
    """An address with a mask for whatever may be secret in it; a text that is neither address nor path is masked."""
    if _PATH.fullmatch(text):
        return text
    if local := _LOCAL.fullmatch(text):
        kind, path, query = local.groups()
        return f"{kind}{path}" + (f"?{MASK}" if query else "")
    if remote := _plain(text):
        login = f"{MASK}@" if remote["login"] else ""
        rest = f"/{MASK}" if remote["rest"].strip("/") else remote["rest"]
        return f"{remote['scheme']}://{login}{remote['place']}{rest}"
    scheme = _OPAQUE.match(text)
    if scheme is None:
        return MASK
    slashes = "//" if text.startswith("//", scheme.end()) else ""
    is_all = scheme.end() == len(text)
    return text if is_all else f"{scheme[0]}{slashes}{MASK}"


def is_plain(address: str) -> bool:
    """Whether `scheme://login@host:port/…` can be read in one way only."""
    return _plain(address) is not None


def split(address: str) -> SplitResult:
    """The parts of an address.

    Raises:
        ValueError: it is none; the message shows nothing of it.
    """
    try:
        return urlsplit(address)
    except ValueError:
        raise ValueError(tr("can't be read as an address")) from None


def _plain(text: str) -> "re.Match[str] | None":
    found = _REMOTE.fullmatch(text)
    if found is None or not _PLACE.fullmatch(found["place"]):
        return None
    has_stray = "@" in found["rest"] or "@" in (found["login"] or "")[:-1]
    return None if has_stray else found
