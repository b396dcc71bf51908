"""Text from outside, made harmless before it is kept or shown."""

import math
import re
from collections.abc import Iterable
from difflib import get_close_matches
from unicodedata import bidirectional
from urllib.parse import quote

from kylink_cli.language import tr

# C0 and C1 controls, and the marks that turn the direction of text or break a line.
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+"
)
# What takes no room and can't be seen: two ids that look alike would be different campaigns. The selector of coloured
# emoji (U+FE0F) is left to those who like them.
_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u206f\u3164\ufe00-\ufe0e\uffa0"
    r"\ufff0-\ufffb\U000e0000-\U000e0fff]"
)

# Blanks of every width, with those that have none.
_BLANKS = (
    " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
)

_NUMBER_OR_NOT = re.compile(r"([0-9]+)|([^0-9]+)")

ERROR_LENGTH = 300
VALUE_LENGTH = 4096
# Shorter ones are no secrets, and hiding them would tear words apart.
_SECRET_LENGTH = 6


def one_line(text: str, limit: int | None = None) -> str:
    """Text with every control character replaced, on one line, cut with an ellipsis.

    Args:
        text: anything from outside: a name, a value, a supplier's error.
        limit: the greatest length of the result, characters; None for no limit.

    Returns:
        The text, safe for a terminal, a journal line and a table cell. Rich markup is not touched.
    """
    clean = _UNSAFE.sub(" ", text).strip()
    if limit is None or len(clean) <= limit:
        return clean
    return clean[: limit - 1] + "…"


def isolated(text: str) -> str:
    """Text that may be written from right to left, without an effect on the line that it stands in.

    Args:
        text: one line, clean.

    Returns:
        The text between the marks for that (Unicode's FSI and PDI), which take no room; others as they are.
    """
    turns = any(bidirectional(char) in {"R", "AL", "AN"} for char in text)
    return f"\u2068{text}\u2069" if turns else text


def bare(text: str) -> str:
    """Text without the blanks at its ends, whichever kind: copied text brings no-break and zero-width ones along."""
    return text.strip(_BLANKS)


def without_secrets(text: str, *secrets: str | None) -> str:
    """Text from somebody who was told secrets, with asterisks in their place.

    Args:
        text: for example the error of a service that echoes its request.
        secrets: what must not be shown, in whatever letter case; None for one that is not set.
    """
    for secret in secrets:
        if secret is not None and len(secret) >= _SECRET_LENGTH:
            for form in (secret, quote(secret, safe="")):
                text = re.sub(re.escape(form), "***", text, flags=re.IGNORECASE)
    return text


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The word that was probably meant, whatever the case and whichever kind of dash; None if none is like it."""
    by_letters = {_letters(candidate): candidate for candidate in known}
    found = get_close_matches(_letters(word), by_letters, n=1)
    return by_letters[found[0]] if found else None


def _letters(word: str) -> str:
    return word.lower().replace("-", "_")


def natural(text: str) -> tuple[tuple[float, str], ...]:
    """The key by which people sort: 1, 2, 10, and not 1, 10, 2."""
    return tuple((int(number) if number else math.inf, letters) for number, letters in _NUMBER_OR_NOT.findall(text))


def has_control_characters(text: str) -> bool:
    """Whether text holds a character that must not be stored in a value."""
    return _UNSAFE.search(text) is not None


def has_hidden_characters(text: str) -> bool:
    """Whether text holds what an id or a name must not: control characters, and such as can't be seen."""
    if text.isascii() and text.isprintable():
        return False
    return has_control_characters(text) or _INVISIBLE.search(text) is not None


def value_fault(value: str) -> str | None:
    """Why a value can't be kept in stock, in a few words; None if it can."""
    if not value.strip():
        return tr("the value is empty")
    if len(value) > VALUE_LENGTH:
        return tr(
            "the value has {number} characters: at most {limit} are allowed",
            number=len(value),
            limit=VALUE_LENGTH,
        )
    if has_control_characters(value):
        return tr("the value holds control characters")
    return None
