"""The man page, written from the same help texts: `python -m tests.support.man_page` writes it anew."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from typer import Context

from kylink_cli import __version__
from kylink_cli.cli import app, exit_codes
from kylink_cli.cli.examples import EXAMPLES
from kylink_cli.cli.help_pages import in_words

PATH = Path(__file__).parents[2] / "docs" / "kylink.1"

EXIT_CODES = tuple((str(code), meaning) for code, meaning in exit_codes.EXIT_CODES)
_FILES = (
    (".env", "Settings, in the working directory."),
    ("/etc/kylink/kylink.env", "Settings, where there is no .env."),
    ("/etc/kylink/credentials/", "Secrets, each in a file named after its setting, in small letters."),
    ("$STATE_DIRECTORY/kylink.db", "The database, unless DATABASE_URL says otherwise; else in ~/.local/state/kylink."),
)
# In the order in which they stand in every command's help.
COMMON = ("--env-file", "--debug", "--quiet", "--verbose", "--no-color", "--log-format", "--help")


def render() -> str:
    """The whole page."""
    root: Any = typer.main.get_command(app)
    lines = [
        f'.TH KYLINK 1 "" "kylink {__version__}" "User commands"',
        # Options with many choices can't be stretched to the right margin.
        ".ad l",
        *_section("NAME", [rf"kylink \- {_text(_first(root.help))}"]),
        *_section("SYNOPSIS", [r".B kylink", r"[\fIoptions\fR] \fIcommand\fR [\fIarguments\fR]"]),
        *_section(
            "COMMON OPTIONS", ["They are accepted before the command and after it.", *_options(root, common=True)]
        ),
        *_section("COMMANDS", list(_commands(root, "kylink"))),
        *_section("EXIT STATUS", list(_listed(EXIT_CODES))),
        *_section("FILES", list(_listed(_FILES))),
        *_section(
            "SEE ALSO",
            [_text("'kylink COMMAND --help' says the same of one command; .env.example explains every setting.")],
        ),
    ]
    return "\n".join(lines) + "\n"


def _section(title: str, lines: list[str]) -> list[str]:
    return [f".SH {title}", *lines]


def _commands(group: Any, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield f".SS {_text(f'{path} {name}')}"
            yield from _paragraphs(command.help)
            yield from _commands(command, f"{path} {name}")
        else:
            yield from _command(command, f"{path} {name}")


def _command(command: Any, path: str) -> Iterator[str]:
    arguments = [parameter.metavar or parameter.name.upper() for parameter in command.params if _is_argument(parameter)]
    yield ".TP"
    yield " ".join([rf"\fB{_text(path)}\fR", *[rf"\fI{_text(argument)}\fR" for argument in arguments]])
    yield from _paragraphs(command.help)
    yield from [".IP", ".nf", *map(_text, EXAMPLES[path.partition(" ")[2]]), ".fi"]
    own = list(_options(command, common=False))
    if own:
        yield from [".RS", *own, ".RE"]


def _options(command: Any, *, common: bool) -> Iterator[str]:
    """The parameters of a command that have a help text, as its own help shows them."""
    context = Context(command)
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is None or (parameter.opts[0] in COMMON) is not common:
            continue
        names, help_text = record
        yield from [".TP", rf"\fB{_text(names)}\fR", _text(in_words(" ".join(help_text.split())))]


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _listed(entries: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for name, text in entries:
        yield from [".TP", rf"\fB{_text(name)}\fR", _text(text)]


def _paragraphs(help_text: str | None) -> Iterator[str]:
    for number, paragraph in enumerate(inspect.cleandoc(help_text or "").split("\n\n")):
        if number:
            yield ".IP"
        yield _text(" ".join(paragraph.split()))


def _first(help_text: str | None) -> str:
    return inspect.cleandoc(help_text or "").split("\n")[0].rstrip(".")


def _text(text: str) -> str:
    """Text as roff takes it: no escapes, real minus signs, and no line that looks like a request."""
    # Choices may be parted between lines, behind the bar.
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("…", "...")
    return re.sub(r"^\.", r"\&.", escaped.replace("|", r"|\:"))


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
