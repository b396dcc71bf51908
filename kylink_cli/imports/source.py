"""Where an import's text comes from: a file, standard input, or an address."""

import re
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence
from pathlib import Path

from kylink_cli.errors import BadFileError
from kylink_cli.imports.download import download, is_address
from kylink_cli.language import ntr, tr
from kylink_cli.reasons import reason
from kylink_cli.rules.addresses import shown_address
from kylink_cli.rules.campaign_import import Fault
from kylink_cli.rules.text import one_line

STANDARD_INPUT = "-"
_LISTED_FAULTS = 20
# How files begin that hold a sheet and are none in text: Excel's and LibreOffice's, old and new, and compressed ones.
_NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"%PDF", b"{\\rtf")
_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml)\b", re.IGNORECASE)


def read_text(source: str) -> str:
    """The whole text of a source; a byte order mark is dropped, lines end with a line feed.

    Args:
        source: a file's path, `-` for standard input, or the `https://` address of a sheet.

    Raises:
        BadFileError: it can't be read, is neither UTF-8 nor UTF-16, or is a workbook or a web page.
    """
    try:
        data = _data(source)
        _refuse_another_kind(source, data)
        return data.decode(_encoding(data)).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadFileError(
            tr("{source} is not UTF-8 text (line {line}): save it as UTF-8", source=shown(source), line=line)
        ) from None
    except (OSError, ValueError) as error:
        raise BadFileError(tr("{source} can't be read: {reason}", source=shown(source), reason=reason(error))) from None


def _refuse_another_kind(source: str, data: bytes) -> None:
    if data.startswith(_NO_TEXT):
        raise BadFileError(
            tr("{source} is a workbook or compressed, not text: export the sheet as CSV", source=shown(source))
        )
    if _PAGE.match(data):
        raise BadFileError(tr("{source} is a web page or XML: download the sheet itself, as CSV", source=shown(source)))


def _data(source: str) -> bytes:
    if source == STANDARD_INPUT:
        return _standard_input()
    return download(source) if is_address(source) else Path(source).read_bytes()


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise BadFileError(tr("standard input is closed: nothing was changed"))
    return sys.stdin.buffer.read()


def _encoding(data: bytes) -> str:
    """UTF-16 as spreadsheets write it, with or without a byte order mark, else UTF-8."""
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    if data[1:2] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if data[:1] == b"\0" else "utf-8-sig"


def shown(source: str) -> str:
    """What to call a source in a message."""
    if source == STANDARD_INPUT:
        return tr("standard input")
    return shown_address(source) if is_address(source) else one_line(source)


def refuse_faults(source: str, faults: Sequence[Fault]) -> None:
    """End an import whose file has faults.

    Raises:
        BadFileError: there is a fault; the first ones are listed with their lines.
    """
    if not faults:
        return
    listed = [str(fault) for fault in sorted(faults, key=lambda fault: fault.line)[:_LISTED_FAULTS]]
    if len(faults) > _LISTED_FAULTS:
        listed.append(tr("… and {number} more", number=len(faults) - _LISTED_FAULTS))
    raise BadFileError(
        ntr(
            "{source} has {n} bad row: nothing was changed",
            "{source} has {n} bad rows: nothing was changed",
            len(faults),
            source=shown(source),
        ),
        listed,
    )
