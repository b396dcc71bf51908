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
# What heads a column of a table.
_NAME = re.compile(r"[^\W\d_][\w ./()#%-]*")
# Titles may stand before a table's header.
_TITLE_LINES = 20


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
    if not text or text.startswith("#") or _is_header(text) or delimiter_of(line) is not None:
        return None
    return _unquoted(text) if text.startswith('"') else text


def is_sheet(lines: Sequence[str]) -> bool:
    """Whether lines are those of a table: headed like one, or most with a delimiter outside of `name=value`.

    In doubt they are: what was no value must not reach consumers.
    """
    texts = [bare(line) for line in lines if bare(line) and not line.startswith("#") and delimiter_of(line) is None]
    if not texts:
        return False
    if not _is_header(texts[0]) and _is_heading(texts[0].strip('"'), texts[1:]):
        return True
    return any(_are_cells(texts, mark) for mark in _DELIMITERS)


def _is_header(text: str) -> bool:
    return text.lower() == "value"


def _is_heading(first: str, others: Sequence[str]) -> bool:
    """Whether a line names what the others are, as `Coupon Code` does."""
    if not _WORDS.fullmatch(first):
        return False
    words = re.split(r"[ _-]", first)
    if _HEADING.fullmatch(words[-1]):
        return True
    values = [other for other in others if not _is_header(other)]
    return " " in first and bool(others) and not any(map(_WORDS.fullmatch, values))


def _are_cells(texts: Sequence[str], delimiter: str) -> bool:
    if any(_are_headed(texts[start:], delimiter) for start in range(min(_TITLE_LINES, len(texts)))):
        return True
    rows = [text for text in texts if delimiter in text and "=" not in text]
    return (len(rows) > 1 and 2 * len(rows) > len(texts)) or (len(texts) == 1 and _all_headings(texts[0], delimiter))


def _are_headed(texts: Sequence[str], delimiter: str) -> bool:
    """Whether names of columns stand over lines of as many cells, whatever these hold."""
    names = [bare(cell).strip('"') for cell in texts[0].split(delimiter)]
    if len(names) < 2 or len(texts) < 2 or not all(map(_NAME.fullmatch, names)):
        return False
    return all(text.count(delimiter) >= len(names) - 1 for text in texts[1:])


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
