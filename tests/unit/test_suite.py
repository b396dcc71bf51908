"""The tests as those meet them who run them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FAILING = """
import pytest

@pytest.mark.parametrize("what", ["a name's quote"])
def test_something(what):
    assert not what
"""


@pytest.mark.slow
def test_a_failing_test_prints_how_to_run_it_alone(tmp_path: Path) -> None:
    (tmp_path / "test_failing.py").write_text(FAILING, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
    ]
    done = subprocess.run([*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert """.venv/bin/pytest 'test_failing.py::test_something[a name'"'"'s quote]'""" in done.stdout.splitlines()
