"""Where the settings' values come from: environment, env file, credential file, default; first wins.

A name without a value counts as not set.
"""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Any, Literal, get_args

from dotenv.parser import parse_stream
from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from kylink_cli.errors import ConfigError
from kylink_cli.rules.text import one_line
from kylink_cli.settings import Settings

Source = Literal["environment", "file", "credential", "default"]

LOCAL_ENV_FILE = Path(".env")
SYSTEM_ENV_FILE = Path("/etc/kylink/kylink.env")
_SHOWN_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, with where each came from.

    Attributes:
        settings: the checked values.
        sources: where each field's value came from.
        env_file: the env file that was read, None if there is none.
    """

    settings: Settings
    sources: Mapping[str, Source]
    env_file: Path | None


def load(env_file: Path | None = None) -> Loaded:
    """Read and check the settings.

    Args:
        env_file: the env file to read; None reads `.env`, else `/etc/kylink/kylink.env`, if there is one.

    Raises:
        ConfigError: a value or a line of the env file is bad; all are named.
    """
    path = env_file or _found_env_file()
    from_file = {} if path is None else _read_env_file(path)
    credentials = _credentials_folder()
    try:
        with warnings.catch_warnings():
            # A unit without credentials has no such folder, which is no fault.
            warnings.simplefilter("ignore", UserWarning)
            settings = Settings(_secrets_dir=credentials, **from_file)
    except ValidationError as error:
        raise ConfigError("; ".join(_problem(detail) for detail in error.errors())) from None
    return Loaded(settings, _sources(from_file, credentials), path)


def is_secret(field: str) -> bool:
    """Whether a setting's value must never be shown."""
    return SecretStr in get_args(Settings.model_fields[field].annotation)


def unknown_names(env_file: Path | None) -> dict[str, str | None]:
    """The `KYLINK_…` names that are set and mean nothing, each with the nearest known name.

    Args:
        env_file: the env file that was read, None if there is none.
    """
    known = [field.upper() for field in Settings.model_fields]
    names = {name.upper() for name in os.environ}
    if env_file is not None:
        names |= {name.upper() for name in _parse(env_file)}
    unknown = sorted(name for name in names if name.startswith("KYLINK_") and name not in known)
    return {name: next(iter(get_close_matches(name, known, n=1)), None) for name in unknown}


def _found_env_file() -> Path | None:
    return next((path for path in (LOCAL_ENV_FILE, SYSTEM_ENV_FILE) if path.is_file()), None)


def _credentials_folder() -> Path | None:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(folder) if folder else None


def _read_env_file(path: Path) -> dict[str, Any]:
    """The fields that an env file sets."""
    values = {name.lower(): value for name, value in _parse(path).items()}
    return {field: values[field] for field in Settings.model_fields if values.get(field, "").strip()}


def _parse(path: Path) -> dict[str, str]:
    """The names and values of an env file, taken literally: `$` and `%` mean themselves.

    Raises:
        ConfigError: the file can't be read, or a line of it can't be understood.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"the env file {path} is not UTF-8 text") from error
    except OSError as error:
        raise ConfigError(f"the env file {path} can't be read: {error.strerror}") from error
    values = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            line = binding.original.line
            raise ConfigError(f"the env file {path} can't be understood from line {line} on: write NAME=value")
        if binding.key is not None:
            values[binding.key] = binding.value or ""
    return values


def _sources(from_file: Mapping[str, Any], credentials: Path | None) -> dict[str, Source]:
    environment = {name.lower() for name, value in os.environ.items() if value}

    def source(field: str) -> Source:
        if field in environment:
            return "environment"
        if field in from_file:
            return "file"
        if credentials is not None and (credentials / field).is_file():
            return "credential"
        return "default"

    return {field: source(field) for field in Settings.model_fields}


def _problem(detail: ErrorDetails) -> str:
    """One bad setting in one line: the name, what was given, what is allowed."""
    reason = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:
        return reason
    reason = reason[:1].lower() + reason[1:]
    field = str(detail["loc"][0])
    given = "(secret)" if is_secret(field) else repr(one_line(str(detail["input"]), _SHOWN_LENGTH))
    return f"{field.upper()} is {given}: {reason}"
