"""What a stock item's value may be."""

from kylink_cli.language import tr
from kylink_cli.rules.text import has_control_characters

VALUE_LENGTH = 4096


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
