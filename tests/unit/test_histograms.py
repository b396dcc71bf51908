"""Histograms: what lies within which bound, and the quantiles that can be estimated from that."""

import pytest

from kylink_cli.rules.histograms import Histogram

BOUNDS = (1.0, 2.0, 4.0)


@pytest.mark.parametrize(
    ("within", "number", "share", "expected"),
    [
        ((0, 0, 0), 0, 0.5, None),
        ((10, 10, 10), 10, 0.5, 0.5),
        ((0, 10, 10), 10, 0.5, 1.5),
        ((5, 5, 10), 10, 0.5, 1.0),
        ((5, 5, 10), 10, 0.75, 3.0),
        ((0, 0, 10), 10, 1.0, 4.0),
        ((0, 0, 0), 10, 0.5, 4.0),
    ],
    ids=["none", "first bound", "second bound", "edge", "over a gap", "all", "beyond the last bound"],
)
def test_quantiles_are_estimated_within_their_bounds(
    within: tuple[int, ...], number: int, share: float, expected: float | None
) -> None:
    assert Histogram(BOUNDS, within, number, 0.0).quantile(share) == expected


def test_histograms_add_up() -> None:
    parts = [Histogram(BOUNDS, (1, 2, 3), 4, 10.0), Histogram(BOUNDS, (0, 1, 1), 1, 2.0)]
    assert Histogram.total(BOUNDS, parts) == Histogram(BOUNDS, (1, 3, 4), 5, 12.0)
    assert Histogram.total(BOUNDS, []) == Histogram(BOUNDS, (0, 0, 0), 0, 0.0)


def test_a_mean_needs_something() -> None:
    assert Histogram(BOUNDS, (1, 2, 3), 4, 10.0).mean == 2.5
    assert Histogram(BOUNDS, (0, 0, 0), 0, 0.0).mean is None
