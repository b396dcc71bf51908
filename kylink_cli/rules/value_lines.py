"""Lines of a file that holds one value each: what is a value, and what shows that the file is something else."""

import csv
import re
from collections.abc import Sequence

from kylink_cli.language import tr
from kylink_cli.rules.text import bare

_SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_DELIMITERS = (",", ";", "\t", "|")
# How sheets head a column of values.
_HEADING = re.compile(
    r"[^\W\d_]*codes?|values?|vouchers?|coupons?|tokens?|keys?|links?|urls?|suffix(es)?|serials?|numbers?|items?|ids?|pins?|"
    r"prox(y|ies)|names?|amounts?|[^\W\d_]*(码|值)",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\W\d_]+([ _-][^\W\d_]+)*")


def delimiter_of(line: str) -> str | None:
    """The delimiter that a line like `sep=;` names for the lines after it."""
    named = _SEPARATOR.fullmatch(line.strip(" \r\n")) or _SEPARATOR.fullmatch(bare(line))
    return None if named is None else named[1]


def value_of(line: str) -> str | None:
    """The value in a line, without blanks and quotation marks around it; None if it holds none, as comments do.

    Raises:
        ValueError: the line is more, or less, than a value; the message says why.
    """
    text = bare(line)
    if not text or text.startswith("#") or text.lower() == "value" or delimiter_of(line) is not None:
        return None
    return _unquoted(text) if text.startswith('"') else text


def is_sheet(lines: Sequence[str]) -> bool:
    """Whether lines are those of a table: headed like one, or most with a delimiter outside of `name=value`."""
    texts = [bare(line) for line in lines if bare(line) and not line.startswith("#") and delimiter_of(line) is None]
    if not texts:
        return False
    return _is_heading(texts[0].strip('"'), texts[1:]) or any(_are_cells(texts, mark) for mark in _DELIMITERS)


def _is_heading(first: str, others: Sequence[str]) -> bool:
    """Whether a line names what the others are, as `Coupon Code` does."""
    if not _WORDS.fullmatch(first):
        return False
    words = re.split(r"[ _-]", first)
    if _HEADING.fullmatch(words[-1]):
        return True
    return " " in first and bool(others) and not any(" " in other for other in others)


def _are_cells(texts: Sequence[str], delimiter: str) -> bool:
    rows = [text for text in texts if delimiter in text and "=" not in text]
    return (len(rows) > 1 and 2 * len(rows) > len(texts)) or (len(texts) == 1 and _all_headings(texts[0], delimiter))


def _all_headings(text: str, delimiter: str) -> bool:
    cells = text.split(delimiter)
    return len(cells) > 1 and any(_is_heading(bare(cell), []) for cell in cells)


def _unquoted(text: str) -> str:
    try:
        cells = next(csv.reader([text], strict=True))
    except csv.Error:
        raise ValueError(tr("a quotation mark is not closed, or something follows it")) from None
    if len(cells) > 1:
        raise ValueError(tr("the line has {cells} cells: one value a line is expected", cells=len(cells)))
    return bare(cells[0])
