"""`kylink demo`: the first thing a new user types."""

import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import clean_environment, run_kylink, run_process

pytestmark = pytest.mark.slow


def test_the_tour_fills_the_samples_and_leaves_nothing_behind(tmp_path: Path) -> None:
    result = run_process("demo", env={"TMPDIR": str(tmp_path)}, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "run 1 partial: 9 of 10 campaigns filled" in result.stdout
    assert "$ kylink jobs status" in result.stdout
    assert "STOCK_REPLENISH_FAILED" in result.stdout
    assert "HTTP 500: Out of order: the roaster is broken" in result.stdout
    assert list(tmp_path.iterdir()) == []
    # It ends with what it has come to: campaigns in natural order, the one failure told by its run, no raw JSON.
    assert result.stdout.count("the roaster is broken") == 1
    assert "{" not in result.stdout
    [*_, last] = result.stdout.split("$ kylink ")
    assert last.startswith("campaigns list\n")
    assert "1001      Spring sale                             alice  active     10" in last


def test_a_kept_demo_can_be_looked_at_with_the_commands_that_it_prints(tmp_path: Path) -> None:
    result = run_process("demo", "--keep", env={"TMPDIR": str(tmp_path)}, cwd=tmp_path)
    commands = [shlex.split(line) for line in result.stdout.splitlines() if line.startswith("  kylink --env-file")]
    assert len(commands) >= 5
    for command in commands:
        looked = run_kylink(*command[1:], cwd=tmp_path)
        assert (looked.returncode, looked.stderr) == (0, ""), command


def test_settings_of_the_user_s_own_kylink_do_not_reach_the_demo(tmp_path: Path) -> None:
    own = {"DATABASE_URL": f"sqlite:///{tmp_path}/own.db", "PROXY_API_URL": "http://127.0.0.1:9/", "PROXY_API_KEY": "x"}
    result = run_process("demo", env={"TMPDIR": str(tmp_path)} | own, cwd=tmp_path)
    assert (result.returncode, list(tmp_path.iterdir())) == (0, [])


def test_on_a_terminal_the_run_draws_its_progress(tmp_path: Path) -> None:
    drawn = _on_terminal("demo", folder=tmp_path)
    assert "0/10 campaigns · 0/129 items" in drawn
    assert "try 1/3, next in" in drawn
    assert "[replenish]" not in drawn


def _on_terminal(*args: str, folder: Path) -> str:
    """What a command writes to a terminal of 100 columns."""
    ours, its = pty.openpty()
    environment = clean_environment(folder) | {"TMPDIR": str(folder), "TERM": "xterm", "COLUMNS": "100", "LINES": "40"}
    process = subprocess.Popen(
        [sys.executable, "-m", "kylink_cli", *args], stdin=its, stdout=its, stderr=its, env=environment, cwd=folder
    )
    os.close(its)
    drawn = bytearray()
    while chunk := _read(ours):
        drawn += chunk
    os.close(ours)
    assert process.wait() == 0
    return drawn.decode()


def _read(terminal: int) -> bytes:
    """What comes next; nothing once nobody holds the other end any more, which Linux reports as an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
