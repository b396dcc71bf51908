"""The HTTP face under a real systemd: started by its first connection, in its sandbox, and ended in good order."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from kylink_cli.demo.service import Call, SupplyService
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.system.server import PROGRAM, Server

pytestmark = pytest.mark.slow

SHIPPED = Path(__file__).parents[2] / "systemd"
RULES = "/etc/polkit-1/rules.d/50-kylink.rules"
NAMES = ("kylink-serve.socket", "kylink-serve.service")


@contextmanager
def waiting_socket(server: Server) -> Iterator[httpx.Client]:
    """Who calls the face with a key that can do everything; the first call starts it."""
    port = free_port()
    for name in NAMES:
        text = (SHIPPED / name).read_text(encoding="utf-8")
        here = text.replace("127.0.0.1:51001", f"127.0.0.1:{port}").replace("/usr/bin/env kylink", PROGRAM)
        server.machine.write(f"/etc/systemd/system/{name}", here)
    server.machine.run("systemctl", "daemon-reload")
    server.machine.run("systemctl", "start", NAMES[0])
    server.kylink("campaigns", "add", "1", "--user", "u")
    key = server.document("keys", "add", "desk", "--can", "consume,operate,read")["key"]
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client
    server.machine.run("systemctl", "stop", *reversed(NAMES))
    assert server.is_clean(NAMES[1])
    for name in NAMES:
        server.machine.run("rm", f"/etc/systemd/system/{name}")
    server.machine.run("systemctl", "daemon-reload")


def replenish(client: httpx.Client) -> httpx.Response:
    return client.post("/api/v1/jobs/replenish", json={"mode": "all"})


def test_the_first_connection_starts_the_face_and_it_starts_jobs(installed: Server) -> None:
    with waiting_socket(installed) as client:
        assert client.get("/readyz").json() == {"status": "ready"}
        started = replenish(client)
        assert (started.status_code, started.json()["by"]) == (202, "process")
        url = started.headers["location"]
        wait_until(lambda: client.get(url).json()["status"] == "succeeded", "the run to end")
        taken = client.post("/api/v1/leases", json={"requests": [{"campaign_id": "1"}]}).json()["results"][0]
        assert len(taken["leases"]) == 1
        log = installed.machine.shell(f"journalctl --sync; journalctl -o cat -u {NAMES[1]}")
        assert "systemd does not start stock_replenish for this server" in log


def test_with_the_documented_rule_systemd_starts_the_job_of_the_timer(
    installed: Server, service: SupplyService
) -> None:
    machine, gate = installed.machine, threading.Event()

    async def wait(_: Call) -> None:
        await asyncio.to_thread(gate.wait, PATIENCE_SECONDS)

    service.behave = wait
    if machine.run("test", "-e", "/usr/lib/polkit-1/polkitd", check=False).returncode:
        pytest.skip("polkitd is not installed (make packages)")
    machine.write(RULES, documented_rule())
    try:
        with waiting_socket(installed) as client:
            started = replenish(client)
            assert (started.status_code, started.json()["by"]) == (202, "systemd"), started.text
            again = replenish(client)
            assert (again.status_code, again.json()["code"]) == (409, "LOCKED")
            gate.set()
            url = started.headers["location"]
            wait_until(lambda: client.get(url).json()["status"] == "succeeded", "the run to end")
            # A process of the server's would have that of the server.
            assert client.get(url).json()["invocation_id"] not in {None, machine.property(NAMES[1], "InvocationID")}
            # The rule allows that, and nothing else.
            for refused in ("stop kylink-replenish.service", "start kylink-bell.service", "restart cron.service"):
                command = ["runuser", "-u", "kylink", "--", "systemctl", "--no-ask-password", *refused.split()]
                assert "authentication required" in machine.run(*command, check=False).stderr
    finally:
        gate.set()
        machine.run("rm", RULES)


def documented_rule() -> str:
    """The rule of polkit that the docs give."""
    text = (SHIPPED.parent / "docs" / "http.md").read_text(encoding="utf-8")
    found = re.search(r"^    polkit\.addRule\(.*?^    \}\);\n", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[0]
