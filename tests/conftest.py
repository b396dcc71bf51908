"""What holds for every test."""

import os
import shlex
import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from kylink_cli import language
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.postgresql import ServerDatabase
from tests.support.database import new_database
from tests.support.postgres import PostgresServer

# A busy machine is no finding: properties have no time limit. In CI, the same change is judged by the same examples.
settings.register_profile(
    "thorough",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
# What 'make quick' asks for.
settings.register_profile("quick", settings.get_profile("thorough"), max_examples=20)
settings.load_profile("thorough")

language.use("en")

# After a log-in on Debian, a user's own group may write what he makes; settings that others could write are refused.
os.umask(0o022)

# A shell that starts the tests in the background makes them ignore these, and the commands that they run would as well.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What kylink notes of databases on servers is noted for these tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that the tests of a process share; nobody stops it."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Database]:
    """A fresh SQLite database, for what holds only there."""
    opened = new_database(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def on_server(postgres: PostgresServer) -> Iterator[ServerDatabase]:
    """A fresh PostgreSQL database, for what holds only there."""
    with postgres.database() as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A fresh database of either kind: what kylink promises, it promises on both."""
    opened: Database = request.getfixturevalue("embedded" if request.param == "sqlite" else "on_server")
    return opened


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = _without_skip((yield))
    if report.failed:
        report.sections.append(("To run it alone", _command_for(item)))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _without_skip((yield))


def _command_for(item: pytest.Item) -> str:
    """What to type to run a test alone."""
    marker = " -m long" if item.get_closest_marker("long") else ""
    return f".venv/bin/pytest{marker} {shlex.quote(item.nodeid)}"


def _without_skip(report: Report) -> Report:
    """In CI, what is not tested is not known to work: a skipped test fails."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and CI must run every test: {report.longrepr}"
    return report
