"""What the fault tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from tests.faults.shim import Shim
from tests.support.installation import Installation

KEY = "the-key"


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Shim:
    return Shim.compiled(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def service() -> Iterator[SupplyService]:
    with SupplyService(KEY) as running:
        yield running


@pytest.fixture
def kylink(tmp_path: Path, service: SupplyService) -> Iterator[Installation]:
    with Installation.at(tmp_path, service.url, KEY) as installed:
        yield installed
