"""Env files: names and values, a line each.

python-dotenv's own functions skip a line that they can't read, and only log it. Such a line must end the command, so
its parser is asked, which is where those functions get their lines from.
"""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from kylink_cli.errors import ConfigError
from kylink_cli.language import tr


def read_text(path: Path, kind: str) -> str:
    """A text file, whole.

    Args:
        kind: what it is, for an error's message.

    Raises:
        ConfigError: it can't be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(tr("the {kind} file {path} is not UTF-8 text", kind=kind, path=path)) from error
    except OSError as error:
        reason = (error.strerror or tr("unknown error")).lower()
        raise ConfigError(
            tr("the {kind} file {path} can't be read: {reason}", kind=kind, path=path, reason=reason)
        ) from error


def parse(path: Path) -> dict[str, str]:
    """The names and values of an env file, taken literally: `$` and `%` mean themselves.

    Raises:
        ConfigError: the file can't be read, or a line of it can't be understood.
    """
    values = {}
    for binding in parse_stream(StringIO(read_text(path, "env"))):
        if binding.error or (binding.key is not None and binding.value is None):
            line = binding.original.line
            raise ConfigError(
                tr(
                    "the env file {path} can't be understood from line {line} on: write NAME=value",
                    path=path,
                    line=line,
                )
            )
        if binding.key is not None:
            values[binding.key] = binding.value or ""
    return values


def by_field(values: Mapping[str, str]) -> dict[str, str]:
    """Values under the names of settings' fields, whatever the case; a name without a value counts as not set."""
    return {name.lower(): value.strip() for name, value in values.items() if value.strip()}
