"""A simulation keeps its books: what it prints can be recounted, nothing is sold that was not bought."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kylink_cli.rules.order_limits import OrderLimits
from kylink_cli.simulation.comparison import Contestant, Event, compare
from kylink_cli.simulation.demand import Asking, Own, ReplayedDemand, Steps, replayed
from kylink_cli.simulation.replay import Replay, Terms
from kylink_cli.simulation.shop import Outage, Shop, random_outages
from kylink_cli.simulation.till import Till
from tests.support.demand import generated
from tests.support.policies import FORECAST

DAY = 24 * 60


def terms(end: float, shop: Shop | None = None, *, bell: bool = True, counts_from: float = 0) -> Terms:
    return Terms(FORECAST, bell, 10, 3, 1.0, shop or Shop(5 / 60), 0, end, counts_from)


def replay(minutes: Sequence[float], under: Terms, **own: int | None) -> tuple[Till, list[Event]]:
    events: list[Event] = []
    till = Replay(Asking("c", minutes, Own(**own)), under, lambda *event: events.append(event)).run()
    return till, events


@given(
    st.lists(st.floats(0, 6 * DAY, exclude_max=True), max_size=200).map(sorted),
    st.booleans(),
    st.lists(st.tuples(st.floats(0, 6 * DAY), st.floats(1, 600)), max_size=5),
    st.sampled_from([0.0, 2.0 * DAY]),
)
def test_the_events_are_the_figures(
    minutes: list[float], bell: bool, closed: list[tuple[float, float]], counts_from: float
) -> None:
    outages = sorted(Outage(*one) for one in closed)
    till, events = replay(minutes, terms(6 * DAY, Shop(5 / 60, outages), bell=bell, counts_from=counts_from))
    counted: Counter[str] = Counter()
    in_stock = 0
    for minute, _, event, quantity in events:
        counted[event] += quantity * (minute >= counts_from)
        in_stock += {"arrive": quantity, "take": -quantity, "expire": -quantity}.get(event, 0)
        assert in_stock >= 0
        assert event != "lost" or in_stock == 0
        assert event != "order" or not any(one.start <= minute < one.end for one in outages)
    assert (till.served, till.lost, till.bought, till.expired) == tuple(
        counted[event] for event in ("take", "lost", "order", "expire")
    )
    assert till.asked == till.served + till.lost == sum(minute >= counts_from for minute in minutes)
    assert [event[0] for event in events] == sorted(event[0] for event in events)


def test_an_order_is_filled_after_the_lead_and_refused_in_an_outage() -> None:
    shop = Shop(5, [Outage(0, 25)])
    _, events = replay([30.0], terms(60, shop, bell=False), watermark=1, target=10)
    assert events[:2] == [(30.0, "c", "lost", 1), (30.0, "c", "order", 10)]
    assert events[2] == (35.0, "c", "arrive", 10)


def test_a_ring_is_answered_at_once_and_without_the_bell_by_the_timer() -> None:
    orders = {}
    for bell in (True, False):
        _, events = replay([13.0, 13.1, 13.2], terms(60, bell=bell), watermark=8, target=10)
        orders[bell] = [minute for minute, _, event, _ in events if event == "order"][1]
    assert orders == {True: 13.2, False: 20}


@pytest.mark.parametrize(
    ("of_settings", "of_its_own", "limit"), [(0, 20, 20), (20, None, 20), (50, 20, 20), (20, 50, 50), (20, 0, None)]
)
@pytest.mark.parametrize("bell", [True, False])
def test_no_more_is_ordered_in_any_24_hours_than_the_limit(
    of_settings: int, of_its_own: int | None, limit: int | None, bell: bool
) -> None:
    busy = [float(minute) for minute in range(0, 4 * DAY, 10)]
    under = replace(terms(4 * DAY, bell=bell), limits=OrderLimits(of_campaign=of_settings))
    till, events = replay(busy, under, order_limit=of_its_own)
    orders = [(minute, quantity) for minute, _, event, quantity in events if event == "order"]
    in_a_day = [sum(n for at, n in orders if last - DAY < at <= last) for last, _ in orders]
    assert max(in_a_day) == limit if limit else min(in_a_day[20:]) > 50
    assert (till.lost > DAY / 10) is (limit is not None)


def test_what_nobody_uses_expires_after_its_life() -> None:
    till, events = replay([], terms(3 * DAY))
    assert (2 * DAY + 5 / 60, "c", "expire", 10) in events
    assert till.expired == 10


def test_the_same_seed_gives_the_same_demand_thinned_to_a_mean() -> None:
    series = [Steps("c", [(float(minute), 10) for minute in range(0, 30 * DAY, 5)], 5)]
    one, other = (replayed(series, 6, 1) for _ in range(2))
    assert one == other != replayed(series, 6, 2)
    assert len(one.campaigns[0].minutes) / one.days / 24 == pytest.approx(6, rel=0.05)
    assert len(replayed(series, 300, 1).campaigns[0].minutes) == pytest.approx(300 * 24 * 30, rel=0.02)


def test_outages_come_so_often_and_last_so_long() -> None:
    found = random_outages(0, 1000 * DAY, 45, 36, 1)
    assert len(found) == pytest.approx(1000 * DAY / (36 * 60 + 45), rel=0.1)
    assert all(one.end <= other.start for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("rate", "lost", "per_used"),
    [(0.1, 0.01, 1.15), (0.5, 0.002, 1.04), pytest.param(5, 0.001, 1.03, marks=pytest.mark.slow)],
)
def test_hardly_anything_is_lost_or_bought_in_vain(rate: float, lost: float, per_used: float) -> None:
    """On the seeded generator: days and weeks, bursts, a campaign that dies, one that is born, a step to ten times."""
    demand = replayed(generated(rate, days=40, seed=7), None, 7)
    shop = Shop(5 / 60, random_outages(demand.start, demand.end, 45, 36, 7))
    under = Terms(FORECAST, True, 10, 3, 1.0, shop, demand.start, demand.end, demand.start + 10 * DAY)
    [result] = compare(demand, [Contestant("forecast", "forecast", {}, under)], lambda *_: None)
    assert result.till.lost_share <= lost
    assert result.till.bought_per_used is not None
    assert result.till.bought_per_used <= per_used


def test_many_takes_are_shared_out_among_processes_and_come_to_the_same() -> None:
    minutes = [number / 100 for number in range(60_000)]
    demand = ReplayedDemand([Asking("a", minutes), Asking("b", minutes)], 0, 600)
    [both] = compare(demand, [Contestant("forecast", "forecast", {}, terms(600))], lambda *_: None)
    alone, _ = replay(minutes, terms(600))
    assert both.till.asked == 2 * alone.asked
    assert (both.till.bought, both.till.lost) == (2 * alone.bought, 2 * alone.lost)
