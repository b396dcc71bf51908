"""A machine with a real systemd, and kylink on it as an administrator installs it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from tests.support.machine import Machine, why_impossible
from tests.system.server import PROGRAM, Server, built_wheel, equipped


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """kylink's wheel, built from this repository as it is."""
    return built_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[Machine]:
    """The machine that the tests of a process share, with kylink's program in /opt/kylink."""
    if (reason := why_impossible()) is not None:
        pytest.skip(reason)
    with equipped(tmp_path_factory.mktemp("machine"), wheel) as started:
        yield started


@pytest.fixture
def service() -> Iterator[SupplyService]:
    """A supply service, on the loopback that machine and tests share."""
    with SupplyService("hush-supply-key") as started:
        yield started


@pytest.fixture
def server(machine: Machine, service: SupplyService) -> Iterator[Server]:
    """kylink on the machine, with settings, secrets and an empty database; afterwards all of it is gone."""
    server = Server(machine)
    server.prepare(service.url, service.key)
    yield server
    server.remove()


@pytest.fixture
def installed(server: Server) -> Server:
    """The units are there, and no timer has begun."""
    server.machine.run(PROGRAM, "systemd", "install")
    return server
