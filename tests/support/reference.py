"""The reference in `docs/reference/`, written from the code: `python -m tests.support.reference` writes it anew.

Settings come from their model, commands from their help texts, exit codes from the errors that have them, and JSON
documents from the list of keys that programs may rely on.
"""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import typer.main
from pydantic.fields import FieldInfo
from typer import Context

from kylink_cli import errors
from kylink_cli.cli import app
from kylink_cli.cli.examples import EXAMPLES
from kylink_cli.cli.help_pages import in_words
from kylink_cli.errors import KylinkError
from kylink_cli.settings.fields import Settings
from kylink_cli.settings.messages import limits
from tests.support.documents import recorded
from tests.support.man_page import COMMON, EXIT_CODES

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    return {"settings.md": _settings(), "commands.md": _commands(), "exit-codes.md": _exit_codes(), "json.md": _json()}


def _settings() -> str:
    rows = [_setting(field, info) for field, info in Settings.model_fields.items()]
    return _page(
        "Settings",
        "From the environment, else from the env file, else from a credential file, else the default; a name without a "
        "value counts as not set. `kylink config show` says which value holds and where it comes from, "
        "`kylink config check` what is wrong with it.",
        _table(("name", "default", "allowed", "meaning"), rows),
    )


def _setting(field: str, info: FieldInfo) -> tuple[str, ...]:
    default = str(info.default).lower() if isinstance(info.default, bool) else info.default
    shown = f"`{default}`" if isinstance(default, int | float | str) and default != "" else ""
    return f"`{field.upper()}`", shown, limits(info) or "", info.description or ""


def _commands() -> str:
    root: Any = typer.main.get_command(app)
    common = list(_options(root, common=True))
    return _page(
        "Commands",
        "What `kylink COMMAND --help` says, in one place. These options are accepted before and after every command:",
        _table(("option", "meaning"), common),
        *_group(root, "kylink"),
    )


def _group(group: Any, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from _group(command, f"{path} {name}")
        else:
            yield from _command(command, f"{path} {name}")


def _command(command: Any, path: str) -> Iterator[str]:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    yield f"## {' '.join([path, *[str(one.metavar or one.name.upper()) for one in arguments]])}"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield _escaped(" ".join(paragraph.split()))
    yield "\n".join(f"    {example}" for example in EXAMPLES[path.partition(" ")[2]])
    options = list(_options(command, common=False))
    if options:
        yield _table(("option", "meaning"), options)


def _options(command: Any, *, common: bool) -> Iterator[tuple[str, str]]:
    context = Context(command)
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None and (parameter.opts[0] in COMMON) is common:
            names, meaning = record
            yield f"`{names}`", in_words(" ".join(meaning.split()))


def _exit_codes() -> str:
    return _page(
        "Exit codes",
        "A shell finds them in `$?`; systemd counts 0, 10, 69, 75 and the signals as a good end of a timer's run, "
        "since kylink itself has raised the alert.",
        _table(("code", "means"), [(f"`{code}`", meaning) for code, meaning in EXIT_CODES]),
        "An interrupted run ends by the signal that stopped it: a shell shows 130 or 143.",
        "## Under `--json`",
        'An error is a document as well: `{"error": {"code": "…", "message": "…"}}`.',
        _table(("`code`", "exit code", "when"), _codes()),
    )


def _codes() -> list[tuple[str, ...]]:
    by_code = defaultdict(list)
    for _, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, KylinkError):
            by_code[error.code].append(error)
    return [
        (
            f"`{code}`",
            ", ".join(str(number) for number in sorted({error.exit_code for error in kinds})),
            " ".join(_first_line(error) for error in sorted(kinds, key=lambda kind: kind.__name__)),
        )
        for code, kinds in sorted(by_code.items())
    ]


def _first_line(error: type[KylinkError]) -> str:
    return inspect.cleandoc(error.__doc__ or "").split("\n")[0]


def _json() -> str:
    by_command = groupby(sorted(line.partition(": ")[::2] for line in recorded()), key=lambda pair: pair[0])
    return _page(
        "JSON documents",
        "The keys of what `--json` prints. Keys are added, never renamed, taken away or given another meaning. `[]` "
        "stands for every entry of a list. Times are ISO 8601 in UTC with `Z`, `_ms` are whole milliseconds, ids and "
        "tokens are strings, and a value that is not known is `null`.",
        *[part for command, pairs in by_command for part in (f"## kylink {command}", _keys(key for _, key in pairs))],
    )


def _keys(found: Iterator[str]) -> str:
    return "\n".join(f"- `{key}`" for key in found)


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *[tuple(_escaped(cell).replace("|", r"\|") for cell in row) for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    """Text in which nothing but code is taken for markup."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([<>*_\[\]])", r"\\\1", part) for part in parts)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
