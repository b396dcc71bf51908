"""kylink under a real systemd: started by timers, stopped, failing, shut in, and gone again."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from kylink_cli.demo.service import Call, SupplyService
from tests.support.gate import Gate
from tests.support.waiting import wait_until
from tests.support.web import Received, receiving
from tests.system.server import ENV_FILE, PROGRAM, Server

pytestmark = pytest.mark.slow

COMMANDS = ["replenish", "recover-leases", "alert-check"]
JOBS = ["stock_replenish", "lease_recovery", "monitoring_alert"]
UNITS = "/etc/systemd/system"


def test_timers_fill_the_stock(server: Server) -> None:
    server.kylink("campaigns", "add", "1", "--user", "u")
    server.speed_up(*COMMANDS)
    server.machine.run(PROGRAM, "systemd", "install", "--now")
    for job in JOBS:
        assert server.wait_for_run(job, "succeeded")["trigger"] == "timer"
    wait_until(lambda: server.available("1") == 10, "the timer to fill the campaign")
    status = server.document("jobs", "status")
    assert (status["auto_cron"], status["scheduler"]) == (True, "systemd")
    assert [(job["enabled"], job["overdue"]) for job in status["jobs"]] == [(True, False)] * 3
    assert {job["last_run"]["trigger"] for job in status["jobs"]} == {"timer"}


def test_next_runs_are_systemd_s(server: Server) -> None:
    server.machine.run(PROGRAM, "systemd", "install", "--now")
    now = datetime.now(UTC)
    jobs = {job["name"]: job for job in server.document("jobs", "status")["jobs"]}
    for name, minutes in zip(JOBS, (10, 5, 10), strict=True):
        wait = datetime.fromisoformat(jobs[name]["next_run_at"]) - now
        assert timedelta(0) < wait <= timedelta(minutes=minutes, seconds=16)
    server.machine.run("systemctl", "stop", "kylink-replenish.timer")
    stopped = server.document("jobs", "status")["jobs"][0]
    assert (stopped["enabled"], stopped["next_run_at"]) == (False, None)
    assert "systemctl enable --now kylink-replenish.timer" in server.machine.run(PROGRAM, "doctor", check=False).stdout


def test_while_the_timer_s_run_goes_on_no_other_is_started(installed: Server, service: SupplyService) -> None:
    installed.kylink("campaigns", "add", "1", "--user", "u")
    service.behave = gate = Gate()
    installed.machine.run("systemctl", "start", "--no-block", "kylink-replenish.service")
    gate.wait_for_calls(5)
    by_hand = installed.machine.run("runuser", "-u", "kylink", "--", PROGRAM, "replenish", "--all", check=False)
    assert by_hand.returncode == 75
    assert "another run holds the lock stock_replenish" in by_hand.stderr
    installed.speed_up("replenish", "recover-leases")
    installed.machine.shell(
        "systemctl daemon-reload; systemctl start kylink-replenish.timer kylink-recover-leases.timer"
    )
    wait_until(lambda: len(installed.runs("lease_recovery")) >= 3, "three ticks of timers")
    assert [run["status"] for run in installed.runs("stock_replenish")] == ["running"]
    installed.machine.run("systemctl", "stop", "kylink-replenish.timer")
    gate.open()
    assert installed.wait_for_run("stock_replenish", "succeeded")["trigger"] == "timer"
    wait_until(lambda: installed.is_clean("kylink-replenish.service"), "the unit to be clean")


def test_a_stop_in_mid_run_loses_nothing(installed: Server, service: SupplyService) -> None:
    installed.kylink("campaigns", "add", "1", "--user", "u")
    service.behave = gate = Gate(charges=True)
    installed.machine.run("systemctl", "start", "--no-block", "kylink-replenish.service")
    gate.wait_for_calls(5)
    stop = installed.machine.start("systemctl", "stop", "kylink-replenish.service")
    wait_until(lambda: installed.journal("-u", "kylink-replenish", "EVENT=Stopping"), "the run to hear of its stop")
    gate.open()
    stop.communicate()
    assert installed.runs("stock_replenish")[0]["status"] == "interrupted"
    assert installed.is_clean("kylink-replenish.service")
    charged = {value for values in service.charges.values() for value in values}
    assert installed.values() == charged
    assert installed.document("db", "check")["ok"] is True


def test_a_unit_that_fails_is_told_of_until_a_run_succeeds(installed: Server, service: SupplyService) -> None:
    with receiving() as receiver:
        installed.configure(ALERT_WEBHOOK_URL=receiver.url, ALERT_FLAP_MINUTES="0")
        installed.kylink("campaigns", "add", "1", "--user", "u")
        installed.hand_over("a wrong key")
        installed.machine.run("systemctl", "start", "kylink-replenish.service", check=False)
        assert installed.machine.property("kylink-replenish.service", "Result") == "exit-code"
        wait_until(lambda: "kylink-replenish.service failed: exit-code 77" in told(receiver.requests), "the message")
        opened = installed.alert("SYSTEM_HEALTH")
        assert (opened["level"], opened["state"]) == ("ERROR", "open")
        assert opened["metadata"] == {"unit": "kylink-replenish.service", "result": "exit-code", "status": "77"}
        installed.hand_over(service.key)
        installed.machine.run("systemctl", "start", "kylink-replenish.service")
        assert installed.alert("SYSTEM_HEALTH")["state"] == "resolved"
        assert "resolved: kylink-replenish.service failed" in told(receiver.requests)


def test_people_are_told_even_if_the_database_is_gone(installed: Server) -> None:
    with receiving() as receiver:
        installed.configure(ALERT_WEBHOOK_URL=receiver.url)
        installed.machine.shell("rm /var/lib/kylink/kylink.db*")
        installed.machine.run("systemctl", "start", "kylink-alert-check.service", check=False)
        assert installed.machine.property("kylink-alert-check.service", "ExecMainStatus") == "78"
        wait_until(lambda: "kylink-alert-check.service failed: exit-code 78" in told(receiver.requests), "the message")
        assert "could not be recorded: there is no database" in told(receiver.requests)


def test_a_bad_setting_is_told_of_once_and_the_unit_that_tells_leaves_nothing_behind(installed: Server) -> None:
    machine = installed.machine
    jobs = ("replenish", "recover-leases", "alert-check")
    reporters = [f"kylink-failure@kylink-{job}.service" for job in jobs]
    installed.configure(ENABLE_AUTO_CRON="ture", ALERT_FLAP_MINUTES="0")
    begin = machine.shell("date +%s").strip()
    for job in jobs:
        machine.run("systemctl", "start", f"kylink-{job}.service", check=False)
        assert machine.property(f"kylink-{job}.service", "ExecMainStatus") == "78"
    for reporter in reporters:
        ended = partial(installed.journal, "-u", reporter, "--since", f"@{begin}", "JOB_RESULT=done")
        wait_until(ended, f"{reporter} to end")
    failed = machine.shell("systemctl list-units --failed --plain --no-legend 'kylink-*'")
    assert "kylink-failure" not in failed
    errors = [installed.journal("-u", unit, "-p", "err", "--since", f"@{begin}") for unit in reporters]
    [error] = [entry["MESSAGE"] for entries in errors for entry in entries]
    assert "ENABLE_AUTO_CRON is 'ture': must be true or false" in error
    installed.configure(ENABLE_AUTO_CRON="true")
    assert installed.alert("SYSTEM_HEALTH")["count"] == 3
    machine.run("systemctl", "start", "kylink-recover-leases.service")
    assert installed.alert("SYSTEM_HEALTH")["state"] == "resolved"


PROBE = """#!/bin/sh
for place in /etc /usr /opt /var/lib /home /root /boot; do
  (: > "$place/leak") 2>/dev/null && echo "writes to $place"
done
(: > /var/lib/kylink/own) || echo "can't write to its own folder"
ls /home /root >/dev/null 2>&1 && echo "sees homes"
cat /etc/shadow >/dev/null 2>&1 && echo "reads passwords"
[ "$(id -un)" = kylink ] || echo "is $(id -un)"
mount -t tmpfs none /mnt 2>/dev/null && echo mounts
cat /proc/1/cmdline >/dev/null 2>&1 && echo "sees other processes"
exit 1
"""


def test_the_sandbox_holds(installed: Server) -> None:
    installed.machine.write("/opt/probe", PROBE.replace('echo "', 'echo "'), mode=0o755)
    installed.configure(PROXY_API_URL="exec:/opt/found", REPLENISH_RETRY_TIMES="1")
    installed.machine.write(
        "/opt/found", "#!/bin/sh\n/opt/probe > /var/lib/kylink/found.txt\necho looked around >&2\nexit 1\n", mode=0o755
    )
    installed.kylink("campaigns", "add", "1", "--user", "u")
    installed.machine.run("systemctl", "start", "kylink-replenish.service", check=False)
    assert "looked around" in json.dumps(installed.runs("stock_replenish"))
    assert installed.machine.read("/var/lib/kylink/found.txt") == ""
    assert installed.machine.run("/opt/probe", check=False).stdout.count("writes to") >= 5, "the probe sees nothing"


def test_the_key_is_nowhere_to_be_seen(installed: Server, service: SupplyService) -> None:
    installed.kylink("campaigns", "add", "1", "--user", "u")
    service.behave = gate = Gate()
    installed.machine.run("systemctl", "start", "--no-block", "kylink-replenish.service")
    gate.wait_for_calls(5)
    pid = installed.machine.property("kylink-replenish.service", "MainPID")
    seen = installed.machine.shell(f"cat /proc/{pid}/environ /proc/{pid}/cmdline {UNITS}/kylink-*.service {ENV_FILE}")
    seen += installed.machine.shell("systemctl show 'kylink-*'")
    gate.open()
    installed.wait_for_run("stock_replenish", "succeeded")
    seen += json.dumps(installed.journal())
    assert "LoadCredential=proxy_api_key" in seen
    assert service.key not in seen


def test_the_journal_can_be_asked_by_priority_run_and_campaign(installed: Server, service: SupplyService) -> None:
    async def refuse(call: Call) -> None:
        if call.campaign_id == "bad":
            raise ConnectionResetError

    service.behave = refuse
    for campaign in ("bad", "good"):
        installed.kylink("campaigns", "add", campaign, "--user", "u")
    installed.machine.run("systemctl", "start", "kylink-replenish.service")
    run = installed.runs("stock_replenish")[0]
    this = f"_SYSTEMD_INVOCATION_ID={run['invocation_id']}"
    warnings = installed.journal("-u", "kylink-replenish", "-p", "warning", this)
    # Of the run itself there is the alert that it raised.
    assert {entry.get("CAMPAIGN_ID", entry["MESSAGE"][:29]) for entry in warnings} == {
        "bad",
        "[replenish] alert 1 was raise",
    }
    assert {entry["PRIORITY"] for entry in warnings} == {"3", "4"}
    attempts = installed.journal(f"RUN_ID={run['run_id']}", "CAMPAIGN_ID=bad", "EVENT=AttemptStarted", this)
    assert [entry["ATTEMPT"] for entry in attempts] == ["1", "2", "3"]
    assert attempts[1]["MESSAGE"] == "[replenish] attempt 2/3 for campaign bad"
    lines = [entry["MESSAGE"] for entry in installed.journal("-u", "kylink-replenish", this)]
    assert [line for line in lines if not line.startswith(("[replenish] ", "[jobs] ", "kylink: "))] == []
    assert f"[jobs] stock_replenish ended as partial in {run['duration_ms']} ms" in lines


def test_an_installation_can_be_repeated_changed_and_looked_at_before(installed: Server) -> None:
    machine = installed.machine
    installed.speed_up("alert-check")
    assert "nothing was changed" in machine.run(PROGRAM, "systemd", "install").stdout
    installed.configure(REPLENISH_INTERVAL_MINUTES="7", REPLENISH_DEADLINE_SECONDS="100")
    before = machine.shell(f"cat {UNITS}/kylink-*.service {UNITS}/kylink-*.timer")
    diff = machine.run(PROGRAM, "systemd", "install", "--dry-run").stdout
    assert f"--- {UNITS}/kylink-replenish.timer" in diff
    assert "-TimeoutStartSec=11min\n+TimeoutStartSec=3min 40s\n" in diff
    assert machine.shell(f"cat {UNITS}/kylink-*.service {UNITS}/kylink-*.timer") == before
    status = {timer["job"]: timer["matches_settings"] for timer in installed.document("systemd", "status")["timers"]}
    assert status == {"stock_replenish": False, "lease_recovery": True, "monitoring_alert": True}
    changed = machine.run(PROGRAM, "systemd", "install", "--now").stdout.splitlines()
    assert sorted(changed) == [
        f"changed {UNITS}/kylink-bell.service",
        f"changed {UNITS}/kylink-replenish.service",
        f"changed {UNITS}/kylink-replenish.timer",
    ]
    assert machine.property("kylink-replenish.timer", "TimersCalendar").count("/7:00 UTC") == 49
    assert machine.property("kylink-replenish.service", "TimeoutStartUSec") == "3min 40s"
    assert machine.read(f"{UNITS}/kylink-alert-check.timer.d/fast.conf")
    assert all(timer["matches_settings"] for timer in installed.document("systemd", "status")["timers"])


def test_an_uninstallation_leaves_nothing_behind_but_what_is_the_operator_s(server: Server) -> None:
    traces = "find /etc /usr/local/lib /usr/lib/sys* /var/lib/systemd /run -name '*kylink*' 2>/dev/null"
    before = server.machine.shell(traces)
    server.machine.run(PROGRAM, "systemd", "install", "--now")
    server.machine.run("systemctl", "start", "kylink-recover-leases.service")
    assert server.machine.shell(traces) != before
    removed = server.machine.run(PROGRAM, "systemd", "uninstall").stdout
    assert f"removed {UNITS}/kylink-replenish.timer" in removed
    assert server.machine.shell(traces) == before
    assert server.machine.shell("systemctl list-units --all --plain --no-legend 'kylink-*'") == ""
    assert server.document("db", "check")["ok"] is True


def test_only_root_installs_the_system_s_units(server: Server) -> None:
    done = server.machine.run("runuser", "-u", "kylink", "--", PROGRAM, "systemd", "install", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "kylink: the system's units need root: use sudo, or --user-units for your own\n"


def test_settings_and_programs_that_the_sandbox_hides_are_refused(server: Server) -> None:
    server.machine.run("cp", ENV_FILE, "/root/kylink.env")
    done = server.machine.run(PROGRAM, "--env-file", "/root/kylink.env", "systemd", "install", check=False)
    assert (done.returncode, done.stdout) == (78, "")
    assert "the units could not read /root/kylink.env" in done.stderr
    assert server.machine.shell(f"ls {UNITS} | grep kylink || true") == ""


def test_units_of_a_user_without_a_manager_leave_nothing_behind(server: Server) -> None:
    machine = server.machine
    done = machine.run(PROGRAM, "systemd", "install", "--user-units", env={"HOME": "/root"}, check=False)
    assert done.returncode == 1
    assert "systemctl --user" in done.stderr
    assert machine.shell("find /root/.config -name 'kylink*' 2>/dev/null || true") == ""


def told(requests: Sequence[Received]) -> str:
    """What a receiver was told."""
    return " ".join(str(request.body, "utf-8") for request in requests)
