"""What a stock item's value may be."""

from kylink_cli.rules.text import has_control_characters

VALUE_LENGTH = 4096


def value_fault(value: str) -> str | None:
    """Why a value can't be kept in stock, in a few words; None if it can."""
    if not value.strip():
        return "the value is empty"
    if len(value) > VALUE_LENGTH:
        return f"the value has {len(value)} characters: at most {VALUE_LENGTH} are allowed"
    if has_control_characters(value):
        return "the value holds control characters"
    return None
