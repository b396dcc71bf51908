"""The README's recording: a shell in which somebody types, as a picture that moves.

    python -m tests.support.recording

records it anew. An emulator draws the terminal; what it shows is looked at several times a second, and becomes an SVG
whose frames take turns. A row that several frames show is in it once.
"""

import html
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pyte.screens
from rich.cells import cell_len
from rich.color import Color
from rich.terminal_theme import SVG_EXPORT_THEME as THEME

from kylink_cli.demo.behaviour import sample_service
from kylink_cli.demo.tour import Tour
from tests.support.cli import clean_environment
from tests.support.instructions import ROOT
from tests.support.screen import Screen, drawn
from tests.support.screenshots import FOLDER, color_name

PATH = FOLDER / "recording.svg"

SESSION = (
    "kylink replenish --all",
    "kylink leases take 1001",
    "kylink campaigns list",
    "kylink jobs status",
)
_PROMPT = "$ "
_COLUMNS, _ROWS = 96, 30
_CELL, _LINE, _MARGIN = 8.4, 18.0, 14.0
_STEP_SECONDS, _KEY_SECONDS, _READING_SECONDS = 0.15, 0.04, 2.0

# A row as it is drawn, without its height.
Row = str


@dataclass
class Frame:
    """What was to be seen, and from when on; seconds."""

    start: float
    rows: list[Row]


@dataclass
class Recording:
    """The frames of a screen, each different from the one before."""

    screen: Screen
    frames: list[Frame] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def go_on(self, seconds: float) -> None:
        """Look at the screen again and again."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(_STEP_SECONDS)

    def look(self) -> None:
        """Keep what is to be seen, if it is new."""
        rows = [_row(cells) for cells in self.screen.cells]
        if not self.frames or self.frames[-1].rows != rows:
            self.frames.append(Frame(time.monotonic() - self.begun, rows))

    def type(self, line: str) -> None:
        """Type a line, and look until the shell waits for the next one."""
        prompts = self._prompts()
        for key in line:
            self.screen.press(key)
            time.sleep(_KEY_SECONDS)
            self.look()
        self.screen.press("\n")
        while self._prompts() == prompts:
            self.go_on(_STEP_SECONDS)
        self.go_on(_READING_SECONDS)

    def _prompts(self) -> int:
        """How many lines were typed to their end, by the prompts that came after them."""
        return self.screen.written.count(_PROMPT.encode())


def record() -> None:
    """Make the recording anew."""
    with tempfile.TemporaryDirectory() as name, sample_service("a key") as service:
        folder = Path(name)
        tour = Tour(folder, lambda _: None)
        tour.prepare(service.url, service.key)
        tour.env_file.rename(folder / ".env")
        environment = clean_environment(folder) | {"PS1": _PROMPT, "ENABLE_AUTO_CRON": "true"}
        environment["PATH"] = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        with drawn(["bash", "--norc", "--noprofile", "-i"], environment, folder, (_COLUMNS, _ROWS)) as screen:
            screen.wait_for(_PROMPT.strip())
            recording = Recording(screen)
            for line in SESSION:
                recording.type(line)
    PATH.write_text(_svg(recording.frames, time.monotonic() - recording.begun), encoding="utf-8")


def _row(cells: list[pyte.screens.Char]) -> Row:
    """A row of the terminal: its texts, each where it begins, with its colour."""
    drawn_texts = []
    column = 0
    for look, group in groupby(cells, key=lambda cell: (cell.fg, cell.bold, cell.reverse)):
        text = "".join(cell.data for cell in group)
        if text.strip():
            drawn_texts.append(_text(text, column, *look))
        column += cell_len(text)
    return "".join(drawn_texts)


def _text(text: str, column: int, color: str, bold: bool, reverse: bool) -> str:
    lead = len(text) - len(text.lstrip())
    shown = text.strip()
    left = (column + lead) * _CELL
    fill = _hex(color)
    weight = ' font-weight="bold"' if bold else ""
    ground = ""
    if reverse:
        ground = f'<rect x="{left:.1f}" y="-13" width="{cell_len(shown) * _CELL:.1f}" height="{_LINE}" fill="{fill}"/>'
        fill = THEME.background_color.hex
    width = f'textLength="{cell_len(shown) * _CELL:.1f}" lengthAdjust="spacingAndGlyphs"'
    return f'{ground}<text x="{left:.1f}" fill="{fill}"{weight} {width}>{html.escape(shown)}</text>'


def _hex(color: str) -> str:
    name = color_name(color)
    return THEME.foreground_color.hex if name is None else Color.parse(name).get_truecolor(THEME).hex


def _svg(frames: list[Frame], seconds: float) -> str:
    rows = {row: f"r{number}" for number, row in enumerate(dict.fromkeys(_rows(frames)))}
    width, height = _COLUMNS * _CELL + 2 * _MARGIN, _ROWS * _LINE + 2 * _MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
            "<title>A shell in which kylink fills campaigns, hands out an item, and shows how things stand</title>",
            f'<rect width="100%" height="100%" rx="8" fill="{THEME.background_color.hex}"/>',
            '<style>text{font:14px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}</style>',
            "<defs>",
            *[f'<g id="{name}">{row}</g>' for row, name in rows.items()],
            "</defs>",
            f'<g transform="translate({_MARGIN},{_MARGIN + 13})">',
            *_shown(frames, rows, seconds),
            "</g>",
            "</svg>\n",
        ]
    )


def _rows(frames: list[Frame]) -> Iterator[Row]:
    return (row for frame in frames for row in frame.rows if row)


def _shown(frames: list[Frame], rows: dict[Row, str], seconds: float) -> Iterator[str]:
    """Each frame with the part of the time in which it is to be seen; without animation, the last one."""
    ends = [*[frame.start for frame in frames[1:]], seconds]
    for frame, end in zip(frames, ends, strict=True):
        first = frame is frames[0]
        begin = 0.0 if first else frame.start / seconds
        times = f"0;{begin:.4f};{end / seconds:.4f}"
        used = "".join(
            f'<use href="#{rows[row]}" y="{number * _LINE:.0f}"/>' for number, row in enumerate(frame.rows) if row
        )
        hidden = "" if frame is frames[-1] else ' visibility="hidden"'
        yield (
            f'<g{hidden}><animate attributeName="visibility" values="hidden;visible;hidden" keyTimes="{times}" '
            f'dur="{seconds:.1f}s" calcMode="discrete" repeatCount="indefinite"/>{used}</g>'
        )


if __name__ == "__main__":
    record()
