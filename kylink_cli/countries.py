"""The ISO codes of countries, as the supply service wants them, for what people and sheets write.

English and Chinese names come from pycountry; what people write and it lacks stands here.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from kylink_cli.language import tr
from kylink_cli.rules.text import bare

_LANGUAGES = ("zh_CN", "zh_TW", "zh_HK")
_OTHER_NAMES = {
    "america": "US",
    "british virgin islands": "VG",
    "brunei": "BN",
    "burma": "MM",
    "cape verde": "CV",
    "dr congo": "CD",
    "drc": "CD",
    "east timor": "TL",
    "england": "GB",
    "great britain": "GB",
    "holland": "NL",
    "hong kong sar": "HK",
    "ivory coast": "CI",
    "kosovo": "XK",
    "macau": "MO",
    "macau sar": "MO",
    "macedonia": "MK",
    "northern ireland": "GB",
    "russia": "RU",
    "scotland": "GB",
    "swaziland": "SZ",
    "turkey": "TR",
    "u k": "GB",
    "u s": "US",
    "u s a": "US",
    "uae": "AE",
    "uk": "GB",
    "us virgin islands": "VI",
    "vatican": "VA",
    "vatican city": "VA",
    "wales": "GB",
    "xk": "XK",
    "象牙海岸": "CI",
}
# Two countries are called so.
_DOUBTFUL = {"刚果", "剛果"}
# A comma may be part of a name, and so may be a word or a blank: the surest comes first.
_SEPARATORS = (r"[;|/\n、\uff1b]", r"[,\uff0c]", r"\band\b|&|和", r"\s")
_STRAY = " ;|/,、\uff1b\uff0c"
_LEFT_OUT = re.compile(r"\(.*?\)|\uff08.*?\uff09|\.")
_MARKS = re.compile(r"[\s'\u2019`_-]+")
_CACHED = 4096
_JOINT = "; "


@dataclass(frozen=True, slots=True)
class Countries:
    """What a text says about countries.

    Attributes:
        text: their codes, or the text as it is where not all are known.
        doubt: what is doubtful about it, in a few words; None if it is one country.
    """

    text: str
    doubt: str | None = None


def read_countries(text: str) -> Countries:
    """The codes of the countries that a text names, as in `United Kingdom; Ireland`.

    Several stay several, joined by a semicolon: which of them is meant, nobody but the operator can say.
    """
    clean = bare(text)
    codes = _codes(clean.strip(_STRAY))
    if codes is None:
        return Countries(clean, tr("is no country's name or ISO code, and goes to the supply service as it is"))
    found = _JOINT.join(dict.fromkeys(codes))
    if _JOINT in found:
        return Countries(found, tr("names several countries: the supply service is told {codes}", codes=found))
    return Countries(found)


@lru_cache(_CACHED)
def _codes(text: str) -> Sequence[str] | None:
    """The codes of all that a text names; None if anything of it is unknown."""
    if code := _by_name().get(_folded(text)) or _by_name().get(_folded(_turned(text))):
        return [code]
    for separator in _SEPARATORS:
        parts = [bare(part) for part in re.split(separator, text) if bare(part)]
        if len(parts) > 1:
            of_parts = [_codes(part) for part in parts]
            return None if None in of_parts else [code for codes in of_parts if codes for code in codes]
    return None


@cache
def _by_name() -> dict[str, str]:
    """The code of every name; one that two countries share is none's."""
    found: dict[str, str] = {}
    shared = set(_DOUBTFUL)
    for name, code in _names():
        folded = _folded(name)
        if found.setdefault(folded, code) != code:
            shared.add(folded)
    return {name: code for name, code in (found | _OTHER_NAMES).items() if name not in shared}


def _names() -> Iterator[tuple[str, str]]:
    import gettext

    import pycountry

    translations = [
        gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [language]).gettext for language in _LANGUAGES
    ]
    for country in pycountry.countries:
        names = [getattr(country, field, None) for field in ("name", "common_name", "official_name")]
        for name in filter(None, names):
            for form in (name, _turned(name), name.partition(",")[0], *(translate(name) for translate in translations)):
                yield form, country.alpha_2
        for code in (country.alpha_2, country.alpha_3, country.numeric):
            yield code, country.alpha_2


def _turned(name: str) -> str:
    """A name in the order of speech: `Korea, Republic of` is the `Republic of Korea`."""
    first, _, rest = name.partition(",")
    return f"{rest} {first}"


def _folded(name: str) -> str:
    """A name without what is written now one way, now another: case, accents, marks, articles."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    words = _MARKS.sub(" ", _LEFT_OUT.sub("", plain.casefold().replace("&", " and "))).strip()
    return re.sub(r"^the |^st (?=.)", lambda found: "" if found[0] == "the " else "saint ", words)
