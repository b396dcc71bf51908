"""A real Prometheus that scrapes kylink: the rules fire in the room where everything fails, and `rate()` is true."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from tests.support import rooms
from tests.support.installation import Installation
from tests.support.ports import free_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

RULES = Path(__file__).parents[2] / "docs" / "prometheus-alerts.yml"


class Quiet(SimpleHTTPRequestHandler):
    extensions_map = {"": "text/plain; version=0.0.4"}  # noqa: RUF012  (as the library declares it)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def prometheus(folder: Path, *, rules: str = "") -> Iterator[str]:
    """One that scrapes `folder/metrics` twice a second; its address."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("needs prometheus, which Debian's package prometheus brings")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "rules.yml").write_text(rules or "groups: []\n")
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms}\n"
        f"rule_files: [{folder}/rules.yml]\n"
        f"scrape_configs: [{{job_name: kylink, static_configs: [{{targets: ['127.0.0.1:{server.server_port}']}}]}}]\n"
    )
    address = f"127.0.0.1:{free_port()}"
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    process = subprocess.Popen(
        [program, *options, f"--web.listen-address={address}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: answers(address), "Prometheus to be ready")
        yield address
    finally:
        process.terminate()
        process.wait()
        server.shutdown()
        server.server_close()


def answers(address: str) -> bool:
    try:
        with urlopen(f"http://{address}/-/ready") as ready:
            return bool(ready.status == 200)
    except OSError:
        return False


def ask(address: str, path: str) -> Any:
    return json.load(urlopen(f"http://{address}/api/v1/{path}"))["data"]


def value(address: str, query: str) -> float | None:
    found = ask(address, f"query?query={quote(query)}")["result"]
    return float(found[0]["value"][1]) if found else None


def write(kylink: Installation, folder: Path) -> None:
    assert kylink.run("metrics", "--out", str(folder / "metrics"), ENABLE_AUTO_CRON="true").returncode == 0


def test_the_rules_fire_in_the_room_where_everything_fails(kylink: Installation, tmp_path: Path) -> None:
    rooms.furnish(kylink.database, rooms.FAILING)
    write(kylink, tmp_path)
    # What has lasted for half an hour need not be waited for.
    rules = "\n".join(line for line in RULES.read_text().splitlines() if not line.strip().startswith("for:"))
    expected = {"KylinkCampaignsWithoutStock", "KylinkJobNeverSucceeded", "KylinkSupplyFails", "KylinkFillsTooLittle"}
    with prometheus(tmp_path, rules=rules) as address:

        def fired() -> dict[str, Any]:
            return {one["labels"]["alertname"]: one for one in ask(address, "alerts")["alerts"]}

        wait_until(lambda: expected <= fired().keys(), "the rules to fire")
        never = fired()["KylinkJobNeverSucceeded"]
        assert never["labels"]["job_name"] == "stock_replenish"
        runbook = never["annotations"]["runbook_url"]
        assert runbook.startswith("https://")
        assert runbook.endswith("/docs/monitoring.md#kylinkjobneversucceeded")
        # Campaigns are named, and have the runway 0.
        query = 'kylink_campaign_runway_seconds{campaign_id="1000", name="Spring sale 0", status="active"}'
        assert value(address, query) == 0


def test_rate_tells_what_happened_between_two_scrapes_though_rows_were_deleted(
    kylink: Installation, tmp_path: Path
) -> None:
    old = datetime.now(UTC) - timedelta(days=40)
    for _ in range(100):
        kylink.record_run("stock_replenish", "succeeded", old)
    write(kylink, tmp_path)
    total = 'kylink_runs_total{job_name="stock_replenish", status="succeeded"}'
    with prometheus(tmp_path) as address:
        wait_until(lambda: value(address, total) == 100, "the first scrape")
        # A week of old runs is deleted, and three new ones end.
        assert kylink.run("alert-check").returncode == 0
        assert kylink.rows("SELECT count(*) FROM runs WHERE job = 'stock_replenish'") == [1]
        for _ in range(3):
            kylink.record_run("stock_replenish", "succeeded", datetime.now(UTC) - timedelta(seconds=1))
        write(kylink, tmp_path)
        wait_until(lambda: value(address, total) == 103, "the second scrape")
        samples = ask(address, f"query?query={quote(total + '[5m]')}")["result"][0]["values"]
        assert sorted({float(number) for _, number in samples}) == [100, 103]
        assert value(address, f"resets({total}[5m])") == 0
        # `rate` extrapolates by half an interval of the samples at either end: of two samples it makes twice as much.
        assert 2.9 < (value(address, f"rate({total}[5m]) * 300") or 0) < 6.1
