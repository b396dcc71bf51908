"""The installed command, run as users run it, in an environment that holds nothing of the tester's.

`run_kylink` runs it within this process where it can, which saves the half second that a start takes. `run_process`
always gives it a process of its own, for what is decided at a start: the language of the help texts, the user, streams.
"""

import contextlib
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

from typer.testing import CliRunner

from kylink_cli import language

# Root reads and writes whatever the permissions say, unless it gives up CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
_UNPRIVILEGED = """
import ctypes, os, sys
for capability in (1, 2):
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-m", "kylink_cli", *sys.argv[1:]])
"""

# What the interpreter or its libraries read as they start, and not again.
_READ_AT_THE_START = ("LD_PRELOAD", "PYTHON", "TZ")


def run_kylink(
    *args: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    input: str | None = None,  # noqa: A002  (as subprocess names it)
) -> "subprocess.CompletedProcess[str]":
    """Run `kylink` to its end.

    Args:
        args: what follows the command's name.
        env: the settings and other variables of its environment.
        cwd: its working directory, whose `.env` it would read.
        input: what it finds on standard input; None for nothing.
    """
    from kylink_cli.cli import app

    if _needs_a_process(env or {}):
        return run_process(*args, env=env, cwd=cwd, input=input)
    with _as_in_a_process(clean_environment(cwd) | dict(env or {}), cwd):
        done = CliRunner().invoke(app, args, input=input, prog_name="kylink", catch_exceptions=False)
        return subprocess.CompletedProcess(args, done.exit_code, done.stdout, done.stderr)


def _needs_a_process(env: Mapping[str, str]) -> bool:
    """Whether the environment takes effect only at a start; nor can threads have different ones."""
    return any(name.startswith(_READ_AT_THE_START) for name in env) or (
        threading.current_thread() is not threading.main_thread()
    )


@contextlib.contextmanager
def _as_in_a_process(environment: Mapping[str, str], cwd: Path | None) -> Iterator[None]:
    """This environment, directory and language alone; afterwards the tester's, and nothing that was left open."""
    gc.disable()  # until its end, all that the command makes is young, and quickly found
    try:
        with mock.patch.dict(os.environ, environment, clear=True), _within(cwd):
            language.use(language.preferred())
            yield
    finally:
        language.use("en")
        gc.collect(0)
        gc.enable()


def _within(folder: Path | None) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext() if folder is None else contextlib.chdir(folder)


def run_process(
    *args: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    input: str | None = None,  # noqa: A002  (as subprocess names it)
    unprivileged: bool = False,
) -> "subprocess.CompletedProcess[str]":
    """Run `kylink` to its end as a process.

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
