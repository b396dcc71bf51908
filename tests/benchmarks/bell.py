"""How soon the bell is answered under systemd: from the take that rings to the start of the service that answers."""

import json
import statistics
import tempfile
from datetime import datetime
from pathlib import Path

from kylink_cli.demo.service import SupplyService
from tests.benchmarks.frame import Effort, Figure
from tests.support.machine import why_impossible
from tests.support.waiting import wait_until
from tests.system.server import PROGRAM, Server, built_wheel, equipped

RINGS = 30
KEY = "key"
SERVICE = "kylink-bell.service"


def until_systemd_answers(effort: Effort) -> list[Figure]:
    """Seconds from the lease to the start of the unit, by the journal; nothing where no systemd can be booted."""
    if why_impossible() is not None:
        return []
    with tempfile.TemporaryDirectory() as name, SupplyService(KEY) as service:
        folder = Path(name)
        for part in ("wheel", "machine"):
            (folder / part).mkdir()
        with equipped(folder / "machine", built_wheel(folder / "wheel")) as machine:
            server = Server(machine)
            server.prepare(service.url, KEY)
            machine.run(PROGRAM, "systemd", "install")
            seconds = _seconds(server, effort.of(RINGS, at_least=3))
    detail = f"{max(seconds):.3g} s at most, of {len(seconds)}"
    return [
        Figure("from a take that rings to the start of the bell's service", statistics.median(seconds), "s", 2, detail)
    ]


def _seconds(server: Server, rings: int) -> list[float]:
    """From each ring to the start that it leads to."""
    server.kylink("campaigns", "add", "1", "--user", "u", "--low-watermark", "1", "--target-stock", "2")
    server.kylink("replenish", "--all")
    server.machine.run("systemctl", "start", "kylink-bell.path")
    return [_of_one(server) for _ in range(rings)]


def _of_one(server: Server) -> float:
    [lease, _] = json.loads(server.kylink("leases", "take", "1", "--count", "2", "--json"))["leases"]
    leased_at = datetime.fromisoformat(lease["leased_at"])
    wait_until(lambda: [what for _, what in server.story(SERVICE, leased_at)] == ["start", "end"], "the answer to end")
    return (server.story(SERVICE, leased_at)[0][0] - leased_at).total_seconds()
