"""`kylink watch`: jobs, campaigns and alerts, live."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.app import end_by_signal
from kylink_cli.cli.command import Cli, command
from kylink_cli.errors import DatabaseError, UsageError
from kylink_cli.language import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from kylink_cli.console.watch_screen import Frame
    from kylink_cli.overview.watching import Scene
    from kylink_cli.rules.watching import Selection

    Look = Callable[[Selection, int], Scene]

# A look may take a fifth of the time, so that a big database is not read without end.
_SHARE = 4
# How soon a change of the window's size is noticed, seconds.
_TICK = 0.25


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "watch", json=False)(watch)


def watch(
    cli: Cli,
    interval: Annotated[
        float, typer.Option("--interval", min=0.2, max=3600, metavar="SECONDS", help="How often to refresh.")
    ] = 2,
    once: Annotated[bool, typer.Option("--once", help="Draw one picture and end.")] = False,
) -> None:
    """Watch jobs, campaigns and alerts live, the campaigns with the least stock left first.

    Keys: s sort, l low ones only, / search, arrows and page keys scroll, q quit.
    """
    from kylink_cli import wiring
    from kylink_cli.overview.watching import look

    database, locks = wiring.existing_database(cli.settings), wiring.locks(cli.settings)

    def looked(selection: "Selection", room: int) -> "Scene":
        return look(database, locks, cli.settings, selection, room)

    if once:
        _show_once(cli, looked)
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM", "dumb") == "dumb":
        raise UsageError(tr("watch needs a terminal: --once prints one picture"))
    try:
        with _stopped_by(signal.SIGTERM, signal.SIGHUP):
            _Live(cli, looked, interval).run()
    except _Stopped as stopped:
        end_by_signal(stopped.number)


def _show_once(cli: Cli, look: "Look") -> None:
    from rich.console import Console

    from kylink_cli.console.watch_screen import draw
    from kylink_cli.rules.watching import Selection

    console = cli.console.stdout if cli.console.stdout.is_terminal else Console(file=sys.stdout, width=120, height=40)
    frame = _frame(console.width, console.height, Selection())
    with cli.console.results():
        console.print(draw(look(frame.selection, frame.campaign_lines), frame), soft_wrap=False)


class _Live:
    """The loop: look, draw, and do what keys say until somebody has had enough."""

    def __init__(self, cli: Cli, look: "Look", interval: float) -> None:
        from kylink_cli.rules.watching import Watcher

        self._console = cli.console.stdout
        self._look = look
        self._interval = interval
        self._watcher: Watcher = Watcher()
        self._scene: Scene | None = None
        self._error: str | None = None
        self._next_look = 0.0
        self._room = 0

    def run(self) -> None:
        """Watch until the key `q`."""
        from rich.live import Live

        from kylink_cli.cli.keyboard import Keyboard
        from kylink_cli.console.watch_screen import draw

        with Keyboard() as keyboard, Live(console=self._console, screen=True, auto_refresh=False) as live:
            while not self._watcher.gone:
                frame = self._current_frame()
                if time.monotonic() >= self._next_look or frame.campaign_lines != self._room:
                    self._refresh(frame)
                live.update(draw(self._scene, self._current_frame()), refresh=True)
                self._follow(keyboard.read(self._wait()), frame)

    def _refresh(self, frame: "Frame") -> None:
        """Look again; what can't be read leaves the last picture, and says so."""
        began, self._room = time.monotonic(), frame.campaign_lines
        try:
            self._scene, self._error = self._look(self._watcher.selection, frame.campaign_lines), None
        except DatabaseError as error:
            self._error = str(error)
        took = time.monotonic() - began
        self._next_look = time.monotonic() + max(self._interval, _SHARE * took)

    def _follow(self, keys: list[str], frame: "Frame") -> None:
        from kylink_cli.rules.watching import press

        for key in keys:
            matching = 0 if self._scene is None else self._scene.matching
            before, self._watcher = self._watcher.selection, press(self._watcher, key, frame.campaign_lines, matching)
            if self._watcher.selection != before:
                self._next_look = 0

    def _wait(self) -> float:
        return max(0, min(_TICK, self._next_look - time.monotonic()))

    def _current_frame(self) -> "Frame":
        return _frame(*self._console.size, self._watcher.selection, typing=self._watcher.typing, error=self._error)


def _frame(
    width: int, height: int, selection: "Selection", *, typing: bool = False, error: str | None = None
) -> "Frame":
    from kylink_cli.console.sparkline import glyphs_for
    from kylink_cli.console.watch_screen import Frame

    return Frame(width, height, selection, typing, error, glyphs_for(os.environ.get("TERM", "")))


class _Stopped(BaseException):
    """A signal has asked for an end; the terminal is put in order on the way out."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.number = number


@contextmanager
def _stopped_by(*numbers: signal.Signals) -> Iterator[None]:
    """Let signals end what is within by an exception instead of at once."""

    def stop(number: int, _: FrameType | None) -> None:
        raise _Stopped(signal.Signals(number))

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
