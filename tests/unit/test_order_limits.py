"""What may be ordered in 24 hours, and when people are told that a limit is near, or that the forecast fell short."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kylink_cli.rules.check_facts import Share, Subject
from kylink_cli.rules.demand_checks import check_forecast, check_order_limit
from kylink_cli.rules.order_limits import Granted, Limited, OrderLimits, PlannedOrder, within_limits
from kylink_cli.rules.vocabulary import LimitSource


def share(number: int, of: int = 0, campaign: str = "1") -> Share:
    return Share(Subject(campaign, "u1", f"Campaign {campaign}"), number, of)


@pytest.mark.parametrize(
    ("limits", "wanted", "ordered", "granted"),
    [
        (OrderLimits(), {"a": 10, "b": 20}, {"a": 1000}, {"a": 10, "b": 20}),
        (OrderLimits(of_campaign=100), {"a": 10, "b": 20}, {"a": 95}, {"a": 5, "b": 20}),
        (OrderLimits(of_campaign=100), {"a": 10}, {"a": 130}, {"a": 0}),
        (OrderLimits(in_all=100), {"a": 10, "b": 20}, {"c": 85}, {"a": 10, "b": 5}),
        (OrderLimits(in_all=100, of_campaign=8), {"a": 10, "b": 20}, {"c": 85}, {"a": 8, "b": 7}),
    ],
)
def test_what_is_left_of_a_limit_is_ordered(
    limits: OrderLimits, wanted: Mapping[str, int], ordered: Mapping[str, int], granted: Mapping[str, int]
) -> None:
    found = within_limits(limits, {key: PlannedOrder(items) for key, items in wanted.items()}, ordered)
    assert {key: one.items for key, one in found.items()} == granted


@pytest.mark.parametrize(
    ("own", "granted"),
    [
        (None, Granted(5, Limited(15, 100, LimitSource.CAMPAIGN))),
        (0, Granted(20)),
        (97, Granted(2, Limited(18, 97, LimitSource.OWN))),
        (200, Granted(20)),
    ],
)
def test_a_campaigns_own_limit_wins(own: int | None, granted: Granted) -> None:
    assert within_limits(OrderLimits(of_campaign=100), {"a": PlannedOrder(20, own)}, {"a": 95}) == {"a": granted}


def test_the_limit_of_all_binds_beside_a_campaigns_own() -> None:
    found = within_limits(OrderLimits(in_all=10), {"a": PlannedOrder(20, 15), "b": PlannedOrder(1, 0)}, {})
    assert found == {
        "a": Granted(10, Limited(10, 10, LimitSource.ALL)),
        "b": Granted(0, Limited(1, 10, LimitSource.ALL)),
    }


counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 500))


@given(
    st.integers(1, 1000),
    st.integers(1, 1000),
    counts,
    counts,
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 500)),
)
def test_no_limit_is_ever_exceeded(
    in_all: int,
    of_campaign: int,
    wanted: Mapping[str, int],
    ordered: Mapping[str, int],
    own: Mapping[str, int],
) -> None:
    wants = {key: PlannedOrder(items, own.get(key)) for key, items in wanted.items()}
    granted = within_limits(OrderLimits(in_all, of_campaign), wants, ordered)
    assert sum(one.items for one in granted.values()) <= max(0, in_all - sum(ordered.values()))
    for key, one in granted.items():
        assert 0 <= one.items <= min(wanted[key], max(0, own.get(key, of_campaign) - ordered.get(key, 0)))
        assert one.items + (one.limited.items if one.limited else 0) == wanted[key]


@pytest.mark.parametrize(
    ("ordered", "limits", "level"),
    [
        (79, OrderLimits(of_campaign=100), None),
        (80, OrderLimits(of_campaign=100), "WARNING"),
        (100, OrderLimits(of_campaign=100), "ERROR"),
        (80, OrderLimits(in_all=100), "WARNING"),
        (100, OrderLimits(in_all=100), "ERROR"),
        (1_000_000, OrderLimits(), None),
    ],
)
def test_a_limit_warns_from_four_fifths_on(ordered: int, limits: OrderLimits, level: str | None) -> None:
    found = check_order_limit([share(ordered, limits.of_campaign)], limits)
    assert found.level == level
    assert found.value == ordered


@pytest.mark.parametrize(
    ("refused", "asked", "level"), [(0, 100, None), (10, 100, None), (11, 100, "INFO"), (2, 2, None), (3, 3, "INFO")]
)
def test_a_miss_is_more_than_the_service_level_allows(refused: int, asked: int, level: str | None) -> None:
    found = check_forecast([share(refused, asked)], 0.9)
    assert found.level == level
    if found.alert is not None:
        assert f"{refused} of {asked} items refused" in found.alert.message
        assert "COVER_MINUTES" in found.alert.message
