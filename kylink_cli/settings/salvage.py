"""The settings as far as they can be read: for what has to tell people that they can't be.

1. Every source gives what it can; of an env file, the lines that can be understood.
2. A bad value gives way to its default; of the addresses of channels, those that can be read stay.
3. Where values do not go together, those stay that it takes to tell people.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from kylink_cli import language
from kylink_cli.errors import ConfigError
from kylink_cli.rules.channel_urls import without_bad_urls
from kylink_cli.settings.env_files import choose, parse
from kylink_cli.settings.fields import Settings
from kylink_cli.settings.loading import credential_files, filled, read_credential
from kylink_cli.settings.messages import problem

_TO_TELL_PEOPLE = {"database_url", "alert_notify_urls", "alert_webhook_url", "alert_webhook_secret", "kylink_lang"}


@dataclass(frozen=True, slots=True)
class Salvaged:
    """Settings of which some may be defaults in the place of what is bad."""

    settings: Settings
    problems: tuple[str, ...]  # what is bad, a line each
    knows_database: bool  # else the setting that names it may be what could not be read


def salvage(env_file: Path | None = None) -> Salvaged:
    """Read the settings as far as they can be read, and speak their language.

    Args:
        env_file: the env file to read; None reads `.env`, else `/etc/kylink/kylink.env`, if there is one.
    """
    problems: list[str] = []
    values = _given(env_file, problems)
    is_all = not problems
    settings = _checked(values, problems)
    language.use(settings.kylink_lang)
    is_default_meant = is_all and not any(line.startswith("DATABASE_URL ") for line in problems)
    return Salvaged(settings, tuple(problems), "database_url" in values or is_default_meant)


def _given(env_file: Path | None, problems: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for field, path in credential_files().items():
        with _noted(problems):
            values |= filled({field: read_credential(path)})
    with _noted(problems):
        chosen = choose(env_file).path
        values |= {} if chosen is None else filled(parse(chosen, lambda error: problems.extend(error.problems)))
    return values | filled(os.environ)


@contextmanager
def _noted(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        problems += error.problems


def _checked(values: dict[str, str], problems: list[str]) -> Settings:
    """Take out of the values what is bad, until the rest are settings."""
    while True:
        try:
            return Settings.model_validate(values)
        except ValidationError as error:
            details = error.errors()
        problems += [problem(detail) for detail in details]
        bad = {str(detail["loc"][0]) for detail in details if detail["loc"]}
        for field in bad or values.keys() - _TO_TELL_PEOPLE or set(values):
            _take_out(field, values)


def _take_out(field: str, values: dict[str, str]) -> None:
    value = values.pop(field)
    if field == "alert_notify_urls" and (rest := without_bad_urls(value)):
        values[field] = rest
