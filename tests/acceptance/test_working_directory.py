"""From any directory: one that the user may not enter, or that is gone, holds no settings and stops no command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import clean_environment, run_process
from tests.support.installation import Installation

OTHER_USER = 65534
LOOKS = [
    ["alert-check"],
    ["alerts", "list"],
    ["campaigns", "list"],
    ["config", "check"],
    ["config", "show"],
    ["cron", "show"],
    ["db", "check"],
    ["db", "stats"],
    ["db", "upgrade"],
    ["doctor"],
    ["jobs", "history"],
    ["jobs", "status"],
    ["leases", "list"],
    ["metrics"],
    ["recover-leases"],
    ["replenish", "--all"],
    ["stock", "export"],
    ["stock", "list"],
    ["systemd", "show"],
    ["systemd", "status"],
    ["watch", "--once"],
]
# What would have to read or write a file in that directory: one line says that it can't.
FILES = [
    ["campaigns", "import", "sheet.csv"],
    ["stock", "import", "1", "values"],
    ["db", "backup", "copy.db"],
    ["report"],
    ["metrics", "--out", "kylink.prom"],
    ["--env-file", "kylink.env", "config", "show"],
]
# Goes where it is told to, gives up root's rights over files, and says what came of each command.
RUNS = """
import json, os, sys
from tests.support.cli import run_kylink
there, happens, commands = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
os.chdir(there)
os.rmdir(there) if happens == "gone" else os.chmod(there, 0)
env = dict(os.environ)
results = [run_kylink(*command, env=env) for command in commands]
print(json.dumps([[result.returncode, result.stderr] for result in results]))
"""
UNPRIVILEGED = """
import ctypes, os, sys
for capability in (1, 2):
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-c", *sys.argv[1:]])
"""


def run_all(kylink: Installation, happens: str, commands: list[list[str]]) -> list[tuple[list[str], int, str]]:
    """What becomes of commands in a directory to which something happens: their exit codes and errors."""
    there = kylink.folder / "there"
    there.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, RUNS, str(there), happens, json.dumps(commands)],
        env=clean_environment(kylink.folder) | kylink.settings,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return [(args, *result) for args, result in zip(commands, json.loads(done.stdout), strict=True)]


@pytest.mark.parametrize("happens", ["closed", "gone"])
def test_every_command_works_from_any_directory(kylink: Installation, happens: str) -> None:
    kylink.add_campaigns("1")
    for args, code, stderr in run_all(kylink, happens, LOOKS):
        assert "unexpected" not in stderr, (args, stderr)
        assert code in {0, 1, 78}, (args, code, stderr)
        assert (code != 78) or "PROXY_API_URL is not set" in stderr, (args, stderr)


@pytest.mark.parametrize("happens", ["closed", "gone"])
def test_a_file_that_is_named_there_is_one_clear_line(kylink: Installation, happens: str) -> None:
    for args, code, stderr in run_all(kylink, happens, FILES):
        assert code in {1, 2, 78}, (args, code, stderr)
        assert len(stderr.splitlines()) == 1, (args, stderr)
        assert "unexpected" not in stderr, (args, stderr)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of another user")
def test_the_env_file_of_somebody_else_that_can_not_be_read_is_not_ours(kylink: Installation) -> None:
    env_file = kylink.folder / ".env"
    env_file.write_text("STOCK_BATCH_SIZE=7\n")
    env_file.chmod(0)
    os.chown(env_file, OTHER_USER, -1)
    result = run_process(
        "config", "show", "STOCK_BATCH_SIZE", env=kylink.settings, cwd=kylink.folder, unprivileged=True
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert " 10 " in result.stdout
