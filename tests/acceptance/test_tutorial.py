"""The tutorial, typed line by line as it stands."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import clean_environment
from tests.support.instructions import ROOT

pytestmark = pytest.mark.slow

TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")


def test_every_line_of_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    lines = re.findall(r"^    (.*)$", TUTORIAL, re.MULTILINE)
    said = typed(lines, tmp_path)
    shown = dict(zip(lines, said, strict=True))
    assert "configuration is fine" in shown["kylink config check"]
    assert "2 added" in shown["kylink campaigns import campaigns.csv"]
    assert "20 items for 2 campaigns would be ordered" in said[lines.index("kylink replenish --all --dry-run")]
    assert "2 of 2 campaigns filled" in shown["kylink replenish --all"]
    take = "kylink leases take spring --key order-815 --json"
    first, second = (text for line, text in zip(lines, said, strict=True) if line == take)
    value = re.compile(r'"value": "code=\d+"')
    assert value.findall(first) == value.findall(second)
    assert '"reused": true' in second
    (confirmed,) = (text for line, text in shown.items() if line.startswith("kylink leases confirm"))
    assert "confirmed" in confirmed
    assert "expects" in shown["kylink campaigns show spring"]
    assert "no timer starts the jobs" in shown["kylink doctor"]


def typed(lines: list[str], folder: Path) -> list[str]:
    """What each line says, typed one after the other into one shell that ends at the first that fails.

    `doctor` and a plan end with another code than 0 where there is something to say: this is no failure.
    """
    marked = "".join(f"{line}\necho '~~~~'\n" for line in lines)
    environment = clean_environment(folder) | {"PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-e"], input=marked, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    return done.stdout.split("~~~~\n")[:-1]
