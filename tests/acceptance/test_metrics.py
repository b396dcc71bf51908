"""`kylink metrics`: what Prometheus makes of it, up to a scrape by a real node exporter."""

import json
import os
import re
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.support.busy_system import fill
from tests.support.installation import Installation
from tests.support.ports import free_port
from tests.support.waiting import wait_until

DOCS = Path(__file__).parents[2] / "docs"
SCENARIO = Path(__file__).parents[1] / "data" / "prometheus-alerts-scenario.yml"
NAME = re.compile(r"\bkylink_[a-z0-9_]+")


def tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}, which Debian's package {package} brings")
    return found


def series(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if line.startswith("kylink_")]
    return {name: float(value) for name, _, value in lines}


def names(text: str) -> set[str]:
    return set(NAME.findall(text))


@pytest.fixture
def busy(kylink: Installation) -> Installation:
    fill(kylink.database, campaigns=60, days=2)
    return kylink


@contextmanager
def node_exporter(folder: Path) -> Iterator[str]:
    """A real one that collects text files and nothing else."""
    program, address = tool("prometheus-node-exporter", "prometheus-node-exporter"), f"127.0.0.1:{free_port()}"
    options = ["--collector.disable-defaults", "--collector.textfile", f"--collector.textfile.directory={folder}"]
    process = subprocess.Popen(
        [program, *options, f"--web.listen-address={address}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield f"http://{address}/metrics"
    finally:
        process.kill()
        process.wait()


def fetch(url: str) -> str | None:
    try:
        with urlopen(url) as answer:
            return str(answer.read().decode())
    except URLError:
        return None


@pytest.mark.parametrize("filled", [False, True], ids=["empty", "a week of work"])
def test_promtool_finds_nothing_to_complain_of(kylink: Installation, filled: bool) -> None:
    promtool = tool("promtool", "prometheus")
    if filled:
        fill(kylink.database)
    kylink.add_campaigns('quo"te\\back')
    result = kylink.run("metrics")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=result.stdout, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_node_exporter_s_textfile_collector_shows_them(busy: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "textfiles"
    folder.mkdir()
    assert busy.run("metrics", "--out", str(folder / "kylink.prom")).returncode == 0
    with node_exporter(folder) as url:
        wait_until(lambda: fetch(url) is not None, "the exporter to answer")
        scraped = fetch(url) or ""
    written = series((folder / "kylink.prom").read_text())
    assert "node_textfile_scrape_error 0" in scraped
    assert set(series(scraped).values()) >= set(written.values())
    assert len(series(scraped)) == len(written)


def test_the_exporter_may_read_the_file_whatever_the_umask(busy: Installation, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert busy.run("metrics", "--out", str(tmp_path / "kylink.prom")).returncode == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "kylink.prom").stat().st_mode) == 0o644


def test_a_file_that_cannot_be_written_is_one_clear_line(busy: Installation, tmp_path: Path) -> None:
    result = busy.run("metrics", "--out", str(tmp_path / "nowhere" / "kylink.prom"))
    assert result.returncode == 1
    assert result.stderr == f"kylink: {tmp_path}/nowhere/kylink.prom can't be written: there is no such file\n"


@pytest.mark.parametrize("limit", [0, 5])
def test_only_so_many_campaigns_have_metrics_of_their_own(busy: Installation, limit: int) -> None:
    found = series(busy.run("metrics", "--campaigns", str(limit)).stdout)
    listed = [name for name in found if name.startswith("kylink_campaign_watermark_items")]
    assert (len(listed), found["kylink_listed_campaigns"]) == (limit, limit)
    assert sum(value for name, value in found.items() if name.startswith("kylink_campaigns{")) == 60
    assert found["kylink_available_items"] == busy.rows("SELECT count(*) FROM stock_items WHERE state = 'available'")[0]


def test_the_figures_are_those_of_the_database(busy: Installation) -> None:
    found = series(busy.run("metrics", ENABLE_AUTO_CRON="true").stdout)
    [failed] = busy.rows(
        "SELECT count(*) FROM runs WHERE job = 'stock_replenish' AND status = 'failed' "
        "AND started_at > datetime('now', '-1 day')"
    )
    assert found['kylink_runs_24h{job_name="stock_replenish",status="failed"}'] == failed
    bucket = 'kylink_run_duration_seconds_bucket{job_name="lease_recovery",le="+Inf"}'
    assert found[bucket] == found['kylink_run_duration_seconds_count{job_name="lease_recovery"}']
    assert found['kylink_alerts{level="INFO",state="open",type="STOCK_REPLENISH_FAILED"}'] == 1
    assert (found["kylink_active_leases"], found["kylink_overdue_leases"]) == (5, 1)
    assert found['kylink_closed_leases_24h{state="confirmed"}'] == 10
    assert found['kylink_job_enabled{job_name="stock_replenish"}'] == 1


def test_json_says_the_same(busy: Installation, tmp_path: Path) -> None:
    metrics = busy.document("metrics")["metrics"]
    assert metrics["kylink_active_leases"] == [{"name": "kylink_active_leases", "labels": {}, "value": 5}]
    out = tmp_path / "kylink.prom"
    written = busy.document("metrics", "--out", str(out))
    assert written == {"file": str(out), "series": len(series(out.read_text()))}


def check_rules(*arguments: str) -> None:
    command = [tool("promtool", "prometheus"), *arguments]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_alert_rules_pass_promtool() -> None:
    check_rules("check", "rules", str(DOCS / "prometheus-alerts.yml"))


def test_the_alert_rules_fire_when_they_should(tmp_path: Path) -> None:
    shutil.copy(DOCS / "prometheus-alerts.yml", tmp_path)
    shutil.copy(SCENARIO, tmp_path)
    check_rules("test", "rules", str(tmp_path / SCENARIO.name))


def test_every_expression_of_the_dashboard_can_be_read(tmp_path: Path) -> None:
    rules = [{"record": f"r:{number}", "expr": expr} for number, expr in enumerate(expressions())]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    check_rules("check", "rules", "--lint=none", str(tmp_path / "rules.yml"))


def expressions() -> list[str]:
    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_no_label_is_one_that_prometheus_keeps_for_itself(busy: Installation) -> None:
    labels = set(re.findall(r'[{,](\w+)="', busy.run("metrics").stdout))
    assert labels.isdisjoint({"job", "instance"})
    assert "job_name" in labels


@pytest.mark.parametrize("document", ["prometheus-alerts.yml", "grafana-dashboard.json", "monitoring.md"])
def test_documents_speak_only_of_metrics_that_there_are(busy: Installation, document: str) -> None:
    text = (DOCS / document).read_text(encoding="utf-8")
    assert set(NAME.findall(text)) - names(busy.run("metrics").stdout) - {"kylink_cli"} == set()


def test_every_rule_has_its_paragraph_in_the_runbook() -> None:
    rules = (DOCS / "prometheus-alerts.yml").read_text(encoding="utf-8")
    runbook = (DOCS / "monitoring.md").read_text(encoding="utf-8")
    anchors = {heading.lower() for heading in re.findall(r"^### (\w+)$", runbook, re.MULTILINE)}
    alerts = re.findall(r"- alert: (\w+)", rules)
    # Whole addresses, which a pager can open, in the folder where the package says that its documents are.
    documents = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    place = documents["Documentation"].removesuffix("index.md") + "monitoring.md"
    assert place.startswith("https://")
    assert re.findall(r"runbook_url: (\S+)", rules) == [f"{place}#{alert.lower()}" for alert in alerts]
    assert f"'s|{place}|https://" in runbook
    assert {alert.lower() for alert in alerts} <= anchors


def test_the_dashboard_is_one_that_grafana_can_import() -> None:
    dashboard: dict[str, Any] = json.loads((DOCS / "grafana-dashboard.json").read_text(encoding="utf-8"))
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(target["datasource"]["uid"] == "${datasource}" for panel in panels for target in panel["targets"])
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["datasource"]
