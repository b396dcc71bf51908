"""How help is laid out: as the parser does it, but in the reader's language and wrapped by what a terminal shows.

A Chinese character takes two cells of a terminal; a line may end after any of them, but not before a closing mark.
"""

import re
from collections.abc import Sequence
from typing import Any

import typer
from typer._click.formatting import HelpFormatter
from typer.core import TyperCommand, TyperGroup

from kylink_cli.cli.options import LARGEST_ID
from kylink_cli.console.wrapping import cells, wrapped
from kylink_cli.language import marked, tr

OPTIONS_METAVAR = marked("[OPTIONS]")
COMMANDS_METAVAR = marked("COMMAND [ARGS]...")

_RANGE = re.compile(r"(?P<low>-?[\d.]+)<=x<=(?P<high>[\d.]+)|x>=(?P<least>-?[\d.]+)")
_KIND = re.compile(r" <[a-z ]+>$")
_LONGEST_NAME = 30
_WHOLE = 10_000
# What ends a sentence in Chinese; a blank does not follow.
_STOP = "\u3002"
_GAP = 2


class HelpPage(HelpFormatter):
    """A page of help."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how the command is called."""
        super().write_usage(prog, args, tr("Usage: ") if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        """Write what the lines below are."""
        self.write(tr("{heading}:", heading=heading) + "\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs, indented."""
        margin = " " * self.current_indent
        lines = wrapped(text, self.width - self.current_indent)
        self.write("".join(f"{margin}{line}".rstrip() + "\n" for line in lines))

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = _LONGEST_NAME, col_spacing: int = _GAP) -> None:
        """Write names and what they mean, in two columns."""
        named = [(_KIND.sub("", name), in_words(meaning)) for name, meaning in rows]
        column = min(max(cells(name) for name, _ in named), col_max) + col_spacing
        margin = " " * self.current_indent
        for name, meaning in named:
            lines = wrapped(meaning, max(self.width - column - self.current_indent, 10)) or [""]
            beside = lines.pop(0) if cells(name) <= column - col_spacing else ""
            self.write(f"{margin}{name}{' ' * (column - cells(name))}{beside}".rstrip() + "\n")
            self.write("".join(f"{margin}{' ' * column}{line}".rstrip() + "\n" for line in lines))


class _Context(typer.Context):
    formatter_class = HelpPage


class _Helpful:
    """A command whose help is such a page."""

    context_class = _Context

    def get_help_option(self, ctx: Any) -> Any:
        """The option --help, explained in the reader's language."""
        option = super().get_help_option(ctx)  # type: ignore[misc]
        if option is not None:
            option.help = tr("Show this message and exit.")
        return option

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002  (a long sentence is wrapped, not cut)
        """The first sentence, for a list of commands."""
        first, stop, _ = str(super().get_short_help_str(_WHOLE)).partition(_STOP)  # type: ignore[misc]
        return first + stop


class Command(_Helpful, TyperCommand):  # type: ignore[misc]
    """A command."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Show how it may be called, and where there is more to read."""
        from kylink_cli.cli.examples import EXAMPLES

        with formatter.section(tr("Examples")):
            for example in EXAMPLES[ctx.command_path.partition(" ")[2]]:
                formatter.write(" " * formatter.current_indent + example + "\n")
        formatter.write("\n" + tr("What exit codes mean: kylink --help. More: man kylink") + "\n")


class Group(_Helpful, TyperGroup):  # type: ignore[misc]
    """A group of commands."""


def in_words(meaning: str) -> str:
    """What an option means, with its bounds in words instead of the parser's."""
    return _RANGE.sub(_range_in_words, meaning)


def _range_in_words(found: re.Match[str]) -> str:
    if found["high"] == str(LARGEST_ID):
        return tr("at least {low}", low=found["low"])
    if found["least"] is not None:
        return tr("at least {low}", low=found["least"])
    return tr("{low} to {high}", low=found["low"], high=found["high"])
