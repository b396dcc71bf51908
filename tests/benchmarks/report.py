"""The results, as they stand in the docs."""

import os
import platform
import re
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.frame import Figure

DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN = "<!-- written by make bench -->"
END = "<!-- end -->"
PACKAGES = ("kylink-cli", "httpx", "aiohttp", "sqlalchemy", "sqlmodel", "typer")


def write(figures: Sequence[Figure]) -> None:
    """Put the results into their place in the docs; what stands around them stays."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{rendered(figures)}\n{END}{after}", encoding="utf-8")


def rendered(figures: Sequence[Figure]) -> str:
    """The machine, the versions and a table."""
    head = ["what", "target", "measured", "verdict", "median"]
    rows = [head, ["---"] * len(head), *[figure.cells for figure in figures]]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    python = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"{datetime.now(UTC):%d %B %Y}, on {_machine()}; {python}, {versions}.\n\n{table}\n"


def _machine() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    processor = found[1] if found else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return f"{os.cpu_count()} x {processor}, {memory:.0f} GiB, {platform.system()} {platform.release()}"
