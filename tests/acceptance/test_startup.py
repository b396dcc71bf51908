"""What makes a command line feel quick: nothing heavy is loaded before it is needed."""

import subprocess
import sys

import pytest

import kylink_cli
from tests.support.cli import clean_environment

HEAVY = [
    "aiohttp",
    "alembic",
    "httpx",
    "jinja2",
    "prometheus_client",
    "pydantic",
    "rich",
    "sqlalchemy",
    "sqlmodel",
    "tenacity",
]
PROBE = f"""
import sys
from kylink_cli.__main__ import main
sys.argv = ["kylink", *sys.argv[1:]]
try:
    main()
finally:
    print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize("args", [["--version"], ["--help"]], ids=" ".join)
def test_help_loads_no_heavy_library(args: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROBE, *args], env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr.strip()) == (0, "[]")


def test_the_version_is_the_package_s() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "kylink_cli", "--version"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == f"kylink {kylink_cli.__version__}\n"
