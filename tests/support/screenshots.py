"""The pictures of the README, taken from kylink at work: `python -m tests.support.screenshots` takes them anew.

Two are made elsewhere: `flow.svg` is drawn by hand, `recording.svg` is `tests/support/recording.py`'s.

A kylink with a past is filled by the demo's supply service, on a terminal that an emulator draws; rich turns what
is to be seen into SVG, and a browser takes the picture of the report.
"""

import re
import tempfile
from io import StringIO
from pathlib import Path

import pyte.screens
from rich.console import Console
from rich.style import Style
from rich.text import Text

from kylink_cli.demo.behaviour import sample_service
from kylink_cli.demo.service import SupplyService
from tests.support import rooms
from tests.support.browser import chromium
from tests.support.busy_system import fill
from tests.support.installation import Installation
from tests.support.screen import Screen, on_screen
from tests.support.waiting import wait_until

FOLDER = Path(__file__).parents[2] / "docs" / "images"
PICTURES = ("flow.svg", "recording.svg", "replenish.svg", "watch.svg", "status.svg", "report.png")

_NAMES = ("Spring sale", "Outdoor shoes", "Coffee machines", "春季促销", "Garden tools", "Espresso cups", "Tea, loose")
_COLUMNS, _ROWS = 100, 26


def take_all() -> None:
    """Take every picture."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sample_service("a key") as service:
        folder = Path(name)
        with Installation.at(folder, service.url, service.key, ENABLE_AUTO_CRON="true") as kylink:
            _prepare(kylink)
            _photograph("watch.svg", kylink, "watch")
            _photograph("replenish.svg", kylink, "replenish", "--all", service=service)
            _photograph("status.svg", kylink, "jobs", "status")
    with tempfile.TemporaryDirectory() as name, Installation.without_supply(Path(name)) as kylink:
        _photograph_report(kylink)


def _prepare(kylink: Installation) -> None:
    fill(kylink.database)
    for number in range(40):
        name = f"{_NAMES[number % len(_NAMES)]} {number // len(_NAMES) + 1}"
        kylink.execute(f"UPDATE campaigns SET name = '{name}' WHERE id = '{1000 + number}'")
    kylink.execute("UPDATE alerts SET title = '2 campaigns are low on stock' WHERE title LIKE '%<%'")
    kylink.execute("UPDATE supply_requests SET state = 'answered' WHERE state = 'open'")


def _photograph_report(kylink: Installation) -> None:
    """Take a picture of the report of a week in which something went wrong."""
    rooms.furnish(kylink.database, rooms.WEEK)
    for number in range(rooms.WEEK.campaigns):
        kylink.execute(
            f"UPDATE campaigns SET name = '{_NAMES[number % 3]} {number // 3 + 1}' WHERE id = '{1000 + number}'"
        )
    page = kylink.folder / "report.html"
    kylink.run("report", "--out", str(page), ENABLE_AUTO_CRON="true")
    _photograph_page(page)


def _photograph(picture: str, kylink: Installation, *arguments: str, service: SupplyService | None = None) -> None:
    """Take a picture of a command: of a run in the middle of it, of a view once it is drawn, else of its end."""
    with on_screen(*arguments, env=kylink.environment, cwd=kylink.folder, columns=_COLUMNS, rows=_ROWS) as screen:
        if service is not None:
            wait_until(lambda: len(service.charges) > 40, "the run to be under way")
        elif arguments[0] == "watch":
            screen.wait_for("Spring sale")
        else:
            screen.wait()
        title = f"kylink {' '.join(arguments)}"
        (FOLDER / picture).write_text(_svg(screen, title), encoding="utf-8")
        if service is not None:
            screen.process.wait()


def _svg(screen: Screen, title: str) -> str:
    console = Console(record=True, width=_COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor")
    rows = screen.cells
    while rows and not "".join(cell.data for cell in rows[-1]).strip():
        rows.pop()
    for row in rows:
        line = Text()
        for cell in row:
            line.append(cell.data, _style(cell))
        console.print(line, no_wrap=True, overflow="crop", crop=True)
    # A picture asks no other host for its letters.
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title=title), flags=re.DOTALL)


def _style(cell: pyte.screens.Char) -> Style:
    return Style(color=color_name(cell.fg), bold=cell.bold, reverse=cell.reverse)


def color_name(color: str) -> str | None:
    """What rich calls a colour of the emulator's; None for the terminal's own."""
    if color == "default":
        return None
    is_hexadecimal = len(color) == 6
    return f"#{color}" if is_hexadecimal else color.replace("brown", "yellow").replace("bright", "bright_")


def _photograph_page(page: Path) -> None:
    with chromium() as browser:
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(page.as_uri())
        tab.screenshot(path=str(FOLDER / "report.png"))


if __name__ == "__main__":
    take_all()
