"""How the columns of a live table share a width."""

import pytest

from kylink_cli.console.watch.columns import GAP, LiveColumn, widths

COLUMNS = [
    LiveColumn("ID", 6),
    LiveColumn("NAME", 10, 30, spare=1),
    LiveColumn("BAR", 8, 12, spare=2),
    LiveColumn("N", 4),
]


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (34, [6, 10, 8, 4]),
        (38, [6, 12, 10, 4]),
        (44, [6, 16, 12, 4]),
        (200, [6, 30, 12, 4]),
        (33, [6, 19, 0, 4]),
        (24, [6, 10, 0, 4]),
        (23, [6, 0, 0, 4]),
        (5, [6, 0, 0, 4]),
    ],
)
def test_columns_use_the_width_they_have_and_the_spare_ones_go_first(room: int, expected: list[int]) -> None:
    found = widths(COLUMNS, room)
    assert found == expected
    shown = [width for width in found if width]
    assert sum(shown) + GAP * (len(shown) - 1) <= max(room, 12)
