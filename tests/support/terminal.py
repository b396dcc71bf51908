"""A command on a terminal of its own, as a person sees and answers it."""

import os
import pty
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.cli import clean_environment

_ROWS = 40
# ctrl-C reaches those whose controlling terminal it is typed on.
_WITH_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "kylink_cli", *sys.argv[1:]])
"""


@dataclass(frozen=True)
class Seen:
    """What came of a command.

    Attributes:
        returncode: its exit code, or minus the signal that ended it.
        text: all that it wrote, and the echo of what was typed.
    """

    returncode: int
    text: str

    @property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.splitlines()


def on_terminal(
    *args: str,
    env: Mapping[str, str],
    cwd: Path,
    columns: int = 80,
    answer: tuple[str, str] | None = None,
    answers: Sequence[tuple[str, str]] = (),
) -> Seen:
    """Run `kylink` on a terminal to its end.

    Args:
        args: what follows the command's name.
        env: the settings and other variables of its environment.
        cwd: its working directory.
        columns: the width of the terminal.
        answer: a prompt, and what is typed once it is there.
        answers: several of these, in their order.
    """
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (_ROWS, columns))
    process = subprocess.Popen(
        [sys.executable, "-c", _WITH_TERMINAL, *args],
        stdin=its,
        stdout=its,
        stderr=its,
        env=clean_environment(cwd) | {"TERM": "xterm-256color"} | dict(env),
        cwd=cwd,
    )
    os.close(its)
    written = converse(ours, [answer] if answer else answers)
    os.close(ours)
    return Seen(process.wait(), written.decode())


def converse(terminal: int, answers: Sequence[tuple[str, str]]) -> bytes:
    """Read what is written on a terminal to its end, and type each answer once its prompt is there."""
    written, seen = b"", 0
    open_answers = list(answers)
    while chunk := _read(terminal):
        written += chunk
        while open_answers and (found := written.find(open_answers[0][0].encode(), seen)) >= 0:
            seen = found + len(open_answers[0][0].encode())
            os.write(terminal, open_answers.pop(0)[1].encode())
    return written


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the last process has closed its side
        return b""
