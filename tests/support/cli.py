"""The installed command, run as users run it: as a process, in an environment that holds nothing of the tester's."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# Root reads and writes whatever the permissions say, unless it gives up CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
_UNPRIVILEGED = """
import ctypes, os, sys
for capability in (1, 2):
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-m", "kylink_cli", *sys.argv[1:]])
"""


def run_kylink(
    *args: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    input: str | None = None,  # noqa: A002  (as subprocess names it)
    unprivileged: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run `kylink` to its end.

    Args:
        args: what follows the command's name.
        env: the settings and other variables of its environment.
        cwd: its working directory, whose `.env` it would read.
        input: what it finds on standard input; None for nothing.
        unprivileged: whether the permissions of files bind it even if the tests run as root.
    """
    return subprocess.run(
        [sys.executable, *(["-c", _UNPRIVILEGED] if unprivileged else ["-m", "kylink_cli"]), *args],
        env=clean_environment(cwd) | dict(env or {}),
        cwd=cwd,
        input=input or "",
        capture_output=True,
        text=True,
        check=False,
    )


def clean_environment(home: Path | None = None) -> dict[str, str]:
    """What a process needs at least."""
    return {"PATH": os.environ["PATH"], "HOME": str(home or "/nonexistent"), "LANG": "C.UTF-8"}
