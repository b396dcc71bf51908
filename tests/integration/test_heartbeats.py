"""Heartbeats tell of every run's start and end, and never fail one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kylink_cli.alerting.posting import Alerting
from kylink_cli.errors import KylinkError
from kylink_cli.locks.file import FileLocks
from kylink_cli.notify.heartbeat import Heartbeat
from kylink_cli.running.run import Finished, LiveRun, Report, RunRequest
from kylink_cli.running.runner import run_job
from kylink_cli.store.engine.database import Database
from tests.support.alerts import RULES
from tests.support.web import Receiver, receiving

DONE = Report(figures={"produced": 7, "failed": 0})


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@dataclass
class Host:
    """Runs a job with a heartbeat."""

    database: Database
    folder: Path
    warnings: list[str] = field(default_factory=list)

    def run(self, url: str, *, error: Exception | None = None, timeout_seconds: float = 60) -> Finished[Report]:
        async def work(_run: LiveRun) -> Report:
            if error is not None:
                raise error
            return DONE

        ping = Heartbeat(url, self.warnings.append, timeout_seconds).ping
        request, locks = RunRequest("monitoring_alert"), FileLocks(self.folder / "locks")
        return run_job(LiveRun(request, self.database, locks, lambda _event: None, Alerting(RULES), ping=ping), work)


@pytest.fixture
def host(database: Database, tmp_path: Path) -> Host:
    return Host(database, tmp_path)


def test_a_run_tells_of_its_start_and_of_its_end_with_what_it_did(host: Host, receiver: Receiver) -> None:
    host.run(f"{receiver.url}/ping/uuid/")
    start, success = receiver.requests
    assert (start.path, start.body) == ("/ping/uuid/start", b"")
    assert success.path == "/ping/uuid"
    assert success.body.decode().startswith("monitoring_alert succeeded in ")
    assert success.body.decode().endswith(" ms; produced 7")


def test_a_failed_run_tells_why(host: Host, receiver: Receiver) -> None:
    with pytest.raises(KylinkError):
        host.run(receiver.url, error=KylinkError("no power"))
    assert [r.path for r in receiver.requests] == ["/start", "/fail"]
    assert receiver.requests[1].body.decode().endswith("; no power")


def test_an_error_of_the_service_fails_no_run(host: Host, receiver: Receiver) -> None:
    receiver.status = 500
    assert host.run(receiver.url).report.status == "succeeded"
    expected = "the {} heartbeat could not be sent: HTTPStatusError"
    assert host.warnings == [expected.format("start"), expected.format("success")]


def test_a_refused_connection_fails_no_run_and_shows_no_address(host: Host) -> None:
    assert host.run("http://127.0.0.1:9/s3cret").report.status == "succeeded"
    assert len(host.warnings) == 2
    assert "s3cret" not in str(host.warnings)


def test_a_service_that_hangs_fails_no_run_and_is_left(host: Host, receiver: Receiver) -> None:
    receiver.hangs = True
    assert host.run(receiver.url, timeout_seconds=0.3).report.status == "succeeded"
    assert not receiver.released.is_set()
    assert len(host.warnings) == 2


def test_a_proxy_that_makes_no_sense_fails_no_run(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "nonsense://x:y")
    assert host.run("http://127.0.0.1:9/").report.status == "succeeded"
