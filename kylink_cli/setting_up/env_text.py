"""The text of an env file, with some of its names set anew."""

import re
from collections.abc import Mapping
from io import StringIO

from dotenv.parser import parse_stream

# What needs no quotes to mean itself.
_PLAIN = re.compile(r"[\w./:@%+,=&?~*!;-]*", re.ASCII)


def changed(text: str, values: Mapping[str, str]) -> str:
    """The text of an env file with some names set anew; whatever else it says stays as it is.

    A new name takes the place of its commented line, if there is one, else the last line.
    """
    missing = dict(values)
    parts = []
    for binding in parse_stream(StringIO(text)):
        line = binding.original.string
        if binding.key is not None and binding.key in values:
            missing.pop(binding.key, None)
            blanks = line[: len(line) - len(line.lstrip())]
            line = f"{blanks}{_line(binding.key, values[binding.key])}"
        parts.append(line)
    result = "".join(parts)
    for name, value in missing.items():
        result = _added(result, name, value)
    return result


def _added(text: str, name: str, value: str) -> str:
    line = _line(name, value)
    comment = re.search(rf"^#{name}=.*(\n|\Z)", text, re.MULTILINE)
    if comment is not None:
        return text[: comment.start()] + line + text[comment.end() :]
    return text + ("" if not text or text.endswith("\n") else "\n") + line


def _line(name: str, value: str) -> str:
    return f"{name}={_quoted(value)}\n"


def _quoted(value: str) -> str:
    """A value that is read as it is."""
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
