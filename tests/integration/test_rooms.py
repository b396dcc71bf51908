"""The rooms that figures, pages and views are tried in: their pasts fit together."""

import pytest

from kylink_cli.store.engine.database import Database
from kylink_cli.store.upkeep.check import check
from tests.support import rooms
from tests.support.rooms import Room


@pytest.mark.parametrize("room", [rooms.WEEK, rooms.EMPTY, rooms.FAILING], ids=["week", "empty", "failing"])
def test_a_rooms_past_fits_together(embedded: Database, room: Room) -> None:
    rooms.furnish(embedded, room)
    assert [found.name for found in embedded.read(check) if not found.ok] == []
