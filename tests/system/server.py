"""kylink on a server, as docs/installation.md has an administrator install it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.machine import LIBRARIES, SHARED, Machine, booted, interpreter
from tests.support.waiting import PATIENCE_SECONDS, wait_until

PROGRAM = "/opt/kylink/bin/kylink"
ENV_FILE = "/etc/kylink/kylink.env"
CREDENTIAL = "/etc/kylink/credentials/proxy_api_key"
DATABASE = "/var/lib/kylink/kylink.db"
# What systemd itself writes into the journal of a oneshot: it is about to start it, and it has ended.
SAID_BY_SYSTEMD = {"7d4958e842da4a758f6c1cdc7b36dcc5": "start", "39f53479d3a045ac8e11786248231fbf": "end"}
# Timers that tick by the second need services that may start as often.
FAST_TIMER = "[Timer]\nOnCalendar=\nOnCalendar=*:*:*\nRandomizedDelaySec=0\nFixedRandomDelay=no\n"
FAST_SERVICE = "[Unit]\nStartLimitIntervalSec=0\n"


def built_wheel(folder: Path) -> Path:
    """kylink's wheel, built from this repository as it is, in an empty folder."""
    repository, copy = Path(__file__).parents[2], folder / "source"
    copy.mkdir()
    for name in ("kylink_cli", "systemd", "docs"):
        shutil.copytree(repository / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(repository / name, copy)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(copy)], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def install_program(machine: Machine, wheel: str) -> None:
    """Install kylink's wheel into a virtual environment of its own; its libraries are those of the tests."""
    machine.run(interpreter(), "-m", "venv", "--without-pip", "/opt/kylink")
    pip = ["/opt/kylink/bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--ignore-installed"]
    machine.run(*pip, f"{SHARED}/{wheel}", env={"PYTHONPATH": LIBRARIES})
    machine.shell(f"cd /opt/kylink/lib/python3*/site-packages; echo {LIBRARIES} > libraries.pth")
    machine.run("ln", "-s", PROGRAM, "/usr/local/bin/kylink")


@contextmanager
def equipped(folder: Path, wheel: Path) -> Iterator[Machine]:
    """A machine that has just been booted, with kylink's program in /opt/kylink.

    Args:
        folder: an empty one for what it needs.
        wheel: kylink's.
    """
    (folder / "shared").mkdir()
    shutil.copy(wheel, folder / "shared")
    with booted(folder) as machine:
        install_program(machine, wheel.name)
        yield machine


class Server:
    """One installation on the machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def prepare(self, service_url: str, key: str) -> None:
        """Create user, settings, secret and database."""
        self.settings = {
            "DATABASE_URL": f"sqlite:///{DATABASE}",
            "ENABLE_AUTO_CRON": "true",
            "PROXY_API_URL": service_url,
            "REPLENISH_RETRY_DELAY_MS": "20",
        }
        self.configure()
        self.machine.run("useradd", "--system", "--home-dir", "/var/lib/kylink", "--user-group", "kylink", check=False)
        self.machine.run("install", "-d", "-o", "kylink", "-g", "kylink", "-m", "700", "/var/lib/kylink")
        self.machine.run("chgrp", "kylink", ENV_FILE)
        self.hand_over(key)
        self.kylink("db", "init")

    def hand_over(self, key: str) -> None:
        """Write the secret of the supply service."""
        self.machine.write(CREDENTIAL, key, mode=0o640)
        self.machine.run("chgrp", "kylink", CREDENTIAL)

    def configure(self, **settings: str) -> None:
        """Write the env file, with some settings changed."""
        self.settings |= settings
        self.machine.write(ENV_FILE, "".join(f"{name}={value}\n" for name, value in self.settings.items()), mode=0o640)
        self.machine.run("chgrp", "kylink", ENV_FILE, check=False)

    def remove(self) -> None:
        """Take everything away again."""
        self.machine.run(PROGRAM, "systemd", "uninstall", check=False)
        self.machine.run("rm", "-f", "/etc/cron.d/kylink")
        self.machine.shell("rm -rf /etc/kylink /var/lib/kylink /etc/systemd/system/kylink-*.d; systemctl daemon-reload")

    def kylink(self, *arguments: str) -> str:
        """Run a command as the service's user; what it prints."""
        return self.machine.run("runuser", "-u", "kylink", "--", PROGRAM, *arguments).stdout

    def document(self, *arguments: str) -> dict[str, Any]:
        """What a command says under `--json`, run as root, who may ask systemd."""
        found: dict[str, Any] = json.loads(self.machine.run(PROGRAM, *arguments, "--json").stdout)
        return found

    def speed_up(self, *commands: str) -> None:
        """Let timers tick every second, by an administrator's drop-ins."""
        for command in commands:
            self.machine.write(f"/etc/systemd/system/kylink-{command}.timer.d/fast.conf", FAST_TIMER)
            self.machine.write(f"/etc/systemd/system/kylink-{command}.service.d/fast.conf", FAST_SERVICE)

    def runs(self, job: str) -> list[dict[str, Any]]:
        """The runs of a job, newest first."""
        found: list[dict[str, Any]] = self.document("jobs", "history", job)["runs"]
        return found

    def wait_for_run(self, job: str, status: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait until a run of a job is in a state; the newest such."""
        found: list[dict[str, Any]] = []

        def look() -> list[dict[str, Any]]:
            found[:] = [run for run in self.runs(job) if run["status"] == status]
            return found

        wait_until(look, f"a run of {job} to be {status}", seconds)
        return found[0]

    def available(self, campaign: str) -> int:
        """How many items a campaign has in stock."""
        return int(self.document("campaigns", "show", campaign)["available"])

    def values(self) -> set[str]:
        """The values in stock."""
        return {item["value"] for item in self.document("stock", "export")["items"]}

    def alert(self, type_: str) -> dict[str, Any]:
        """The only alert of a type."""
        (found,) = self.document("alerts", "list", "--type", type_)["alerts"]
        return dict(found)

    def is_clean(self, unit: str) -> bool:
        """Whether a unit has ended, and well."""
        return [self.machine.property(unit, name) for name in ("ActiveState", "Result")] == ["inactive", "success"]

    def story(self, unit: str, since: datetime) -> list[tuple[datetime, str]]:
        """When a oneshot was started (`start`) and had ended well (`end`), by the journal's own clock, in order."""
        entries = self.journal("_PID=1", f"UNIT={unit}", *(f"MESSAGE_ID={key}" for key in SAID_BY_SYSTEMD))
        told = [(_moment(entry), SAID_BY_SYSTEMD[entry["MESSAGE_ID"]]) for entry in entries]
        return [(moment, what) for moment, what in told if moment >= since]

    def journal(self, *arguments: str) -> list[dict[str, Any]]:
        """Entries of the journal."""
        shown = self.machine.run("journalctl", "--output=json", "--no-pager", *arguments).stdout
        return [json.loads(line) for line in shown.splitlines()]


def _moment(entry: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(entry["__REALTIME_TIMESTAMP"]) / 1_000_000, UTC)
