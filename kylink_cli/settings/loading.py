"""Where the settings' values come from: environment, env file, credential file, default; first wins.

A name without a value counts as not set.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from kylink_cli import language
from kylink_cli.errors import ConfigError
from kylink_cli.places import SYSTEM_CREDENTIALS
from kylink_cli.settings.env_files import believed, by_field, choose, parse, read_text
from kylink_cli.settings.fields import Settings, is_secret

Source = Literal["flag", "environment", "file", "credential", "default"]

_OWN_PREFIX = "KYLINK_"
_SURELY_MEANT = 0.85


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, with where each came from."""

    settings: Settings
    sources: Mapping[str, Source]  # by field
    env_file: Path | None  # None if none was read
    refused: str | None = None  # why that of the working directory was not read, in a line


def load(env_file: Path | None = None) -> Loaded:
    """Read and check the settings.

    Args:
        env_file: the env file to read; None reads `.env`, else `/etc/kylink/kylink.env`, if there is one.

    Raises:
        ConfigError: a value or a line of the env file is bad, and all bad values are named; or others could have
            written the file.
    """
    choice = choose(env_file)
    values: dict[str, str] = {}
    sources: dict[str, Source] = dict.fromkeys(Settings.model_fields, "default")
    for source, found in _from_weakest(choice.path):
        values |= found
        sources |= dict.fromkeys(found, source)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        from kylink_cli.settings.messages import problem

        raise ConfigError(*[problem(detail) for detail in error.errors()]) from None
    language.use(settings.kylink_lang)
    return Loaded(settings, sources, choice.path, choice.refused)


def faults(values: Mapping[str, str]) -> list[str]:
    """What is wrong with some settings, a line each; secrets are masked.

    Args:
        values: the settings by name; those without a value count as not set.
    """
    try:
        Settings.model_validate(filled(values))
    except ValidationError as error:
        from kylink_cli.settings.messages import problem

        return [problem(detail) for detail in error.errors()]
    return []


def unknown_names(env_file: Path | None) -> dict[str, str | None]:
    """The names that are set and mean nothing, each with the nearest known name.

    The environment is full of others' names: there, only `KYLINK_…` is looked at. In the env file, a name that is
    nearly a known one counts too.

    Args:
        env_file: the env file that was read, None if there is none.
    """
    known = [field.upper() for field in Settings.model_fields]
    in_file = {} if env_file is None else parse(env_file)
    own = {name.upper() for name in [*os.environ, *in_file] if name.upper().startswith(_OWN_PREFIX)}
    misspelt = {name.upper() for name in in_file if get_close_matches(name.upper(), known, 1, _SURELY_MEANT)}
    unknown = sorted((own | misspelt).difference(known))
    return {name: next(iter(get_close_matches(name, known, n=1)), None) for name in unknown}


def _from_weakest(env_file: Path | None) -> Iterator[tuple[Source, dict[str, str]]]:
    """What each source sets, field by field; each wins over the ones before it."""
    yield "credential", filled({field: read_credential(path) for field, path in credential_files().items()})
    yield "file", filled({} if env_file is None else parse(env_file))
    yield "environment", filled(os.environ)


def filled(values: Mapping[str, str]) -> dict[str, str]:
    """The fields among some names, without those that are blank."""
    given = by_field(values)
    return {field: given[field] for field in Settings.model_fields if field in given}


def credential_files() -> dict[str, Path]:
    """The secret fields that are kept in files, named after them.

    systemd hands them over (systemd.exec(5), LoadCredential); without it they are where it takes them from, for whoever
    may read them there.
    """
    handed_over = os.environ.get("CREDENTIALS_DIRECTORY")
    folder = Path(handed_over) if handed_over else SYSTEM_CREDENTIALS
    files = {field: folder / field for field in Settings.model_fields if is_secret(field)}
    return {field: path for field, path in files.items() if _is_meant(path, handed_over=bool(handed_over))}


def read_credential(path: Path) -> str:
    """A secret that is kept in a file.

    Raises:
        ConfigError: it can't be read, or somebody else could have written it.
    """
    return read_text(path if os.environ.get("CREDENTIALS_DIRECTORY") else believed(path), "credential")


def _is_meant(path: Path, *, handed_over: bool) -> bool:
    try:
        return path.is_file() and (handed_over or os.access(path, os.R_OK))
    except PermissionError:
        return False


def changed(settings: Settings, values: Mapping[str, str]) -> Settings:
    """The same settings but for some values, by the names of their fields.

    Raises:
        ConfigError: a value is bad, and all bad values are named.
    """
    from kylink_cli.settings.messages import problem

    try:
        return Settings.model_validate(settings.model_dump(exclude_unset=True) | dict(values))
    except ValidationError as error:
        raise ConfigError(*[problem(detail) for detail in error.errors()]) from None
