"""What is not installed is named with the extra that brings it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import clean_environment

WITHOUT = "import sys; sys.modules[sys.argv.pop(1)] = None; from kylink_cli.__main__ import main; main()"


@pytest.mark.parametrize(
    ("library", "settings", "asked", "message"),
    [
        (
            "psycopg",
            {"DATABASE_URL": "postgresql://kylink@db/kylink"},
            "replenish --all",
            "DATABASE_URL names a PostgreSQL database, whose driver is not installed: pip install 'psycopg[binary]'",
        ),
        (
            "redis",
            {"KYLINK_LOCK_URL": "redis://locks/0"},
            "replenish --all",
            "KYLINK_LOCK_URL names a Redis server, whose library is not installed: pip install redis",
        ),
        ("fastapi", {}, "serve", "the libraries of 'kylink serve' are not installed: pip install fastapi uvicorn"),
    ],
)
def test_a_missing_library_is_bad_configuration(
    tmp_path: Path, library: str, settings: dict[str, str], asked: str, message: str
) -> None:
    own = {"DATABASE_URL": f"sqlite:///{tmp_path / 'kylink.db'}", "PROXY_API_URL": "file:/dev/null"} | settings
    environment = clean_environment(tmp_path) | own
    command = [sys.executable, "-c", WITHOUT, library]
    subprocess.run([*command, "db", "init"], env=environment, cwd=tmp_path, capture_output=True, check=False)
    result = subprocess.run(
        [*command, *asked.split()], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr.strip()) == (78, f"kylink: {message}")
