"""What acceptance tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import Installation


@pytest.fixture
def kylink(tmp_path: Path) -> Iterator[Installation]:
    """A kylink with an empty database and no supply service."""
    with Installation.without_supply(tmp_path) as installation:
        yield installation
