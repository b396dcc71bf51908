"""What makes a command line feel quick: nothing heavy is loaded before it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kylink_cli
from tests.support.cli import clean_environment
from tests.support.installation import Installation

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
# What only a run that calls somebody, or a change of the schema, needs.
CLIENTS = {"aiohttp", "alembic", "httpx", "jinja2", "prometheus_client"}
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


def test_a_run_that_finds_nothing_to_do_loads_no_client_of_a_service(tmp_path: Path) -> None:
    with Installation.at(tmp_path, "http://127.0.0.1:9/", "key") as kylink:
        result = subprocess.run(
            [sys.executable, "-c", PROBE, "replenish", "--all", "--quiet"],
            env=kylink.environment,
            capture_output=True,
            text=True,
            check=False,
        )
    loaded = set(ast.literal_eval(result.stderr.splitlines()[-1]))
    assert (result.returncode, loaded & CLIENTS) == (0, set())


def test_the_version_is_the_package_s() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "kylink_cli", "--version"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == f"kylink {kylink_cli.__version__}\n"
