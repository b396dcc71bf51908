"""How many leases consumers take and confirm over HTTP, beside as many that use kylink's Python face."""

import http.client
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks import leases
from tests.benchmarks.frame import Effort, Figure, Rounds, alternate
from tests.support.database import add_campaigns, add_items
from tests.support.face import Face, installed, serving
from tests.support.postgres import PostgresServer

CONSUMERS = 8
# The HTTP face may take so many times as long: half the throughput.
TARGET = 2.0


def throughput(effort: Effort) -> list[Figure]:
    """The time over HTTP as a multiple of the time in process, on SQLite and on PostgreSQL."""
    number = effort.of(leases.LEASES, at_least=CONSUMERS * 2)
    with PostgresServer(fsync="on") as server:
        return [_figure(kind, server, number, effort) for kind in ("sqlite", "postgresql")]


def _figure(kind: str, server: PostgresServer, number: int, effort: Effort) -> Figure:
    with _face(kind, server) as face:
        add_campaigns(face.host.database, *leases.CAMPAIGNS)
        for campaign in leases.CAMPAIGNS:
            add_items(face.host.database, campaign, number * 2 * effort.rounds)
        url, folder = face.host.settings["DATABASE_URL"], face.host.folder
        over_http = partial(consume, face.everybodys_key, str(folder))
        sides = {
            "HTTP": partial(leases.seconds_of, over_http, face.url, CONSUMERS, number // CONSUMERS, 1),
            "in process": partial(leases.seconds_of, leases.consume, url, CONSUMERS, number // CONSUMERS, 1),
        }
        rounds = alternate(effort, sides)
        return Figure(
            f"take and confirm over HTTP on {kind}, {CONSUMERS} consumers: the time",
            rounds.ratio("HTTP", "in process"),
            "x in process",
            TARGET,
            _detail(rounds, number, folder),
        )


@contextmanager
def _face(kind: str, server: PostgresServer) -> Iterator[Face]:
    with (
        tempfile.TemporaryDirectory() as name,
        installed(kind, Path(name), server) as host,
        serving(host, SERVE_REQUESTS_PER_SECOND="1000000") as face,
    ):
        yield face


def _detail(rounds: Rounds, number: int, folder: Path) -> str:
    took = sorted(ms for file in folder.glob("took-*") for ms in json.loads(file.read_text(encoding="utf-8")))
    rates = [number / rounds.median(side) for side in ("HTTP", "in process")]
    return f"{rates[0]:,.0f} leases/s against {rates[1]:,.0f}; a take p50 {_at(took, 50)} ms, p99 {_at(took, 99)} ms"


def _at(ordered: list[float], percent: int) -> int:
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)])


def consume(key: str, folder: str, number: int, url: str, times: int, count: int, ready: Barrier) -> None:
    """Take leases and confirm them, over one connection; how long the takes took is left in the folder."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    took = []

    def post(path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        connection.request("POST", f"/api/v1/leases{path}", json.dumps(body), headers)
        results: list[dict[str, Any]] = json.loads(connection.getresponse().read())["results"]
        return results

    post("/confirm", {"tokens": ["none"]})
    ready.wait()
    for _ in range(times):
        began = time.perf_counter()
        [taken] = post("", {"requests": [{"campaign_id": leases.CAMPAIGNS[number], "count": count}]})
        took.append((time.perf_counter() - began) * 1000)
        post("/confirm", {"tokens": [lease["token"] for lease in taken["leases"]]})
    ready.wait()
    Path(folder, f"took-{number}").write_text(json.dumps(took), encoding="utf-8")
