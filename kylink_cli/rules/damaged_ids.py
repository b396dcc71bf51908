"""Ids and values that a spreadsheet or a program has damaged on the way."""

import re

from kylink_cli.language import tr

_ROUNDED = r"[0-9]+([.,][0-9]+)?[eE][+-][0-9]+"  # 1.23457E+11
_NUMBER = re.compile(
    rf"""[+-]?(
    {_ROUNDED}
    | [0-9]+[.,][0-9]+[eE][0-9]+            # 2.1E10
    | [0-9]+[.,][0-9]*                      # 21000000001.0
    | [0-9]+([\s.,'\u2019_][0-9]+)+              # 21,000,000,001
    )""",
    re.VERBOSE,
)
_ERROR = re.compile(r"\#(\#*|N/A|NV|[\w/]+[!?])|Err:[0-9]+", re.IGNORECASE)
_NOTHING = {"nan", "-nan", "nat", "null", "none", "n/a", "<na>", "nil", "undefined", "\\n", "-", "--", "---", "\u2014"}
# What no program writes for an empty cell, and people do write for a value.
_WORDS = {"none", "nil", "-"}
_BOOLEANS = {"true", "false"}
_FORMULA = re.compile(r"=[A-Z]+\(.*", re.DOTALL)
_TOTAL = re.compile(r"((sub|grand)[ -]?)?totals?([:\s].*)?|[总總合小]计.*|[總合小]計.*", re.IGNORECASE | re.DOTALL)


def damage(text: str) -> str | None:
    """What has happened to an id on its way, and how to get it right; None if it looks like one."""
    if is_total(text):
        return tr("this is a line of totals: export the sheet without it")
    if stands_for_nothing(text):
        return tr("this stands for an empty cell: export the rows that have an id")
    if text.isdecimal() and not text.isascii():
        return tr("its digits are not 0 to 9: write it in these, and export it once more")
    if (
        text.lower() in _BOOLEANS
        or text.startswith(("'", "\u2018", "\u2019", "`", "="))
        or _NUMBER.fullmatch(text)
        or _ERROR.fullmatch(text)
    ):
        return _changed_by_a_spreadsheet()
    return None


def value_damage(text: str) -> str | None:
    """What has surely happened to a value on its way; of ids more is known, and so more is damage there."""
    if stands_for_nothing(text) and text not in _WORDS:
        return tr("this stands for an empty cell: export the rows that have a value")
    if re.fullmatch(_ROUNDED, text) or _ERROR.fullmatch(text) or text.startswith('="') or _FORMULA.fullmatch(text):
        return _changed_by_a_spreadsheet()
    return None


def _changed_by_a_spreadsheet() -> str:
    return tr(
        "a spreadsheet has changed it: format the column as plain text, fill it in again, and export it once more"
    )


def stands_for_nothing(text: str) -> bool:
    """Whether a cell is what programs write for an empty one."""
    return text.lower() in _NOTHING


def is_total(text: str) -> bool:
    """Whether a cell is the label of a line of totals."""
    return _TOTAL.fullmatch(text) is not None
