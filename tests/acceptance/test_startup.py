"""What makes a command line feel quick: nothing is loaded before it is needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import kylink_cli
from kylink_cli.cli.lazy_commands import NAMES
from tests.support.cli import clean_environment
from tests.support.installation import Installation

# What only a run that calls somebody, a change of the schema, or a page needs.
CLIENTS = {"aiohttp", "alembic", "httpx", "jinja2", "prometheus_client"}
HEAVY = CLIENTS | {"pydantic", "rich", "sqlalchemy", "sqlmodel", "tenacity"}
COMMANDS = {f"kylink_cli.cli.{name.replace('-', '_')}" for name in NAMES}
PROBE = """
import json, sys
from kylink_cli.__main__ import main
sys.argv = ["kylink", *sys.argv[1:]]
try:
    main()
finally:
    print(json.dumps(list(sys.modules)), file=sys.stderr)
"""


def _loaded(env: dict[str, str], *args: str) -> set[str]:
    """The modules that a command has loaded at its end."""
    result = subprocess.run([sys.executable, "-c", PROBE, *args], env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stderr.splitlines()[-1]))


@pytest.mark.parametrize("args", [["--version"], ["--help"]], ids=" ".join)
def test_help_loads_no_heavy_library(args: list[str]) -> None:
    assert not _loaded(clean_environment(), *args) & HEAVY


def test_the_version_loads_no_command() -> None:
    assert not _loaded(clean_environment(), "--version") & COMMANDS


def test_a_run_that_finds_nothing_to_do_loads_what_it_needs_alone(tmp_path: Path) -> None:
    with Installation.at(tmp_path, "http://127.0.0.1:9/", "key") as kylink:
        loaded = _loaded(kylink.environment, "replenish", "--all", "--quiet")
    assert not loaded & {*CLIENTS, "rich", "sqlalchemy.dialects.postgresql", "kylink_cli.store.indexes"}
    assert loaded & COMMANDS == {"kylink_cli.cli.replenish"}


def test_the_version_is_the_package_s() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "kylink_cli", "--version"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == f"kylink {kylink_cli.__version__}\n"
