"""The HTTP face under a real systemd: started by its first connection, in its sandbox, and ended in good order."""

from pathlib import Path

import httpx
import pytest

from tests.support.ports import free_port
from tests.support.waiting import wait_until
from tests.system.server import PROGRAM, Server

pytestmark = pytest.mark.slow

SHIPPED = Path(__file__).parents[2] / "systemd"
NAMES = ("kylink-serve.socket", "kylink-serve.service")


def test_the_first_connection_starts_the_face_and_it_starts_jobs(server: Server) -> None:
    port = free_port()
    for name in NAMES:
        text = (SHIPPED / name).read_text(encoding="utf-8")
        here = text.replace("127.0.0.1:51001", f"127.0.0.1:{port}").replace("/usr/bin/env kylink", PROGRAM)
        server.machine.write(f"/etc/systemd/system/{name}", here)
    server.machine.run("systemctl", "daemon-reload")
    server.machine.run("systemctl", "start", NAMES[0])
    server.kylink("campaigns", "add", "1", "--user", "u")
    key = server.document("keys", "add", "desk", "--can", "consume,operate,read")["key"]
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, timeout=60
    ) as client:
        assert client.get("/readyz").json() == {"status": "ready"}
        started = client.post("/api/v1/jobs/replenish", json={"mode": "all"})
        assert started.status_code == 202, started.text
        url = started.headers["location"]
        wait_until(lambda: client.get(url).json()["status"] == "succeeded", "the run to end")
        taken = client.post("/api/v1/leases", json={"requests": [{"campaign_id": "1"}]}).json()["results"][0]
        assert len(taken["leases"]) == 1
    server.machine.run("systemctl", "stop", *reversed(NAMES))
    assert server.is_clean(NAMES[1])
    for name in NAMES:
        server.machine.run("rm", f"/etc/systemd/system/{name}")
    server.machine.run("systemctl", "daemon-reload")
