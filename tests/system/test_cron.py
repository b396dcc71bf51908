"""kylink under a real cron daemon."""

import shutil
from collections.abc import Iterator

import pytest

from tests.system.server import PROGRAM, Server

pytestmark = pytest.mark.slow

# cron looks once a minute; its third job begins 40 s into one.
TWO_MINUTES = 130


@pytest.fixture
def cron(server: Server) -> Iterator[Server]:
    """A cron daemon runs on the machine."""
    if shutil.which("cron", path="/usr/sbin") is None:
        pytest.skip("cron is not installed (make packages)")
    server.machine.run("systemd-run", "--unit=crond", "/usr/sbin/cron", "-f")
    yield server
    server.machine.run("systemctl", "stop", "crond")


def test_cron_runs_the_jobs_and_syslog_gets_their_lines(cron: Server) -> None:
    minute = dict.fromkeys(
        ("REPLENISH_INTERVAL_MINUTES", "LEASE_RECOVERY_INTERVAL_MINUTES", "ALERT_CHECK_INTERVAL_MINUTES"), "1"
    )
    cron.configure(**minute)
    cron.kylink("campaigns", "add", "1", "--user", "u")
    assert cron.machine.run(PROGRAM, "cron", "install").stdout == "added /etc/cron.d/kylink\n"
    status = cron.document("jobs", "status")
    assert status["scheduler"] == "cron"
    assert all(job["enabled"] and job["next_run_at"] for job in status["jobs"])
    for job in ("stock_replenish", "lease_recovery", "monitoring_alert"):
        assert cron.wait_for_run(job, "succeeded", seconds=TWO_MINUTES)["trigger"] == "timer"
    assert cron.available("1") == 10
    lines = [entry["MESSAGE"] for entry in cron.journal("-t", "kylink-replenish")]
    assert "[replenish] attempt 1/3 for campaign 1" in lines
    assert {entry["PRIORITY"] for entry in cron.journal("-t", "kylink-replenish")} == {"6"}


def test_cron_s_line_works_with_busybox_s_own_shell_and_logger(server: Server) -> None:
    if shutil.which("busybox") is None:
        pytest.skip("busybox is not installed (make packages)")
    server.configure()
    server.kylink("campaigns", "add", "1", "--user", "u")
    shown = server.machine.run(PROGRAM, "cron", "show").stdout.splitlines()
    (line,) = [line for line in shown if "replenish --all" in line]
    command = line.split(maxsplit=6)[-1]
    server.machine.shell("mkdir -p /opt/busybox && busybox --install -s /opt/busybox")
    as_cron = ["runuser", "-u", "kylink", "--", "env", "-i", "PATH=/opt/busybox", "STATE_DIRECTORY=/var/lib/kylink"]
    done = server.machine.run(*as_cron, "/opt/busybox/sh", "-c", command)
    assert (done.stdout, done.stderr) == ("", "")
    assert server.available("1") == 10
    lines = [entry["MESSAGE"] for entry in server.journal("-t", "kylink-replenish")]
    assert any("[replenish] attempt 1/3 for campaign 1" in line for line in lines)


def test_an_installation_for_cron_can_be_repeated_and_undone(server: Server) -> None:
    assert "0-59/10 * * * * kylink /opt/kylink/bin/kylink" in server.machine.run(PROGRAM, "cron", "show").stdout
    dry = server.machine.run(PROGRAM, "cron", "install", "--dry-run").stdout
    assert "+++ /etc/cron.d/kylink" in dry
    assert server.machine.run("test", "-e", "/etc/cron.d/kylink", check=False).returncode == 1
    assert server.machine.run(PROGRAM, "cron", "install").stdout == "added /etc/cron.d/kylink\n"
    assert server.machine.shell("stat -c '%a %U' /etc/cron.d/kylink") == "644 root\n"
    assert "nothing was changed" in server.machine.run(PROGRAM, "cron", "install").stdout
    assert server.machine.run(PROGRAM, "cron", "uninstall").stdout == "removed /etc/cron.d/kylink\n"
    assert "nothing was changed" in server.machine.run(PROGRAM, "cron", "uninstall").stdout


def test_cron_does_not_start_what_systemd_starts(server: Server) -> None:
    server.machine.run(PROGRAM, "systemd", "install", "--now")
    done = server.machine.run(PROGRAM, "cron", "install", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "kylink systemd uninstall" in done.stderr
