"""Keys as they are pressed, without the terminal echoing them or waiting for the end of a line."""

import os
import select
import sys
import termios
from types import TracebackType
from typing import Self

_NAMES = {
    "\x1b[A": "up",
    "\x1bOA": "up",
    "\x1b[B": "down",
    "\x1bOB": "down",
    "\x1b[5~": "page up",
    "\x1b[6~": "page down",
    "\x1b[H": "home",
    "\x1b": "escape",
    "\r": "enter",
    "\n": "enter",
    "\x7f": "backspace",
    "\x08": "backspace",
}
_ENOUGH = 1024


class Keyboard:
    """The terminal's keyboard while it is used as a context manager; afterwards the terminal is as before."""

    def __init__(self) -> None:
        self._terminal = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._terminal)

    def __enter__(self) -> Self:
        attributes = termios.tcgetattr(self._terminal)
        attributes[3] &= ~(termios.ICANON | termios.ECHO)
        # Stopped by ctrl-Z, the shell would be left on our screen.
        attributes[6][termios.VSUSP] = b"\0"
        termios.tcsetattr(self._terminal, termios.TCSANOW, attributes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        termios.tcsetattr(self._terminal, termios.TCSAFLUSH, self._before)

    def read(self, seconds: float) -> list[str]:
        """The keys that were pressed.

        Returns:
            Characters, and the names of other keys; none if nothing was pressed in time.

        Raises:
            EOFError: the terminal is gone.
        """
        ready, _, _ = select.select([self._terminal], [], [], seconds)
        if not ready:
            return []
        pressed = os.read(self._terminal, _ENOUGH).decode("utf-8", "ignore")
        if not pressed:
            raise EOFError
        return [_NAMES[pressed]] if pressed in _NAMES else _each(pressed)


def _each(pressed: str) -> list[str]:
    """The keys in what came at once, as when somebody holds one down; a sequence that nobody knows is none."""
    keys: list[str] = []
    while pressed:
        known = next((code for code in _NAMES if len(code) > 1 and pressed.startswith(code)), None)
        if known is None and pressed.startswith("\x1b"):
            return keys
        code = known or pressed[0]
        keys.append(_NAMES.get(code, code))
        pressed = pressed[len(code) :]
    return keys
