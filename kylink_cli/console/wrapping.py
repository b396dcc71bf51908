"""Text in lines that fit: wrapped at words, by what a terminal shows.

A Chinese character takes two cells of a terminal; a line may end after any of them, but not before a closing mark.
"""

import re
from collections.abc import Iterator
from unicodedata import combining, east_asian_width

# Comma, full stop, semicolon and the like, as Chinese writes them.
_CLOSING = r"\u3001\u3002\u300b\u300d\u300f\u2019\u201d\uff01\uff09\uff0c\uff1a\uff1b\uff1f"
# A wide character or a word, each with the closing marks after it; or blanks.
_PIECE = re.compile(rf"\s+|(?:[\u2e80-\uffef]|[^\s\u2e80-\uffef]+)[{_CLOSING}]*")


def cells(text: str) -> int:
    """How wide a terminal shows a text."""
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most that many cells, with an empty one between its paragraphs."""
    paragraphs = [list(_lines(" ".join(paragraph.split()), width)) for paragraph in text.split("\n\n")]
    return [line for paragraph in paragraphs for line in [*paragraph, ""]][:-1]


def _lines(paragraph: str, width: int) -> Iterator[str]:
    line = ""
    for piece in _PIECE.findall(paragraph):
        if line and cells(line) + cells(piece.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += piece if line else piece.lstrip()
    yield line.rstrip()
