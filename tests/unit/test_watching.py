"""Which campaigns a watcher sees, and pictures of one line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kylink_cli.console.sparkline import ASCII, glyphs_for, sparkline, stock_bar
from kylink_cli.rules.demand import Asked, DemandHistory
from kylink_cli.rules.replenishment import Level, Need, Watermark
from kylink_cli.rules.vocabulary import Sorting, WatermarkSource
from kylink_cli.rules.watching import Selection, by_hour, chosen, next_sorting

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


def need(campaign_id: str, available: int, consumed: int = 0, *, name: str = "", active: bool = True) -> Need:
    level = Level(
        campaign_id, "u1", name or campaign_id, None, None, NOW, None, None, available, consumed, active=active
    )
    hour = int(NOW.timestamp()) // 3600
    history = DemandHistory({hour - age: Asked(consumed // 24, 0) for age in range(1, 25) if consumed})
    level = replace(level, history=history)
    return Need(level, Watermark(3, WatermarkSource.OWN), 10, max(0, 10 - available), level.foresee(NOW))


CAMPAIGNS = [
    need("long", 50, 24, name="Winter"),
    need("short", 5, 240, name="Autumn"),
    need("still", 9, name="spring"),
    need("empty", 0, name="Zeppelin"),
    need("paused", 1, 240, active=False, name="Ball"),
]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), ["empty", "short", "long", "still", "paused"]),
        (Selection(sorting=Sorting.AVAILABLE), ["empty", "short", "still", "long", "paused"]),
        (Selection(sorting=Sorting.NAME), ["short", "paused", "still", "long", "empty"]),
        (Selection(low=True), ["empty"]),
        (Selection(text="WINT"), ["long"]),
        (Selection(text="u1", sorting=Sorting.NAME), ["short", "paused", "still", "long", "empty"]),
        (Selection(text="nothing"), []),
    ],
    ids=str,
)
def test_which_campaigns_and_in_which_order(selection: Selection, expected: list[str]) -> None:
    assert [one.level.campaign_id for one in chosen(CAMPAIGNS, selection, lambda need: need)] == expected


def test_each_sorting_comes_round_again() -> None:
    found = [Sorting.RUNWAY]
    for _ in Sorting:
        found.append(next_sorting(found[-1]))
    assert found == [Sorting.RUNWAY, Sorting.AVAILABLE, Sorting.NAME, Sorting.RUNWAY]


def test_hours_without_consumption_count_as_none() -> None:
    this_hour = NOW.replace(minute=0)
    hours = by_hour({this_hour: 3, this_hour - timedelta(hours=23): 7, this_hour - timedelta(hours=24): 9}, NOW)
    assert hours == [7, *[0] * 22, 3]


@pytest.mark.parametrize(
    ("numbers", "picture"),
    [
        ([], ""),
        ([0, 0], "  "),
        ([0, 1, 8], " ▁█"),
        ([8, 4, 0], "█▄ "),
        ([1, 1_000_000], "▁█"),
        ([0.25, 0.5], "▄█"),
    ],
    ids=str,
)
def test_a_sparkline_is_as_high_as_its_largest(numbers: list[float], picture: str) -> None:
    assert sparkline(numbers) == picture


@pytest.mark.parametrize(
    ("available", "watermark", "target", "picture", "style"),
    [
        (0, 3, 10, "···│······", "red"),
        (2, 3, 10, "██·│······", "red"),
        (3, 3, 10, "███│······", "green"),
        (10, 3, 10, "███│██████", "green"),
        (99, 3, 10, "███│██████", "green"),
        (1, 50, 1000, "│·········", "red"),
        (10, 10, 10, "█████████│", "green"),
    ],
)
def test_a_bar_shows_stock_watermark_and_target(
    available: int, watermark: int, target: int, picture: str, style: str
) -> None:
    bar = stock_bar(available, watermark, target, 10)
    assert bar.plain == picture
    filled = [span.style for span in bar.spans if bar.plain[span.start : span.end].startswith("█")]
    assert set(filled) <= {style}


def test_plain_terminals_get_plain_characters() -> None:
    assert [glyphs_for(name) is ASCII for name in ("xterm-256color", "linux", "vt100", "screen", "")] == [
        False, True, True, False, False
    ]  # fmt: skip
    assert stock_bar(5, 3, 10, 10, ASCII).plain == "###|#....."
