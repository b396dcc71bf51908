"""What a shell offers at the prompt: names out of the database, and settings. A shell asks at every press of a key."""

import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from kylink_cli.rules.text import one_line

if TYPE_CHECKING:
    from kylink_cli.store.names import Kind

# Set by the scripts of `kylink completion`.
VARIABLE = "_KYLINK_COMPLETE"

Completer = Callable[[typer.Context, str], list[tuple[str, str]]]

_HELP_LENGTH = 60


def _out_of_the_database(kind: "Kind") -> Completer:
    def complete(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        from kylink_cli.store.names import read_names

        try:
            found = read_names(_database_url(ctx), kind, _unquoted(incomplete))
        except Exception:  # noqa: BLE001  (whatever is wrong, a prompt is no place to say so)
            return []
        return [(name, one_line(text, _HELP_LENGTH)) for name, text in found]

    return complete


campaign_ids = _out_of_the_database("campaigns")
users = _out_of_the_database("users")
alert_ids = _out_of_the_database("alerts")
silence_ids = _out_of_the_database("silences")
run_ids = _out_of_the_database("runs")


def setting_names(incomplete: str) -> list[str]:
    """The settings whose names begin so."""
    from kylink_cli.settings.fields import Settings

    return [field.upper() for field in Settings.model_fields if field.upper().startswith(incomplete.upper())]


def _database_url(ctx: typer.Context) -> str:
    """The setting that a shell needs; the others are not even read."""
    from kylink_cli.places import default_database_url
    from kylink_cli.settings.env_files import by_field, choose, parse

    env_file = choose(next((path for path in _env_files(ctx) if path is not None), None)).path
    in_file = {} if env_file is None else by_field(parse(env_file))
    return (in_file | by_field(os.environ)).get("database_url") or default_database_url()


def _env_files(ctx: Any) -> Iterator[Path | None]:
    """The env files that the line names so far, of the command before those of its groups."""
    while ctx is not None:
        yield ctx.params.get("env_file")
        ctx = ctx.parent


def _unquoted(typed: str) -> str:
    try:
        return "".join(shlex.split(typed))
    except ValueError:
        # An opening quote that is not closed yet.
        return typed.lstrip("'\"")
