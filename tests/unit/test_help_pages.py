"""How help is wrapped, and what is said of a line that can't be parsed."""

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from kylink_cli import language
from kylink_cli.cli import app
from kylink_cli.cli.examples import EXAMPLES
from kylink_cli.cli.exit_codes import EXIT_CODES
from kylink_cli.cli.lazy_commands import SECTIONS
from kylink_cli.console.wrapping import cells, wrapped
from tests.support.cli import run_process

# Chinese for "item" and "stock", and the marks that end a clause and a sentence.
ITEM, STOCK, COMMA, STOP = "\u6761\u76ee", "\u5e93\u5b58", "\uff0c", "\u3002"


def pages(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and group, by its words."""
    yield path, command
    for name in getattr(command, "commands", ()):
        yield from pages(command.commands[name], (*path, name))


def parsed(command: Any, words: Sequence[str]) -> None:
    """Let the parser read a line to its end; what it does not understand is an error."""
    context = command.make_context("kylink", list(words))
    while hasattr(context.command, "commands"):
        name, found, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        context = found.make_context(name, rest, parent=context)


@contextmanager
def chinese() -> Iterator[None]:
    language.use("zh")
    try:
        yield
    finally:
        language.use("en")


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, [""]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 6, ["one", "two", "three"]),
        ("extraordinary", 5, ["extraordinary"]),
        ("one  two\nthree", 20, ["one two three"]),
        ("one\n\ntwo", 20, ["one", "", "two"]),
        (ITEM * 3, 8, [ITEM * 2, ITEM]),
        (ITEM * 3, 9, [ITEM * 2, ITEM]),
        (f"{ITEM}{COMMA}{STOCK}", 4, [ITEM[0], f"{ITEM[1]}{COMMA}", STOCK]),
        (f"{ITEM} abc{STOP}{STOCK}", 10, [f"{ITEM} abc{STOP}", STOCK]),
    ],
)
def test_a_line_holds_what_a_terminal_shows_in_its_width(text: str, width: int, lines: list[str]) -> None:
    assert wrapped(text, width) == lines


@pytest.mark.parametrize(
    ("args", "english", "translated"),
    [
        ("leases take", "Missing argument 'CAMPAIGN'", "\u7f3a\u5c11\u53c2\u6570 'CAMPAIGN'"),
        ("jobs history --limit 0", "'0' must be at least 1", "\u5fc5\u987b\u81f3\u5c11\u4e3a 1"),
        ("jobs history --limit x", "'x' must be a whole number", "\u5fc5\u987b\u662f\u6574\u6570"),
        ("replenish --all --wait x", "'x' must be a number", "\u5fc5\u987b\u662f\u6570\u5b57"),
        ("jobs pause x", "'x' is not one of 'replenish'", "\u4e4b\u4e00"),
        ("leases take 1 --cont 3", "No such option: --cont. Did you mean --count", "\u6ca1\u6709\u9009\u9879"),
        ("leases tak", "No such command 'tak'. Did you mean 'take'?", "\u6ca1\u6709\u547d\u4ee4 'tak'"),
        ("leases take 1 --count", "Option '--count' needs a value", "\u9700\u8981\u4e00\u4e2a\u503c"),
        ("leases take 1 2", "Too many arguments: 2", "\u53c2\u6570\u592a\u591a\uff1a2"),
        ("replenish --all=x", "Option '--all' takes no value", "\u4e0d\u5e26\u503c"),
    ],
)
def test_wrong_usage_is_told_in_the_reader_s_language(args: str, english: str, translated: str) -> None:
    assert english in CliRunner().invoke(app, args.split()).stderr
    with chinese():
        assert translated in CliRunner().invoke(app, args.split()).stderr


PAGES = dict(pages(typer.main.get_command(app), ()))


GROUPS = [path for path, command in PAGES.items() if hasattr(command, "commands")]


def broken_lines(page: str, group: tuple[str, ...]) -> list[str]:
    """The commands that take more than a line of a list; each has one, and no line is too long."""
    named = {name for name, command in PAGES[group].commands.items() if not command.hidden}
    lines = page.splitlines()
    places = [
        at for at, line in enumerate(lines) if line.startswith("  ") and line.strip() and line.split()[0] in named
    ]
    assert {lines[at].split()[0] for at in places} == named
    assert max(map(cells, lines)) <= 80
    return [lines[at] for at in places if at + 1 < len(lines) and lines[at + 1].startswith(" " * 8)]


@pytest.mark.parametrize("group", GROUPS, ids=" ".join)
def test_a_list_of_commands_has_a_line_for_each_in_80_columns(group: tuple[str, ...]) -> None:
    page = CliRunner().invoke(app, [*group, "--help"], prog_name="kylink").stdout
    assert broken_lines(page, group) == []


@pytest.mark.parametrize("group", [(), ("alerts",)], ids=str)
def test_so_it_has_in_chinese(group: tuple[str, ...]) -> None:
    assert broken_lines(run_process(*group, "--help", env={"KYLINK_LANG": "zh"}).stdout, group) == []


COMMANDS = [path for path, command in PAGES.items() if not hasattr(command, "commands")]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_shows_two_examples_that_it_understands(path: tuple[str, ...]) -> None:
    page = CliRunner().invoke(app, [*path, "--help"], prog_name="kylink").stdout
    examples = EXAMPLES[" ".join(path)]
    assert len(set(examples)) == 2
    for example in examples:
        assert f"\n  {example}\n" in page
        words = shlex.split(example.partition(" > ")[0].removeprefix("sudo "))
        parsed(typer.main.get_command(app), words[1:])


def test_the_examples_are_of_commands_that_there_are() -> None:
    assert set(EXAMPLES) == {" ".join(path) for path in COMMANDS}


def test_the_first_page_groups_the_commands_and_names_exit_codes_and_documents() -> None:
    page = CliRunner().invoke(app, ["--help"], prog_name="kylink").stdout
    places = [page.index(f"\n{heading}:\n") for heading, _ in SECTIONS]
    assert places == sorted(places)
    for code, meaning in EXIT_CODES:
        assert re.search(rf"\n  {code} +{meaning[:20]}", page)
    assert "man kylink" in page


def test_what_only_a_unit_calls_is_listed_nowhere() -> None:
    assert "record-failure" not in CliRunner().invoke(app, ["systemd", "--help"]).stdout
    assert CliRunner().invoke(app, ["systemd", "record-failure", "--help"]).exit_code == 0


def test_choices_and_numbers_are_told_in_words() -> None:
    page = CliRunner().invoke(app, ["campaigns", "list", "--help"]).stdout
    assert "--limit N" in page
    assert not re.search(r"<(int|str|float)|range", page)
