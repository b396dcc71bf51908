"""Standard output and standard error as a process finds them: closed, full, or left by their reader."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kylink_cli.errors import OutputError
from kylink_cli.language import tr


def prepare_streams() -> None:
    """Make both streams fit for any text: one that was closed swallows it, and none fails on a character."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  (open until the end)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


@contextmanager
def writing_results() -> Iterator[None]:
    """Say clearly what is wrong when standard output does not take a result.

    Raises:
        OutputError: it can't be written to.
        BrokenPipeError: its reader has gone, which is no error of anybody's.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(tr("the result can't be written to standard output: {reason}", reason=reason)) from error


def flush_results() -> None:
    """Hand over what was printed so far.

    Raises:
        OutputError: standard output can't be written to.
        BrokenPipeError: its reader has gone.
    """
    with writing_results():
        sys.stdout.flush()


def abandon_results() -> None:
    """Drop what standard output did not take, so that Python does not complain of it once more at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
