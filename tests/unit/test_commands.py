"""What every command has in common, asked of the commands themselves."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from kylink_cli.cli import app
from kylink_cli.cli.options import LARGEST_ID

# What has no result that a program could want: scripts for a shell, tours and pictures for people, a unit's own call.
WITHOUT_JSON = {"kylink completion", "kylink demo", "kylink serve", "kylink watch", "kylink systemd record-failure"}


def commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name in group.commands:
        command = group.commands[name]
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


COMMANDS = dict(commands(typer.main.get_command(app), "kylink"))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_with_a_result_takes_json(path: str) -> None:
    options = [option for parameter in COMMANDS[path].params for option in parameter.opts]
    assert ("--json" in options) == (path not in WITHOUT_JSON)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_argument_and_option_is_explained(path: str) -> None:
    assert [parameter.opts for parameter in COMMANDS[path].params if not parameter.help] == []


@pytest.mark.parametrize("path", COMMANDS)
def test_no_page_of_help_shows_a_type_for_a_value(path: str) -> None:
    page = COMMANDS[path].get_help(COMMANDS[path].make_context(path, ["--json"], resilient_parsing=True))
    assert not re.search(r"<(int|str|float|path)[ a-z]*>|<=x|x>=", page)
    assert str(LARGEST_ID) not in page


@pytest.mark.parametrize("path", ["kylink", "kylink jobs", *COMMANDS])
def test_a_short_option_shows_the_help_too(path: str) -> None:
    result = CliRunner().invoke(app, [*path.split()[1:], "-h"], prog_name="kylink")
    assert (result.exit_code, result.stdout.startswith(f"Usage: {path} ")) == (0, True)
