"""A pristine Debian of a test's own, with systemd: what debootstrap makes of this machine's mirror, and nothing else.

What packages are found by here (apt's mirror, pip's settings and certificates) is handed on as this machine has it.
"""

import os
import pty
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.machine import Machine, booted_from
from tests.support.terminal import Seen, converse

# What README asks for; sudo comes with the server.
NEEDED = "python3,python3-venv,make,git"
OPERATOR = "olga"
MIRROR_TRIES = 3


def make_root(release: str, place: Path) -> None:
    """Make the files of a Debian.

    Args:
        release: its name.
        place: an empty folder.
    """
    command = ["debootstrap", f"--include={NEEDED},sudo", release, str(place), _mirror()]
    # A mirror that is being brought up to date serves lists and signatures that don't belong together for a moment.
    for _ in range(MIRROR_TRIES):
        shutil.rmtree(place, ignore_errors=True)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
    raise AssertionError(done.stdout[-2000:] + done.stderr[-2000:])


@contextmanager
def booted_debian(root: Path, folder: Path, binds: dict[str, str]) -> Iterator[Machine]:
    """A Debian that has just been booted, with an ordinary user who may use sudo.

    Args:
        root: its files, which stay as they are.
        folder: an empty one for what it needs.
        binds: what else of this machine is seen in it, by where it is seen.
    """
    settings = _pip_settings()
    paths = {path for value in settings.values() for path in _paths(value)}
    with booted_from(root, folder, {path: path for path in paths} | binds) as machine:
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        machine.write("/etc/pip.conf", f"[global]\n{lines}")
        machine.write("/etc/resolv.conf", Path("/etc/resolv.conf").read_text(encoding="utf-8"))
        machine.shell('echo "127.0.0.1 localhost $(hostname)" > /etc/hosts')
        machine.shell(f"useradd --create-home --shell /bin/bash {OPERATOR}")
        machine.write(f"/etc/sudoers.d/{OPERATOR}", f"{OPERATOR} ALL=(ALL) NOPASSWD: ALL\n", mode=0o440)
        yield machine


def as_user(machine: Machine, script: str, user: str = OPERATOR, *, check: bool = True) -> str:
    """Run a script of the shell as an ordinary user who has logged in; what it writes."""
    done = machine.run("su", "--login", user, "--command", f"{{ {script}\n}} 2>&1", check=False)
    assert done.returncode == 0 or not check, f"{script}: {done.returncode}\n{done.stdout[-6000:]}"
    return done.stdout


def on_terminal_of(machine: Machine, command: str, answers: Sequence[tuple[str, str]]) -> Seen:
    """Run a command as the ordinary user on a terminal.

    Args:
        answers: prompts, and what is typed once each is there.
    """
    ours, its = pty.openpty()
    script = ["setsid", "--ctty", *machine.entered("su", "--login", OPERATOR, "--command", command)]
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    process = subprocess.Popen(script, stdin=its, stdout=its, stderr=its, env=environment)
    os.close(its)
    written = converse(ours, answers)
    os.close(ours)
    return Seen(process.wait(), written.decode())


def _mirror() -> str:
    """Where this machine gets its own release from."""
    fields = shlex.split(Path("/etc/os-release").read_text(encoding="utf-8").replace("\n", " "))
    release = dict(field.partition("=")[::2] for field in fields)["VERSION_CODENAME"]
    command = ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"]
    targets = [line.split() for line in subprocess.check_output(command, text=True).splitlines()]
    return next(uri for name, uri in targets if name == release)


def _pip_settings() -> dict[str, str]:
    """pip's settings on this machine, those of the environment included."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_REQUIRE", "VIRTUAL"))}
    listed = subprocess.check_output(["/usr/bin/python3", "-m", "pip", "config", "list"], env=plain, text=True)
    found = re.findall(r"^(?:global|user|:env:)\.([a-z-]+)='(.*)'$", listed, re.MULTILINE)
    return dict(sorted(found, reverse=True))


def _paths(value: str) -> Iterator[str]:
    """The files and folders of this machine that a setting names."""
    for word in value.split():
        # An index's packages lie beside it.
        path = Path(word.removeprefix("file://")).parent if word.startswith("file://") else Path(word)
        if path.is_absolute() and path.exists():
            yield str(path)
