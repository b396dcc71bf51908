"""Replenishing while things break: services that fail, runs that meet, runs that are killed."""

import asyncio
import json
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from kylink_cli.demo.service import Call, SupplyService
from tests.support.gate import Gate
from tests.support.installation import Installation
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.slow

KEY = "the-key"


@pytest.fixture
def service() -> Iterator[SupplyService]:
    with SupplyService(KEY) as running:
        yield running


@pytest.fixture
def kylink(tmp_path: Path, service: SupplyService) -> Iterator[Installation]:
    with Installation.at(tmp_path, service.url, KEY) as installed:
        yield installed


def _assert_books_agree(kylink: Installation, service: SupplyService) -> None:
    """What was charged is in stock, all of it and once; no key was ever used for two different orders."""
    charged = [value for values in service.charges.values() for value in values]
    assert Counter(kylink.rows("SELECT value FROM stock_items")) == Counter(charged)
    assert service.conflicts == []
    assert kylink.run("db", "check").returncode == 0


def _wait_for_line(run: "subprocess.Popen[str]", text: str) -> None:
    """Read a run's log up to a line."""
    assert run.stderr is not None
    while text not in (line := run.stderr.readline()):
        assert line, f"the run ended without saying {text!r}"


class Chaos:
    """Fails one call of five, before or after it is charged; delays, cuts connections and gives too little."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.faults = 0

    async def __call__(self, call: Call) -> web.StreamResponse | None:
        await asyncio.sleep(self._random.uniform(0, 0.01))
        if self._random.random() < 0.3:
            call.service.charges.setdefault(call.key, [f"{call.key}-few"])
        if self._random.random() >= 0.2:
            return None
        self.faults += 1
        if self._random.random() < 0.5:
            call.service.charge(call)
        return self._fault(call)

    def _fault(self, call: Call) -> web.StreamResponse:
        kind = self._random.choice(["error", "busy", "cut", "nonsense"])
        if kind == "cut" and call.request.transport is not None:
            call.request.transport.abort()
        if kind == "busy":
            return web.Response(status=429, headers={"Retry-After": "0"})
        return web.Response(status=200, text="<html>") if kind == "nonsense" else web.Response(status=500)


def test_a_service_that_fails_one_call_of_five_fills_every_campaign(
    kylink: Installation, service: SupplyService
) -> None:
    ids = [str(number) for number in range(200)]
    kylink.add_campaigns(*ids)
    service.behave = chaos = Chaos(seed=1)
    result = kylink.run(
        "replenish",
        "--all",
        "--json",
        PROXY_MAX_PER_CALL="4",
        CAMPAIGN_CONCURRENCY="10",
        REPLENISH_RETRY_TIMES="10",
    )
    document = json.loads(result.stdout)
    assert (result.returncode, document["status"], document["succeeded"]) == (0, "succeeded", 200), result.stderr[
        -2000:
    ]
    assert kylink.rows("SELECT count(*) FROM stock_items GROUP BY campaign_id") == [10] * 200
    assert document["duplicates"] == 0
    assert chaos.faults > 100
    _assert_books_agree(kylink, service)


def test_of_two_runs_at_once_the_second_ends_and_names_the_first(kylink: Installation, service: SupplyService) -> None:
    kylink.add_campaigns("1")
    service.behave = gate = Gate()
    first = kylink.start("replenish", "--all")
    gate.wait_for_calls(1)
    second = kylink.run("replenish", "--all", "--json")
    assert (second.returncode, json.loads(second.stdout)["error"]["code"]) == (75, "LOCKED")
    assert f"pid {first.pid}" in second.stderr
    third = kylink.start("replenish", "--all", "--wait", "60")
    gate.open()
    assert (first.wait(), third.wait()) == (0, 0)
    assert kylink.rows("SELECT status FROM runs") == ["succeeded", "succeeded"]
    assert [run.communicate()[1].count("attempt") for run in (first, third)] == [1, 0]


def test_a_campaign_can_be_forced_beside_a_run_unless_that_run_holds_it(
    kylink: Installation, service: SupplyService
) -> None:
    kylink.add_campaigns("held", "full")
    kylink.run("replenish", "--campaign", "full")
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--all")
    gate.wait_for_calls(1)
    held = kylink.run("replenish", "--campaign", "held")
    assert held.returncode == 75
    assert f"campaign held is being filled by run 2: pid {run.pid}" in held.stderr
    forced = kylink.start("replenish", "--campaign", "full", "--force")
    gate.open()
    assert (forced.wait(), run.wait()) == (0, 0)
    for process in (forced, run):
        process.communicate()
    assert kylink.rows("SELECT campaign_id, count(*) FROM stock_items GROUP BY 1 ORDER BY 1") == [
        ("full", 20),
        ("held", 10),
    ]


def test_what_a_killed_run_has_paid_for_comes_into_stock_once(kylink: Installation, service: SupplyService) -> None:
    kylink.add_campaigns("1", "2", "3", "4")
    service.behave = gate = Gate(charges=True)
    run = kylink.start("replenish", "--all", PROXY_MAX_PER_CALL="2")
    gate.wait_for_calls(15)
    run.kill()
    run.communicate()
    assert (kylink.rows("SELECT status FROM runs"), len(service.charges)) == (["running"], 15)
    gate.open()
    result = kylink.run("replenish", "--all", PROXY_MAX_PER_CALL="2")
    assert result.returncode == 0
    assert "died without recording an end: marked as crashed" in result.stderr
    assert kylink.rows("SELECT status FROM runs ORDER BY id") == ["crashed", "succeeded"]
    assert kylink.rows("SELECT count(*) FROM stock_items GROUP BY campaign_id") == [10] * 4
    _assert_books_agree(kylink, service)


def test_what_a_failed_run_may_have_paid_for_is_asked_for_again_under_its_key(
    kylink: Installation, service: SupplyService
) -> None:
    kylink.add_campaigns("1")

    async def charge_and_fail(call: Call) -> web.Response:
        call.service.charge(call)
        return web.Response(status=500)

    service.behave = charge_and_fail
    assert kylink.run("replenish", "--all").returncode == 69
    assert kylink.rows("SELECT state, count(*) FROM supply_requests GROUP BY 1") == [("open", 10)]
    service.behave = None
    assert kylink.run("replenish", "--all").returncode == 0
    assert len(service.charges) == 10
    _assert_books_agree(kylink, service)


@pytest.mark.slow
def test_runs_killed_at_any_moment_lose_nothing_and_pay_nothing_twice(
    kylink: Installation, service: SupplyService
) -> None:
    kylink.add_campaigns(*[str(number) for number in range(30)])
    service.behave = Chaos(seed=2)
    for kill_after in (1, 7, 20, 60, 110, 170):
        run = kylink.start("replenish", "--all", "--quiet")
        wait_until(lambda: sum(service.calls.values()) >= kill_after, f"{kill_after} calls")  # noqa: B023
        run.kill()
        run.communicate()
    result = kylink.run("replenish", "--all", REPLENISH_RETRY_TIMES="10")
    assert result.returncode == 0, result.stderr[-2000:]
    assert kylink.rows("SELECT count(*) FROM stock_items GROUP BY campaign_id") == [10] * 30
    _assert_books_agree(kylink, service)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_the_run_in_good_order(
    kylink: Installation, service: SupplyService, number: signal.Signals
) -> None:
    kylink.add_campaigns("1", "2", "3", "4", "5")
    service.behave = gate = Gate(charges=True)
    run = kylink.start("replenish", "--all")
    gate.wait_for_calls(15)
    run.send_signal(number)
    _wait_for_line(run, "no new calls, calls in flight may finish")
    gate.open()
    run.communicate()
    assert run.returncode == -number
    assert kylink.rows("SELECT status FROM runs") == ["interrupted"]
    assert kylink.rows("SELECT count(*) FROM campaign_claims WHERE run_id IS NOT NULL") == [0]
    assert (gate.waiting, kylink.rows("SELECT count(*) FROM stock_items")) == (15, [15])
    _assert_books_agree(kylink, service)


@pytest.mark.slow
def test_calls_that_outlast_a_signal_by_ten_seconds_are_cut_off_and_asked_again(
    kylink: Installation, service: SupplyService
) -> None:
    kylink.add_campaigns("1", "2", "3")
    service.behave = gate = Gate(charges=True)
    run = kylink.start("replenish", "--all")
    gate.wait_for_calls(15)
    run.send_signal(signal.SIGTERM)
    run.communicate()
    assert run.returncode == -signal.SIGTERM
    assert kylink.rows("SELECT count(*) FROM supply_requests WHERE state = 'open'") == [15]
    gate.open()
    kylink.run("replenish", "--all")
    assert kylink.rows("SELECT count(*) FROM stock_items GROUP BY campaign_id") == [10] * 3
    _assert_books_agree(kylink, service)


def test_the_deadline_ends_the_run_and_reports_what_was_not_served(
    kylink: Installation, service: SupplyService
) -> None:
    kylink.add_campaigns("1", "2")

    async def slowly(_: Call) -> None:
        await asyncio.sleep(0.3)

    service.behave = slowly
    settings = {"CAMPAIGN_CONCURRENCY": "1", "STOCK_CONCURRENCY": "1", "REPLENISH_DEADLINE_SECONDS": "1"}
    result = kylink.run("replenish", "--all", "--json", **settings)
    document = json.loads(result.stdout)
    assert result.returncode == 10
    assert document["campaigns"][1]["status"] == "not_served"
    assert 0 < document["produced"] < 10
    assert document["failures"][-1]["error"] == "the run's deadline of 1 s is reached"
    _assert_books_agree(kylink, service)


def test_a_service_that_is_down_is_not_hammered_and_raises_one_alert(
    kylink: Installation, service: SupplyService
) -> None:
    kylink.add_campaigns(*[str(number) for number in range(500)])

    async def down(_: Call) -> web.Response:
        return web.Response(status=503)

    service.behave = down
    result = kylink.run("replenish", "--all", "--json", REPLENISH_RETRY_DELAY_MS="200")
    document = json.loads(result.stdout)
    assert (result.returncode, document["status"], document["failed"]) == (69, "failed", 500)
    # Ten that fail open the breaker while up to fourteen are in flight; of up to five further campaigns one call each
    # tells that the service is down; from then on there is one probe per delay.
    assert sum(service.calls.values()) <= 10 + 14 + 5 + document["duration_ms"] / 200
    assert kylink.rows("SELECT type, level, count FROM alerts") == [("STOCK_REPLENISH_FAILED", "ERROR", 1)]
    [message] = kylink.rows("SELECT message FROM alerts")
    assert message.splitlines()[-1].endswith("and 490 more failed")


def test_a_service_that_is_down_is_not_hammered_for_one_campaign_that_needs_much(
    kylink: Installation, service: SupplyService
) -> None:
    kylink.add_campaigns("1")
    kylink.execute("UPDATE campaigns SET low_watermark = 5, target_stock = 300")

    async def down(_: Call) -> web.Response:
        return web.Response(status=503)

    service.behave = down
    settings = {"REPLENISH_RETRY_TIMES": "1", "REPLENISH_RETRY_DELAY_MS": "60000"}
    assert kylink.run("replenish", "--all", **settings).returncode == 69
    # Ten open the breaker while four are in flight.
    assert service.calls["1"] <= 10 + 4


def test_a_service_that_comes_back_fills_everything_in_the_same_run(
    kylink: Installation, service: SupplyService
) -> None:
    kylink.add_campaigns(*[str(number) for number in range(50)])

    async def down_at_first(call: Call) -> web.Response | None:
        return web.Response(status=503) if sum(call.service.calls.values()) <= 20 else None

    service.behave = down_at_first
    # The breaker may need several probes to use up the calls that fail.
    settings = {"REPLENISH_RETRY_DELAY_MS": "100", "REPLENISH_RETRY_TIMES": "10"}
    result = kylink.run("replenish", "--all", "--json", **settings)
    document = json.loads(result.stdout)
    assert (result.returncode, document["succeeded"]) == (0, 50)


def test_a_service_that_cannot_be_reached_at_all(kylink: Installation) -> None:
    kylink.add_campaigns(*[str(number) for number in range(50)])
    result = kylink.run("replenish", "--all", PROXY_API_URL="http://127.0.0.1:9/v1/items")
    assert result.returncode == 69
    assert "http://127.0.0.1:9 can't be reached" in result.stderr
    # Nothing was sent: no request needs to be asked again.
    assert kylink.rows("SELECT DISTINCT state FROM supply_requests") == ["cancelled"]


def test_both_limits_of_calls_in_flight_are_kept(kylink: Installation, service: SupplyService) -> None:
    kylink.add_campaigns("1", "2", "3", "4", "5", "6")
    now, most, by_campaign = Counter[str](), 0, 0

    async def count(call: Call) -> None:
        nonlocal most, by_campaign
        now[call.campaign_id] += 1
        most, by_campaign = max(most, now.total()), max(by_campaign, *now.values())
        await asyncio.sleep(0.01)
        now[call.campaign_id] -= 1

    service.behave = count
    kylink.run("replenish", "--all", CAMPAIGN_CONCURRENCY="2", STOCK_CONCURRENCY="4")
    assert (most, by_campaign) == (8, 4)


def test_campaigns_that_alone_are_down_do_not_close_the_shop_for_the_others(
    kylink: Installation, service: SupplyService
) -> None:
    """Three campaigns come first in every run, and answer 503; the sixteen others are filled all the same."""
    bad, good = ["00", "01", "02"], [str(number) for number in range(10, 26)]
    kylink.add_campaigns(*bad, *good)

    async def down(call: Call) -> web.Response | None:
        return web.Response(status=503) if call.campaign_id in bad else None

    service.behave = down
    document = kylink.document("replenish", "--all", REPLENISH_RETRY_DELAY_MS="60000", REPLENISH_RETRY_TIMES="1")
    assert (document["succeeded"], document["failed"], document["status"]) == (16, 3, "partial")
    assert {failure["error"] for failure in document["failures"]} == {"HTTP 503"}
    assert kylink.rows("SELECT count(*) FROM stock_items") == [160]


def test_what_failed_in_three_runs_comes_after_the_others(kylink: Installation, service: SupplyService) -> None:
    kylink.add_campaigns("00", "1")

    async def down(call: Call) -> web.Response | None:
        return web.Response(status=500) if call.campaign_id == "00" else None

    service.behave = down
    for _ in range(3):
        kylink.run("replenish", "--campaign", "00", REPLENISH_RETRY_TIMES="1")
    service.calls.clear()
    document = kylink.document("replenish", "--all", CAMPAIGN_CONCURRENCY="1", REPLENISH_RETRY_TIMES="1")
    assert [campaign["campaign_id"] for campaign in document["campaigns"]] == ["1", "00"]


def test_a_service_that_sends_duplicates_is_left_after_two_rounds_and_rests(
    kylink: Installation, service: SupplyService
) -> None:
    kylink.add_campaigns("1")

    async def duplicates(call: Call) -> None:
        """Four values, over and over; the service charges for each."""
        call.service.charges.setdefault(call.key, [f"v{call.number % 4}"])

    service.behave = duplicates
    first = kylink.document("replenish", "--all", REPLENISH_RETRY_TIMES="5")
    [failure] = first["failures"] or [first["campaigns"][0]]
    assert f"{first['duplicates']} items supplied once more" in failure["error"]
    assert (first["produced"], first["supply_calls"]) == (4, 4 + first["duplicates"])
    assert first["duplicates"] <= 18
    calls = service.calls["1"]
    kylink.execute("DELETE FROM stock_items WHERE value = 'v0' OR value = 'v1'")
    second = kylink.document("replenish", "--all")
    assert ("duplicates came last" in second["campaigns"][0]["error"], service.calls["1"]) == (True, calls)
    kylink.run("replenish", "--campaign", "1", "--force")
    assert service.calls["1"] > calls


@pytest.mark.parametrize("at_once", [1, 5])
def test_a_campaign_that_is_paused_in_mid_run_is_ordered_for_no_more(
    kylink: Installation, service: SupplyService, at_once: int
) -> None:
    """The pause counts before the next batch of calls: of twelve, no call is made but those that were under way."""
    kylink.add_campaigns("1", "2")
    kylink.execute("UPDATE campaigns SET low_watermark = 5, target_stock = 12")
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--all", STOCK_CONCURRENCY=str(at_once), CAMPAIGN_CONCURRENCY="1")
    gate.wait_for_calls(at_once)
    assert kylink.run("campaigns", "pause", "1").returncode == 0
    gate.open()
    run.communicate()
    assert run.returncode == 0
    assert service.calls == {"1": at_once, "2": 12}
    assert kylink.rows("SELECT state, count(*) FROM supply_requests GROUP BY 1 ORDER BY 1") == [
        ("answered", at_once + 12),
        ("cancelled", 12 - at_once),
    ]
    _assert_books_agree(kylink, service)


def test_a_campaign_that_is_paused_before_its_first_call_is_ordered_for_not_at_all(
    kylink: Installation, service: SupplyService
) -> None:
    """It waits for its turn, claimed and recorded; nobody waits for a retry of it."""
    kylink.add_campaigns("1", "2")
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--all", CAMPAIGN_CONCURRENCY="1")
    gate.wait_for_calls(1)
    assert kylink.run("campaigns", "pause", "2").returncode == 0
    gate.open()
    run.communicate()
    assert (run.returncode, service.calls) == (0, {"1": 10})
    assert kylink.rows("SELECT state FROM supply_requests WHERE campaign_id = '2'") == ["cancelled"] * 10
