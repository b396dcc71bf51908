"""What holds for every test."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from kylink_cli.store.database import Database
from tests.support.database import new_database

# A busy machine is no finding: properties have no time limit.
settings.register_profile("kylink", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kylink")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = new_database(tmp_path)
    yield opened
    opened.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _without_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _without_skip((yield))


def _without_skip(report: Report) -> Report:
    """In CI, what is not tested is not known to work: a skipped test fails."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and CI must run every test: {report.longrepr}"
    return report
