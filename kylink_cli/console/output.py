"""Results, log lines and errors, each to its stream and in its form."""

import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

from kylink_cli.console.streams import abandon_results, flush_results, writing_results
from kylink_cli.console.wrapping import wrapped
from kylink_cli.errors import OutputError, ReaderGoneError
from kylink_cli.rules.moments import iso as iso  # noqa: PLC0414  (shown here, said there)
from kylink_cli.rules.moments import json_value
from kylink_cli.rules.text import one_line

if TYPE_CHECKING:
    import rich.console
    from rich.console import RenderableType

    from kylink_cli.console.tables import Column

_UNLIMITED_WIDTH = 100_000


@dataclass(frozen=True, slots=True)
class Output:
    """How a command shows things."""

    json: bool = False
    quiet: bool = False  # warnings and errors only
    verbose: bool = False
    color: bool = True
    log_format: str = "auto"  # `auto`, `text`, `journal` or `json`


class Console:
    """Standard output and standard error of one command.

    A log line that can't be written is passed over: nothing that a command does depends on it.
    """

    def __init__(self, output: Output, *, lenient: bool = False) -> None:
        """Show things in a form.

        Args:
            lenient: whether a result that can't be written is only complained of, once, instead of being an error.
        """
        self.output = output
        self._lenient = lenient
        self._has_complained = False

    @property
    def json(self) -> bool:
        """Whether results are one JSON document instead of tables."""
        return self.output.json

    def document(self, document: Mapping[str, Any]) -> None:
        """Print a result as the one JSON document on standard output; what an iterator gives is never held at once."""
        from kylink_cli.console.json_pieces import json_pieces

        with self.results() as stdout:
            stdout.writelines(json_pieces(document))
            stdout.write("\n")

    def say(self, text: str = "") -> None:
        """Print one line of a result; text from outside must be clean already."""
        with self.results() as stdout:
            stdout.write(text + "\n")

    @contextmanager
    def results(self) -> Iterator[IO[str]]:
        """Standard output, for a result that is too long to be held as a whole."""
        with self._writing():
            yield sys.stdout

    def show(self, renderable: "RenderableType") -> None:
        """Print a rich renderable as a result."""
        with self._writing():
            self.stdout.print(renderable)

    def table(self, columns: "list[Column]", rows: list[list[Any]]) -> None:
        """Print rows as a table: fitted to the width on a terminal, whole elsewhere, which is quick."""
        from kylink_cli.console.drawn_tables import fitted_table, kept_columns, plain_lines

        if self.stdout.is_terminal:
            kept, fits = kept_columns(columns, rows, self.stdout.width)
            columns, rows = [columns[at] for at in kept], [[row[at] for at in kept] for row in rows]
            if fits:
                self.show(fitted_table(columns, rows))
                return
        with self.results() as stdout:
            stdout.writelines(f"{line}\n" for line in plain_lines(columns, rows))

    def prose(self, text: str, *, style: str = "", indent: int = 0) -> None:
        """Print a text in whole sentences: wrapped at words on a terminal, a line elsewhere.

        Args:
            text: clean.
            indent: blanks before each of its lines.
        """
        if not sys.stdout.isatty():
            self.say(" " * indent + text)
            return
        from rich.text import Text

        for line in wrapped(text, max(self.stdout.width - indent, 10)):
            self.show(Text(f"{' ' * indent}{line}".rstrip(), style=style, no_wrap=True, overflow="ignore"))

    def log(self, level: int, message: str, /, **facts: Any) -> None:
        """Write one log line to standard error, if that takes it.

        Args:
            message: the line; control characters are replaced.
            facts: what a program wants to know of it; shown by `--log-format json`, and fields in the journal.
        """
        with suppress(OSError, ValueError):
            self.write_log(level, message, **facts)

    def write_log(self, level: int, message: str, /, **facts: Any) -> None:
        """Write one log line to standard error, as `log` does.

        Raises:
            OSError: standard error does not take it.
        """
        if self.shows(level):
            self._write(level, one_line(message), facts)

    def finish(self, code: int) -> int:
        """Hand over what was printed, at a command's end; an exit code that tells of trouble already stays.

        Raises:
            OutputError: standard output does not take it, and this is the only trouble.
        """
        self._lenient = self._lenient or code != 0
        with self._writing():
            flush_results()
        return code

    def shows(self, level: int) -> bool:
        """Whether lines of a level are written."""
        lowest = logging.WARNING if self.output.quiet else logging.DEBUG if self.output.verbose else logging.INFO
        return level >= lowest

    def info(self, message: str, **facts: Any) -> None:
        """Log what happens."""
        self.log(logging.INFO, message, **facts)

    def warning(self, message: str, **facts: Any) -> None:
        """Log what a person should look at."""
        self.log(logging.WARNING, message, **facts)

    def error(self, code: str, message: str, details: Sequence[str] = ()) -> None:
        """Report the error that ends the command: one line, and the JSON document under `--json`.

        Args:
            code: the contract's name for the kind of error.
            message: what is wrong and what to do.
            details: lines that belong before it.
        """
        for detail in details:
            self.log(logging.ERROR, detail)
        self.error_line(message)
        if self.output.json:
            self.document({"error": {"code": code, "message": message, **({"details": details} if details else {})}})

    def error_line(self, message: str) -> None:
        """Write what went wrong as one line to standard error."""
        self.log(logging.ERROR, f"kylink: {message}")

    def confirm(self, question: str, *, yes: bool) -> bool:
        """Ask before something that can't be undone; without a terminal the answer is no.

        Args:
            yes: whether the user has said yes beforehand.
        """
        if yes:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
        if not answer.endswith("\n"):
            sys.stderr.write("\n")
        return answer.strip().lower() in {"y", "yes"}

    @property
    def shows_progress(self) -> bool:
        """Whether a progress display can be drawn: standard error is a terminal and nobody asked for lines."""
        is_plain = self.output.log_format in {"text", "journal", "json"} or os.environ.get("TERM") == "dumb"
        return sys.stderr.isatty() and not self.output.quiet and not is_plain

    @cached_property
    def stdout(self) -> "rich.console.Console":
        """A rich console on standard output."""
        return self._rich(sys.stdout)

    @cached_property
    def stderr(self) -> "rich.console.Console":
        """A rich console on standard error."""
        return self._rich(sys.stderr)

    @cached_property
    def log_format(self) -> str:
        """The form of log lines, `auto` decided: the journal's where standard error is the journal."""
        if self.output.log_format != "auto":
            return self.output.log_format
        return "journal" if self._is_in_journal else "text"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with writing_results():
                yield
        except OutputError as error:
            if not self._lenient:
                raise
            if not self._has_complained and not isinstance(error, ReaderGoneError):
                self.error_line(str(error))
            self._has_complained = True
            abandon_results()

    def _rich(self, stream: Any) -> "rich.console.Console":
        import rich.console

        class RichConsole(rich.console.Console):
            def on_broken_pipe(self) -> None:
                raise  # noqa: PLE0704  (rich calls this while it handles the error, and would end the process)

        is_terminal = stream.isatty()
        return RichConsole(
            file=stream,
            width=None if is_terminal else _UNLIMITED_WIDTH,
            no_color=None if self.output.color else True,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=not is_terminal,
        )

    def _write(self, level: int, message: str, facts: Mapping[str, Any]) -> None:
        if self.log_format == "journal" and self._is_in_journal:
            from kylink_cli.console import journal

            if journal.send(level, message, facts):
                return
        sys.stderr.write(self._line(level, message, facts) + "\n")
        sys.stderr.flush()

    @cached_property
    def _is_in_journal(self) -> bool:
        """Whether standard error is the very stream that systemd connected to the journal."""
        device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
        try:
            status = os.fstat(sys.stderr.fileno())
        except (OSError, ValueError):
            return False
        return (device, inode) == (str(status.st_dev), str(status.st_ino))

    def _line(self, level: int, message: str, facts: Mapping[str, Any]) -> str:
        if self.log_format == "journal":
            from kylink_cli.console import journal

            # Whoever takes the line over reads its priority from the beginning: sd-daemon(3), logger(1).
            return f"<{journal.PRIORITIES[level]}>{message}"
        if self.log_format == "json":
            now = datetime.now(UTC)
            line = {"time": now, "level": logging.getLevelName(level).lower(), "message": message, **facts}
            return json.dumps(line, ensure_ascii=False, default=json_value)
        return message
