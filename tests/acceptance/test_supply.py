"""`kylink supply …`: orders without a clear answer, and what people found out about them."""

import getpass
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kylink_cli.demo.service import Call, SupplyService
from tests.support.books import assert_nothing_lost
from tests.support.gate import Gate
from tests.support.installation import Installation

KEY = "the-key"


@pytest.fixture
def service() -> Iterator[SupplyService]:
    with SupplyService(KEY) as running:
        yield running


@pytest.fixture
def kylink(tmp_path: Path, service: SupplyService) -> Iterator[Installation]:
    with Installation.at(tmp_path, service.url, KEY, PROXY_MAX_PER_CALL="10") as installed:
        yield installed


async def cut_off(call: Call) -> web.StreamResponse | None:
    """Charge, and never answer."""
    call.service.charge(call)
    assert call.request.transport is not None
    call.request.transport.abort()
    return None


async def cut_off_then_refuse(call: Call) -> web.StreamResponse | None:
    return await cut_off(call) if call.number == 1 else web.Response(status=404)


def listed(kylink: Installation, *args: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = kylink.document("supply", "requests", *args)["requests"]
    return found


@pytest.fixture
def doubtful(kylink: Installation, service: SupplyService) -> str:
    """The key of a request that was charged, cut off and refused."""
    kylink.add_campaigns("1")
    service.behave = cut_off_then_refuse
    kylink.run("replenish", "--all")
    [request] = listed(kylink)
    return str(request["key"])


def test_what_may_have_been_charged_is_in_doubt_and_named_in_the_alert_with_what_to_do(
    kylink: Installation, doubtful: str
) -> None:
    [request] = listed(kylink, "--state", "in_doubt", "--campaign", "1")
    assert (request["key"], request["state"], request["produced"]) == (doubtful, "in_doubt", 0)
    messages = [alert["message"] for alert in kylink.document("alerts", "list")["alerts"]]
    [named] = [message for message in messages if doubtful in message]
    assert "kylink supply settle KEY --charged FILE, or --not-charged" in named
    assert kylink.run("db", "check").returncode == 0


def test_an_operator_settles_what_was_charged(
    kylink: Installation, service: SupplyService, doubtful: str, tmp_path: Path
) -> None:
    file = tmp_path / "charged.txt"
    file.write_text("\n".join(service.charges[doubtful]))
    settled = kylink.document("supply", "settle", doubtful, "--charged", str(file))
    assert (settled["state"], settled["produced"], settled["duplicates"]) == ("answered", 10, 0)
    assert settled["settled_by"].startswith(f"{getpass.getuser()}@")
    again = kylink.document("supply", "settle", doubtful, "--charged", str(file))
    assert (again["produced"], again["duplicates"]) == (10, 0), "said twice, done once"
    assert_nothing_lost(kylink, service)
    refused = kylink.run("supply", "settle", doubtful, "--not-charged")
    assert (refused.returncode, "was charged: items of it came" in refused.stderr) == (2, True)


def test_an_operator_settles_with_what_a_run_rescued(
    kylink: Installation, service: SupplyService, doubtful: str, tmp_path: Path
) -> None:
    """Of what was saved when a database was taken away, a request gets what its own key brought."""
    file = tmp_path / "kylink.db.rescued-1.jsonl"
    brought = {doubtful: service.charges[doubtful], "another": ["other-1", "other-2"]}
    lines = [
        {"campaign_id": "1", "value": value, "expires_at": "2100-01-01T00:00:00Z", "key": key}
        for key, values in brought.items()
        for value in values
    ]
    order = {"campaign_id": "1", "key": "open", "quantity": 1, "body": "{}", "value": None}
    file.write_text("".join(json.dumps(line) + "\n" for line in (*lines, order)))
    settled = kylink.document("supply", "settle", doubtful, "--charged", str(file))
    assert (settled["state"], settled["produced"]) == ("answered", 10)
    assert_nothing_lost(kylink, service)
    assert kylink.rows("SELECT count(*) FROM stock_items WHERE value LIKE 'other%'") == [0]


def test_an_operator_settles_what_was_not_charged(kylink: Installation, doubtful: str) -> None:
    assert kylink.run("supply", "settle", doubtful, "--not-charged").stdout.startswith(f"{doubtful} was not charged")
    first = kylink.document("supply", "show", doubtful)
    assert (first["state"], first["error"], first["settled_by"] is None) == ("cancelled", "HTTP 404", False)
    assert kylink.document("supply", "settle", doubtful, "--not-charged")["finished_at"] == first["finished_at"]
    assert listed(kylink) == []


def test_an_order_is_told_in_sentences_and_what_to_type_if_it_is_in_doubt(kylink: Installation, doubtful: str) -> None:
    told = kylink.run("supply", "show", doubtful).stdout
    assert told.startswith("In doubt: the order of 10 items for campaign 1 may have been charged\nHTTP 404\n")
    assert f"Its key: {doubtful}\n" in told
    assert f"  kylink supply settle {doubtful} --not-charged\n" in told
    assert [key for key in kylink.document("supply", "show", doubtful) if f"\n{key}: " in f"\n{told}"] == []
    kylink.run("supply", "settle", doubtful, "--not-charged")
    settled = kylink.run("supply", "show", doubtful).stdout
    assert settled.startswith("Cancelled: the order of 10 items for campaign 1; nothing comes of it\n")
    assert f"Nothing came. Settled by {getpass.getuser()}@" in settled
    assert "kylink supply settle" not in settled


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        (["KEY"], 2, "exactly one of --charged FILE and --not-charged"),
        (["KEY", "--charged", "eleven.txt"], 1, "11 values are given, 10 were asked for"),
        (["KEY", "--charged", "nothing.txt"], 1, "nothing.txt"),
        (["none", "--not-charged"], 11, "unknown supply request none"),
    ],
)
def test_what_cannot_be_settled_so(kylink: Installation, doubtful: str, args: list[str], code: int, text: str) -> None:
    (kylink.folder / "eleven.txt").write_text("\n".join(f"v{number}" for number in range(11)))
    result = kylink.run("supply", "settle", *[doubtful if arg == "KEY" else arg for arg in args])
    assert (result.returncode, text in result.stderr) == (code, True), result.stderr
    assert [request["state"] for request in listed(kylink)] == ["in_doubt"]


def test_a_request_that_a_run_may_be_asking_is_left_alone(kylink: Installation, service: SupplyService) -> None:
    kylink.add_campaigns("1")
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--all")
    gate.wait_for_calls(1)
    [request] = listed(kylink)
    refused = kylink.run("supply", "settle", request["key"], "--not-charged")
    gate.open()
    run.communicate()
    assert (refused.returncode, "is being filled by run 1" in refused.stderr) == (75, True)
    assert kylink.rows("SELECT state, produced FROM supply_requests") == [("answered", 10)]


def test_a_key_that_is_never_answered_holds_up_its_campaign_for_three_runs(
    kylink: Installation, service: SupplyService
) -> None:
    """The service keeps its first answer under a key, an error, as some do."""
    kylink.add_campaigns("1")
    poisoned: set[str] = set()

    async def poison_the_first(call: Call) -> web.StreamResponse | None:
        if not poisoned:
            poisoned.add(call.key)
            call.service.charge(call)
        return web.Response(status=500) if call.key in poisoned else None

    service.behave = poison_the_first
    stocks = []
    for _ in range(4):
        kylink.run("replenish", "--all", REPLENISH_RETRY_TIMES="1")
        stocks += kylink.rows("SELECT count(*) FROM stock_items")
    assert stocks == [0, 0, 0, 10]
    [request] = listed(kylink)
    assert (request["state"], request["unanswered_runs"], {request["key"]}) == ("open", 3, poisoned)
    # It is asked again now and then: not at once, but within the hour; then what it brings comes into stock too.
    calls = service.calls["1"]
    kylink.run("replenish", "--all")
    assert service.calls["1"] == calls
    kylink.execute("UPDATE supply_requests SET asked_at = datetime(asked_at, '-61 minutes') || '.000000'")
    service.behave = None
    assert kylink.run("replenish", "--all").returncode == 0
    assert (kylink.rows("SELECT count(*) FROM stock_items"), listed(kylink)) == ([20], [])
    assert_nothing_lost(kylink, service)


def test_keys_that_are_never_answered_are_replaced_up_to_one_target(
    kylink: Installation, service: SupplyService
) -> None:
    kylink.add_campaigns("1")

    async def never(call: Call) -> web.StreamResponse | None:
        call.service.charge(call)
        return web.Response(status=500)

    service.behave = never
    for _ in range(8):
        kylink.run("replenish", "--all", REPLENISH_RETRY_TIMES="1")
    assert sum(len(values) for values in service.charges.values()) == 20
    last = kylink.document("replenish", "--all", REPLENISH_RETRY_TIMES="1")
    [failure] = last["failures"]
    assert "kylink supply requests --campaign 1" in failure["error"]
