"""What acceptance tests share."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.face import Face, installed, serving
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer
from tests.support.visitors import logged_in


@pytest.fixture
def kylink(tmp_path: Path) -> Iterator[Installation]:
    """A kylink with an empty database and no supply service."""
    with Installation.without_supply(tmp_path) as installation:
        yield installation


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def face(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[Face]:
    """A `kylink serve` that the tests of a module share, on either database."""
    folder = tmp_path_factory.mktemp("face")
    with installed(request.param, folder, postgres) as host, serving(host) as face:
        yield face


@pytest.fixture
def program(face: Face) -> Iterator[httpx.Client]:
    """What calls the server with a key that can do everything."""
    with face.client() as client:
        yield client


@pytest.fixture
def operator(face: Face) -> Iterator[httpx.Client]:
    """Somebody at the pages who has logged in with a key that can do everything."""
    with logged_in(face) as client:
        yield client
