"""Env files: names and values, a line each; and which of them is read.

python-dotenv's own functions skip a line that they can't read, and only log it. Such a line must end the command, so
its parser is asked, which is where those functions get their lines from.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from kylink_cli.errors import ConfigError
from kylink_cli.language import tr
from kylink_cli.places import LOCAL_ENV_FILE, SYSTEM_ENV_FILE
from kylink_cli.reasons import refusal
from kylink_cli.trust import distrust


@dataclass(frozen=True, slots=True)
class Choice:
    """The env file that is read.

    Attributes:
        path: the file; None if there is none.
        refused: why the one in the working directory is not read although it is there, in a line; else None.
    """

    path: Path | None
    refused: str | None = None


def choose(named: Path | None = None) -> Choice:
    """Find the env file to read: the one that is named, else that of the working directory, else the system's.

    Whoever is led into a folder is not to be led by its `.env`: what others could have written there is passed over.

    Args:
        named: the file that was asked for; None for whichever is there.

    Raises:
        ConfigError: the one that was named, or the system's, can't be believed.
    """
    if named is not None:
        return Choice(believed(named))
    refused = None
    if _is_meant_for_us(LOCAL_ENV_FILE):
        doubt = _distrust(LOCAL_ENV_FILE, shared_folder=False)
        if doubt is None:
            return Choice(LOCAL_ENV_FILE)
        refused = tr("{path} is not read: {reason}", path=LOCAL_ENV_FILE.absolute(), reason=doubt)
    return Choice(believed(SYSTEM_ENV_FILE) if _may_be_there(SYSTEM_ENV_FILE) else None, refused)


def believed(path: Path) -> Path:
    """A file of settings, if nobody else could have written it.

    Raises:
        ConfigError: somebody could.
    """
    doubt = _distrust(path, shared_folder=True)
    if doubt is not None:
        raise ConfigError(tr("the settings in {path} are not trusted: {reason}", path=path, reason=doubt))
    return path


def _distrust(path: Path, *, shared_folder: bool) -> str | None:
    try:
        return distrust(path, shared_folder=shared_folder)
    except OSError:
        return None  # whoever reads it says what is wrong


def _is_meant_for_us(path: Path) -> bool:
    """Whether it is a file; another user's that can't be read holds no settings for this one."""
    try:
        status = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and (status.st_uid == os.geteuid() or os.access(path, os.R_OK))


def _may_be_there(path: Path) -> bool:
    """Whether it is a file, or hidden from this user: reading it then says so, where silence would be no settings."""
    try:
        return path.is_file()
    except PermissionError:
        return True


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
        raise ConfigError(
            tr("the {kind} file {path} can't be read: {reason}", kind=kind, path=path, reason=refusal(error, path))
        ) from error


def _refuse(error: ConfigError) -> None:
    raise error


def parse(path: Path, on_bad_line: Callable[[ConfigError], None] = _refuse) -> dict[str, str]:
    """The names and values of an env file, taken literally: `$` and `%` mean themselves.

    Args:
        on_bad_line: notified of a line that can't be understood, which is left out if it returns.

    Raises:
        ConfigError: the file can't be read, or a line of it can't be understood.
    """
    values = {}
    for binding in parse_stream(StringIO(read_text(path, "env"))):
        if binding.error or (binding.key is not None and binding.value is None):
            line = binding.original.line
            on_bad_line(
                ConfigError(
                    tr(
                        "the env file {path} can't be understood from line {line} on: write NAME=value",
                        path=path,
                        line=line,
                    )
                )
            )
        elif binding.key is not None:
            values[binding.key] = binding.value or ""
    return values


def bindings(path: Path) -> Iterator[tuple[str, int, str]]:
    """Each name that an env file sets, with its line and all that is written there.

    Raises:
        ConfigError: the file can't be read.
    """
    for binding in parse_stream(StringIO(read_text(path, "env"))):
        if binding.key is not None and not binding.error:
            before = len(binding.original.string) - len(binding.original.string.lstrip("\r\n"))
            yield binding.key, binding.original.line + before, binding.original.string


def by_field(values: Mapping[str, str]) -> dict[str, str]:
    """Values under the names of settings' fields, whatever the case; a name without a value counts as not set."""
    return {name.lower(): value.strip() for name, value in values.items() if value.strip()}
