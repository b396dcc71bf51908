"""A command that draws on a whole terminal, as a person sees it: an emulator keeps the picture."""

import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyte
import pyte.screens

from tests.support.cli import clean_environment
from tests.support.waiting import PATIENCE_SECONDS, wait_until

# Keys such as ctrl-C reach those whose controlling terminal they are pressed on.
_ON_ITS_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
# Written behind a command that has ended, so that it is known when everything before has been read: a title for the
# window, which is not to be seen on the screen.
_LAST = b"\x1b]2;over\x07"


class Screen:
    """The terminal of one command."""

    def __init__(self, columns: int, rows: int, process: "subprocess.Popen[bytes]", sides: tuple[int, int]) -> None:
        self.written = b""
        self.process = process
        self._ours, self._its = sides
        self._picture = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._picture)
        self._lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def lines(self) -> list[str]:
        """What is to be seen, a row each."""
        with self._lock:
            return [line.rstrip() for line in self._picture.display]

    @property
    def text(self) -> str:
        """What is to be seen."""
        return "\n".join(self.lines)

    @property
    def cells(self) -> list[list[pyte.screens.Char]]:
        """What is to be seen, cell by cell, with colours."""
        with self._lock:
            rows, columns = self._picture.lines, self._picture.columns
            return [[self._picture.buffer[row][column] for column in range(columns)] for row in range(rows)]

    def wait_for(self, text: str) -> None:
        """Wait until a text is to be seen."""
        wait_until(lambda: text in self.text, f"{text!r} on the screen:\n{self.text}")

    def wait_for_last(self, text: str) -> None:
        """Wait until a text is the last that is to be seen."""
        wait_until(lambda: self.text.rstrip().endswith(text), f"{text!r} at the end of the screen:\n{self.text}")

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window."""
        termios.tcsetwinsize(self._ours, (rows, columns))
        with self._lock:
            self._picture.resize(rows, columns)

    def end(self, number: signal.Signals) -> None:
        """End the command by a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the command's end; its exit code, or minus the signal that ended it."""
        code = self.process.wait(PATIENCE_SECONDS)
        os.write(self._its, _LAST)
        wait_until(lambda: self.written.endswith(_LAST), "all that it wrote")
        return code

    @property
    def is_clean(self) -> bool:
        """Whether the terminal was left as it was found: its own screen, a cursor, echo and whole lines."""
        left = self.written.rindex(b"\x1b[?1049l") > self.written.rindex(b"\x1b[?1049h")
        shown = self.written.rindex(b"\x1b[?25h") > self.written.rindex(b"\x1b[?25l")
        flags = termios.tcgetattr(self._ours)[3]
        return left and shown and bool(flags & termios.ECHO) and bool(flags & termios.ICANON)

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._ours, 65_536)
            except OSError:
                return
            if not chunk:
                return
            with self._lock:
                self.written += chunk
                self._stream.feed(chunk)


@contextmanager
def on_screen(*args: str, env: Mapping[str, str], cwd: Path, columns: int = 80, rows: int = 24) -> Iterator[Screen]:
    """Run `kylink` on a terminal that an emulator draws; what is not over at the end is killed.

    Args:
        args: what follows the command's name.
        env: the settings and other variables of its environment.
        cwd: its working directory.
        columns: the width of the terminal.
        rows: its height.
    """
    command = [sys.executable, "-m", "kylink_cli", *args]
    with drawn(command, clean_environment(cwd) | dict(env), cwd, (columns, rows)) as screen:
        yield screen


@contextmanager
def drawn(
    command: Sequence[str], env: Mapping[str, str], cwd: Path, size: tuple[int, int] = (80, 24)
) -> Iterator[Screen]:
    """Run any command on a terminal that an emulator draws; what is not over at the end is killed.

    Args:
        command: program and arguments.
        env: its whole environment, but for the terminal's kind.
        cwd: its working directory.
        size: columns and rows.
    """
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (size[1], size[0]))
    process = subprocess.Popen(
        [sys.executable, "-c", _ON_ITS_TERMINAL, *command],
        stdin=its,
        stdout=its,
        stderr=its,
        env={"TERM": "xterm-256color"} | dict(env),
        cwd=cwd,
    )
    try:
        yield Screen(*size, process, (ours, its))
    finally:
        process.kill()
        process.wait()
        os.close(its)
        os.close(ours)
