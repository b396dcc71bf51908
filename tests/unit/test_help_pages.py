"""How help is wrapped, and what is said of a line that can't be parsed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from kylink_cli import language
from kylink_cli.cli import app
from kylink_cli.console.wrapping import wrapped

# Chinese for "item" and "stock", and the marks that end a clause and a sentence.
ITEM, STOCK, COMMA, STOP = "\u6761\u76ee", "\u5e93\u5b58", "\uff0c", "\u3002"


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
