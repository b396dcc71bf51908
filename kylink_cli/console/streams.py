"""Standard output and standard error as a process finds them: closed, full, or left by their reader."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kylink_cli.errors import OutputError, ReaderGoneError
from kylink_cli.language import tr
from kylink_cli.reasons import reason

_STANDARD_NUMBERS = 3


def prepare_streams() -> None:
    """Make both streams fit for any text: one that was closed swallows it, and none fails on a character."""
    _occupy_standard_numbers()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  (open until the end)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _occupy_standard_numbers() -> None:
    """Leave none of the standard streams closed: a database that was opened under its number would be written to."""
    while (handle := os.open(os.devnull, os.O_RDWR)) < _STANDARD_NUMBERS:
        os.set_inheritable(handle, True)  # noqa: FBT003  (so os names it)
    os.close(handle)


@contextmanager
def writing_results() -> Iterator[None]:
    """Say clearly what is wrong when standard output does not take a result.

    Raises:
        OutputError: it can't be written to.
        ReaderGoneError: its reader has gone, which is no error of anybody's.
    """
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError from error
    except OSError as error:
        raise OutputError(
            tr("the result can't be written to standard output: {reason}", reason=reason(error))
        ) from error


def flush_results() -> None:
    """Hand over what was printed so far.

    Raises:
        OutputError: standard output can't be written to, or its reader has gone.
    """
    with writing_results():
        sys.stdout.flush()


def abandon_results() -> None:
    """Let standard output lead nowhere from now on."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def abandon_rest() -> None:
    """Drop what the streams did not take, so that Python neither complains of it at exit nor changes the exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
