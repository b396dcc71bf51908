"""The size of batches: by how long the one before kept consumers waiting."""

import pytest

from kylink_cli.rules.pace import FEWEST_ROWS, Pace


@pytest.mark.parametrize(
    ("rows", "seconds", "next_rows"),
    [
        (1_000, 0.02, 1_000),
        (1_000, 0.025, 800),
        (1_000, 0.016, 1_250),
        (1_000, 0.001, 2_000),  # at most twice as large
        (1_000, 0.0, 2_000),
        (1_000, 30.0, 500),  # at most half as small
        (600, 30.0, FEWEST_ROWS),
        (4_000, 0.001, 5_000),  # as many as are allowed
    ],
)
def test_the_next_batch_is_to_take_a_moment(rows: int, seconds: float, next_rows: int) -> None:
    pace = Pace(most=5_000)
    pace.rows = rows
    pace.learn(seconds)
    assert pace.rows == next_rows


def test_the_first_batch_is_small_since_nothing_is_known_of_the_disk() -> None:
    assert (Pace().rows, Pace(most=10).rows) == (FEWEST_ROWS, 10)


def test_fewer_rows_than_the_fewest_may_be_all_that_is_allowed() -> None:
    pace = Pace(most=10)
    pace.learn(30)
    assert pace.rows == 10
