"""What makes a command line feel quick: nothing is loaded before it is needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import kylink_cli
from kylink_cli.cli.lazy_commands import NAMES
from tests.support.cli import clean_environment
from tests.support.database import add_items
from tests.support.installation import Installation

# What only a run that calls somebody, a change of the schema, or a page needs.
CLIENTS = {"aiohttp", "alembic", "httpx", "jinja2", "prometheus_client"}
HEAVY = CLIENTS | {"pydantic", "rich", "sqlalchemy", "sqlmodel", "tenacity"}
COMMANDS = {f"kylink_cli.cli.{name.replace('-', '_')}" for name in NAMES}
# What a consumer has no use for, and how much of kylink it needs at most.
JOB_MODULES = {"kylink_cli.jobs", "kylink_cli.running", "kylink_cli.alerting", "kylink_cli.notify", "kylink_cli.supply"}
PYTHON_MODULES = 49
COMMAND_MODULES = 66
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


def _loaded_by_the_python_face(kylink: Installation) -> set[str]:
    script = "import sys, kylink_cli; kylink_cli.Stock.open().take('1'); print(*sys.modules)"
    return set(
        subprocess.run(
            [sys.executable, "-c", script],
            env=kylink.environment,
            cwd=kylink.folder,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    )


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


def test_a_consumer_loads_no_job_and_no_channel(tmp_path: Path) -> None:
    with Installation.without_supply(tmp_path) as kylink:
        kylink.add_campaigns("1")
        add_items(kylink.database, "1", 2)
        for loaded, at_most in (
            (_loaded(kylink.environment, "leases", "take", "1"), COMMAND_MODULES),
            (_loaded_by_the_python_face(kylink), PYTHON_MODULES),
        ):
            ours = {name for name in loaded if name.startswith("kylink_cli")}
            assert not ours & JOB_MODULES
            assert len(ours) <= at_most, sorted(ours)


def test_the_version_is_the_package_s() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "kylink_cli", "--version"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == f"kylink {kylink_cli.__version__}\n"
