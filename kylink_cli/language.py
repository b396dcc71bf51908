"""The language that people read: English as it stands in the code, or a translation out of `locale/`.

    tr("{job} is paused", job=job)
    ntr("{n} item", "{n} items", count)

What is declared rather than said (help texts, headings, descriptions of settings) stands in the code in English and is
translated where it is shown; `marked` tells the catalogs of such a text where they cannot see it by themselves.
"""

import gettext
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Literal

Language = Literal["en", "zh"]

_DOMAIN = "kylink"
_CATALOGS = Path(__file__).parent / "locale"
_VARIABLES = ("KYLINK_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


def preferred() -> Language:
    """The language that the environment asks for: `KYLINK_LANG`, else the locale's, else English."""
    asked = next((value for name in _VARIABLES if (value := os.environ.get(name, "").strip())), "")
    return "zh" if asked.lower().startswith("zh") else "en"


def use(language: Language) -> None:
    """Speak a language from now on."""
    global _catalog  # noqa: PLW0603  (one process speaks one language)
    # The command line's parser looks its own words up by itself, and by this variable.
    os.environ["LANGUAGE"] = language
    _catalog = gettext.translation(_DOMAIN, _CATALOGS, [language], fallback=True)


@contextmanager
def for_programs() -> Iterator[None]:
    """Speak English meanwhile, in this thread or task: what programs read is the same in every language."""
    earlier = _meanwhile.set(gettext.NullTranslations())
    try:
        yield
    finally:
        _meanwhile.reset(earlier)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speak a language meanwhile, in this thread or task: one server has readers of both."""
    earlier = _meanwhile.set(gettext.translation(_DOMAIN, _CATALOGS, [language], fallback=True))
    try:
        yield
    finally:
        _meanwhile.reset(earlier)


def _spoken() -> gettext.NullTranslations:
    return _meanwhile.get() or _catalog


def tr(message: str, /, **values: object) -> str:
    """A text in the language of this process.

    Args:
        message: the English text, with a named placeholder for each value.
        values: what the placeholders stand for.
    """
    text = _spoken().gettext(message)
    return text.format(**values) if values else text


def ntr(one: str, many: str, n: int, /, **values: object) -> str:
    """A text that depends on a number, in the language of this process.

    Args:
        one: the English text for a single thing; `{n}` stands for the number.
        many: the English text for any other number.
        values: what further placeholders stand for.
    """
    return _spoken().ngettext(one, many, n).format(n=n, **values)


def marked(message: str, /) -> str:
    """The text as it is, which is translated where it is shown."""
    return message


_catalog: gettext.NullTranslations = gettext.NullTranslations()
_meanwhile: ContextVar[gettext.NullTranslations | None] = ContextVar("meanwhile", default=None)
use(preferred())
gettext.bindtextdomain(_DOMAIN, str(_CATALOGS))
gettext.textdomain(_DOMAIN)
