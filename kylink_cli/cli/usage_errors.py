"""What is said of a line that the parser does not understand: in the reader's language, and with the bad value."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from typer.exceptions import TyperException

from kylink_cli.language import marked, tr
from kylink_cli.rules.text import nearest, one_line

_VALUE_LENGTH = 60

# The parser's own sentences, and kylink's in their place.
_SENTENCES: Final = (
    (
        r"Missing argument (?P<name>.+?)\. Choose from: (?P<choices>.+)",
        marked("Missing argument {name}. Choose from: {choices}"),
    ),
    (r"Missing argument (?P<name>.+?)\.", marked("Missing argument {name}")),
    (r"Missing option (?P<name>.+?)\.", marked("Missing option {name}")),
    (r"Missing command\.", marked("Missing command")),
    (
        r"No such option: (?P<name>.+?) \(Possible options: (?P<near>.+)\)",
        marked("No such option: {name}. Did you mean {near}?"),
    ),
    (r"No such option: (?P<name>.+)", marked("No such option: {name}")),
    (
        r"No such command (?P<name>.+?)\.+ Did you mean (?P<near>.+)\?",
        marked("No such command {name}. Did you mean {near}?"),
    ),
    (r"No such command (?P<name>.+?)\.", marked("No such command {name}")),
    (r"Got unexpected extra argument\(s\) \((?P<arguments>.*)\)", marked("Too many arguments: {arguments}")),
    (r"Option (?P<name>.+?) requires (?:an argument|\d+ arguments).*", marked("Option {name} needs a value")),
    (r"Option (?P<name>.+?) does not take a value\.", marked("Option {name} takes no value")),
    (
        r"Invalid value for (?P<name>.+?): (?:Value error, )?(?P<given>'.*') is not one of (?P<choices>.*?)\.?",
        marked("Invalid value for {name}: {given} is not one of {choices}"),
    ),
)
# By pydantic's name of the fault.
_ALLOWED: Final = {
    "int_parsing": marked("must be a whole number"),
    "int_from_float": marked("must be a whole number"),
    "int_parsing_size": marked("is too large"),
    "float_parsing": marked("must be a number"),
    "finite_number": marked("must be a number"),
    "greater_than_equal": marked("must be at least {ge}"),
    "less_than_equal": marked("must be at most {le}"),
}


def told(error: TyperException) -> str:
    """What is wrong, in one line."""
    message = " ".join(error.format_message().split())
    bad_value = _bad_value(message, getattr(error.__cause__, "errors", None))
    if bad_value is not None:
        return bad_value
    for pattern, sentence in _SENTENCES:
        found = re.fullmatch(pattern, message)
        if found is not None:
            return tr(sentence, **found.groupdict()) + _did_you_mean(**found.groupdict())
    return message.replace("Value error, ", "").rstrip(".")


def _did_you_mean(given: str = "", choices: str = "", **_: str) -> str:
    near = nearest(given, re.findall(r"[\w-]+", choices)) if given else None
    return tr(". Did you mean {near}?", near=near) if near else ""


def _bad_value(message: str, faults: Callable[[], Sequence[Any]] | None) -> str | None:
    """What is said of a number that is none, or out of bounds; None of anything else."""
    found = re.match(r"Invalid value for (?P<name>.+?): ", message)
    fault = faults()[0] if found and faults is not None else None
    if found is None or fault is None or fault["type"] not in _ALLOWED:
        return None
    allowed = tr(_ALLOWED[fault["type"]]).format(**fault.get("ctx", {}))
    given = repr(one_line(str(fault["input"]), _VALUE_LENGTH))
    return tr("Invalid value for {name}: {given} {allowed}", name=found["name"], given=given, allowed=allowed)
