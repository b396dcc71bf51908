"""The units as they are shipped, rendered and judged by systemd's own tools; and the calendars in them."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from kylink_cli.errors import ConfigError
from kylink_cli.scheduling.calendar import WEEK, cron_times, next_time, period, systemd_times
from kylink_cli.scheduling.jobs import JOBS
from kylink_cli.scheduling.units import Installed, names, render, shipped
from kylink_cli.settings.fields import Settings
from tests.support.cli import run_kylink

UNITS = Path(__file__).parents[2] / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
FILES = sorted(path.name for path in UNITS.iterdir())
# What an administrator takes up himself, if he wants it.
OPTIONAL = {"kylink-report.service", "kylink-report.timer", "kylink-serve.service", "kylink-serve.socket"}
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (make packages)"
)


def installed(folder: Path, *, of_user: bool = False) -> Installed:
    program = folder / "kylink"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    return Installed(program, Path("/usr/bin/python3"), folder / "kylink.env", of_user)


def analyze(*arguments: str, **variables: str) -> str:
    """What systemd-analyze says, and that it has nothing to complain of."""
    environment = {"PATH": os.environ["PATH"], "TZ": "UTC", "LC_ALL": "C.UTF-8", **variables}
    done = subprocess.run(["systemd-analyze", *arguments], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@needs_systemd
@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".service", ".timer", ".socket"))])
def test_the_units_are_valid_as_they_lie_there(name: str) -> None:
    analyze("verify", str(UNITS / name))


@needs_systemd
@pytest.mark.parametrize("of_user", [False, True])
def test_the_units_are_valid_as_they_are_installed(tmp_path: Path, of_user: bool) -> None:
    units = render(installed(tmp_path, of_user=of_user), Settings(replenish_interval_minutes=7))
    for name, text in units.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in units:
        analyze(*(["--user"] if of_user else []), "verify", str(tmp_path / name), XDG_RUNTIME_DIR=str(tmp_path))


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_the_sandbox_is_as_closed_as_the_jobs_allow(name: str) -> None:
    summary = analyze("security", "--offline=true", str(UNITS / name)).splitlines()[-1]
    found = re.search(r"exposure level for \S+: ([\d.]+)", summary)
    assert found is not None
    assert float(found[1]) <= 1.1


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root_without_bounds_or_leaves_a_core(name: str) -> None:
    lines = shipped(name).splitlines()
    assert {"User=kylink", "MemoryMax=1G", "LimitCORE=0"} <= set(lines)
    if name == "kylink-serve.service":
        # What it starts ends with it in good order; it binds no address, and is bounded in what strangers make it open.
        assert {"Type=exec", "SocketBindDeny=any", "TasksMax=256", "LimitNOFILE=4096"} <= set(lines)
    else:
        assert {"Type=oneshot", "KillMode=mixed"} <= set(lines)
        assert any(line.startswith("TimeoutStartSec=") for line in lines)


def test_what_is_installed_by_default_is_what_lies_there(tmp_path: Path) -> None:
    here = installed(tmp_path)
    command = f"ExecStart={here.program} --env-file {here.env_file}"
    for name, text in render(here, Settings()).items():
        assert text.replace(command, "ExecStart=/usr/bin/env kylink --env-file /etc/kylink/kylink.env") == shipped(name)


def test_the_wheel_ships_the_very_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in FILES:
            inside = archive.read(f"kylink_cli/scheduling/unit_files/{name}")
            assert inside == (UNITS / name).read_bytes()


def test_a_user_s_units_ask_for_nothing_that_only_the_system_grants(tmp_path: Path) -> None:
    for text in render(installed(tmp_path, of_user=True), Settings()).values():
        assert not re.search(r"^(User|StateDirectory|LoadCredential|Protect\w+|Private\w+)=", text, re.MULTILINE)


def test_the_limit_of_a_replenish_run_is_above_its_deadline(tmp_path: Path) -> None:
    units = render(installed(tmp_path), Settings(replenish_deadline_seconds=3601))
    assert "\nTimeoutStartSec=62min 1s\n" in units["kylink-replenish.service"]


@pytest.mark.parametrize(
    ("folder", "quoted"),
    [("plain", "{}/kylink"), ("with blank", '"{}/kylink"'), ("50%", "{}/kylink"), ("a$b", "{}/kylink")],
)
def test_odd_paths_are_one_word_of_a_unit(tmp_path: Path, folder: str, quoted: str) -> None:
    place = tmp_path / folder
    place.mkdir()
    text = render(installed(place), Settings())["kylink-replenish.service"]
    expected = quoted.format(str(place).replace("%", "%%").replace("$", "$$"))
    assert f"ExecStart={expected} --env-file " in text


@pytest.mark.parametrize("folder", ["/home/me", "/root", "/run/user/1000", "/tmp/x", "/var/tmp"])
def test_what_the_sandbox_hides_is_refused(folder: str) -> None:
    hidden = Path(folder) / "file"
    fine = Path("/opt/kylink/file")
    for here in (Installed(hidden, fine, fine), Installed(fine, hidden, fine), Installed(fine, fine, hidden)):
        with pytest.raises(ConfigError, match=str(hidden)):
            here.check_reachable()
    Installed(hidden, hidden, hidden, of_user=True).check_reachable()


# Those that divide an hour, a day, a week, and one that divides none of them.
INTERVALS = [1, 5, 10, 60, 9, 45, 90, 1440, 7, 21, 1008, 11]


@needs_systemd
@pytest.mark.parametrize("interval", INTERVALS)
def test_systemd_s_times_are_really_that_far_apart(interval: int) -> None:
    times = sorted(moment for line in systemd_times(interval, 4, 40) for moment in elapses(line, interval))
    assert gaps(times) <= {interval} | odd_gaps(interval)
    assert all(moment.second == 40 for moment in times)


def gaps(moments: Collection[datetime]) -> set[float]:
    """The times between moments, minutes."""
    return {(later - earlier).total_seconds() / 60 for earlier, later in pairwise(sorted(moments))}


def odd_gaps(interval: int) -> set[float]:
    """What the step into the next week may be, where the week is no multiple of the interval."""
    return {WEEK % interval, WEEK % interval + interval} if WEEK % interval else set()


def elapses(line: str, interval: int) -> Iterator[datetime]:
    """When a calendar expression elapses in the eight days from a Monday on, as systemd says."""
    count = 8 * 24 * 60 // interval + 2
    shown = analyze("calendar", "--base-time=2026-11-22 23:59:59 UTC", f"--iterations={count}", line)
    for found in re.findall(r"(?:Next elapse|Iter\. #\d+|\(in UTC\)): \w{3} (\S+ \S+) UTC", shown):
        moment = datetime.fromisoformat(found).replace(tzinfo=UTC)
        if moment < MONDAY + timedelta(days=8):
            yield moment


@pytest.mark.parametrize("interval", INTERVALS)
def test_cron_s_times_are_those_of_the_rule(interval: int) -> None:
    expected, due = set(), MONDAY - timedelta(minutes=1)
    while (due := next_time(interval, 4, due)) < MONDAY + timedelta(days=8):
        expected.add(due)
    minutes = [MONDAY + timedelta(minutes=minute) for minute in range(8 * 24 * 60)]
    lines = [line.split() for line in cron_times(interval, 4)]
    assert {moment for moment in minutes if any(is_due(line, moment) for line in lines)} == expected
    assert gaps(expected) <= {interval} | odd_gaps(interval)


def is_due(line: list[str], moment: datetime) -> bool:
    """Whether cron's fields mean a moment, after crontab(5)."""
    minute, hour, _, _, weekday = line
    return means(minute, moment.minute) and means(hour, moment.hour) and means(weekday, moment.isoweekday())


def means(field: str, number: int) -> bool:
    if field == "*":
        return True
    spans, _, step = field.partition("/")
    if step:
        first = int(spans.partition("-")[0])
        return number >= first and (number - first) % int(step) == 0
    return str(number) in spans.split(",")


def test_every_unit_is_installed_or_optional() -> None:
    assert {*names(), *OPTIONAL, "kylink.sysusers.conf"} == set(FILES)


def test_no_two_jobs_begin_in_the_same_second() -> None:
    assert len({job.second for job in JOBS}) == len(JOBS)
    assert {period(interval) for interval in (10, 5, 10)} == {60}


@pytest.mark.skipif(os.geteuid() != 0, reason="hiding /run from a process takes root")
@pytest.mark.parametrize("command", ["install", "uninstall", "status"])
def test_where_systemd_does_not_run_one_line_names_cron(command: str, tmp_path: Path) -> None:
    arguments = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$@"', "_"]
    done = subprocess.run(
        [*arguments, sys.executable, "-m", "kylink_cli", "systemd", command],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "kylink: systemd does not run on this host: 'kylink cron install' has cron start the jobs\n"


def test_show_prints_every_unit_whole(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ALERT_CHECK_INTERVAL_MINUTES=15\n", encoding="utf-8")
    shown = run_kylink("systemd", "show", cwd=tmp_path)
    assert shown.returncode == 0
    for name in set(FILES) - OPTIONAL - {"kylink.sysusers.conf"}:
        assert f"# /etc/systemd/system/{name}\n" in shown.stdout
    assert "OnCalendar=*-*-* *:04/15:40 UTC" in shown.stdout
    assert f"--env-file {tmp_path}/.env alert-check --scheduled" in shown.stdout
