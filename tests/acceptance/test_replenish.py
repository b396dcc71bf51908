"""`kylink replenish` over real HTTP: what it fills, what it says, and how it ends."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from kylink_cli.demo.service import Call, SupplyService
from tests.support.database import add_items
from tests.support.installation import Installation

KEY = "the-key-nobody-may-see"


@pytest.fixture
def service() -> Iterator[SupplyService]:
    with SupplyService(KEY) as running:
        yield running


@pytest.fixture
def kylink(tmp_path: Path, service: SupplyService) -> Iterator[Installation]:
    with Installation.at(tmp_path, service.url, KEY) as installed:
        installed.add_campaigns("1", "2", "3")
        yield installed


def _stock(kylink: Installation) -> list[tuple[str, int]]:
    return kylink.rows("SELECT campaign_id, count(*) FROM stock_items GROUP BY 1 ORDER BY 1")


def test_every_low_campaign_is_filled_up_to_its_target(kylink: Installation, service: SupplyService) -> None:
    add_items(kylink.database, "2", 2)
    add_items(kylink.database, "3", 3)
    result = kylink.run("replenish", "--all")
    assert result.returncode == 0, result.stderr
    assert _stock(kylink) == [("1", 10), ("2", 10), ("3", 3)]
    assert sum(len(values) for values in service.charges.values()) == 18


def test_the_log_lines_are_those_that_operators_search_for(kylink: Installation) -> None:
    lines = kylink.run("replenish", "--campaign", "1").stderr.splitlines()
    assert "[replenish] attempt 1/3 for campaign 1" in lines
    assert re.fullmatch(r"\[jobs\] stock_replenish completed in \d+ ms", lines[-1])


def test_a_second_run_finds_nothing_to_do(kylink: Installation, service: SupplyService) -> None:
    kylink.run("replenish", "--all")
    calls = dict(service.calls)
    result = kylink.run("replenish", "--all")
    assert result.returncode == 0
    assert "nothing to do: no campaign is low" in result.stderr
    assert service.calls == calls


def test_the_document_holds_what_the_contract_says(kylink: Installation) -> None:
    document = kylink.document("replenish", "--campaign", "1")
    assert document.pop("duration_ms") >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document.pop("started_at"))
    assert document == {
        "run_id": 1,
        "job": "stock_replenish",
        "status": "succeeded",
        "total": 1,
        "succeeded": 1,
        "partial": 0,
        "failed": 0,
        "skipped": 0,
        "not_served": 0,
        "produced": 10,
        "duplicates": 0,
        "supply_calls": 10,
        "campaigns": [
            {
                "campaign_id": "1",
                "user_id": "u1",
                "name": "Campaign 1",
                "status": "succeeded",
                "available_before": 0,
                "watermark": 3,
                "target": 10,
                "ordered": 10,
                "produced": 10,
                "available_after": 10,
                "attempts": 1,
                "error": None,
                "why": "consumed 0 in 24 hours",
            }
        ],
        "failures": [],
        "alert_id": None,
    }


def test_a_dry_run_shows_what_would_be_ordered_and_calls_nobody(kylink: Installation, service: SupplyService) -> None:
    add_items(kylink.database, "2", 2)
    document = kylink.document("replenish", "--all", "--dry-run")
    ordered = [(c["campaign_id"], c["ordered"], c["produced"]) for c in document["campaigns"]]
    assert (document["dry_run"], ordered) == (True, [("1", 10, 0), ("3", 10, 0), ("2", 8, 0)])
    assert (service.calls, _stock(kylink), kylink.rows("SELECT id FROM runs")) == ({}, [("2", 2)], [])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--campaign", "1"], {"1": 10}),
        (["--campaign", "1", "--campaign", "2"], {"1": 10, "2": 10}),
        (["--user", "u2"], {"9": 10}),
        (["--campaign", "1", "--quantity", "4"], {"1": 4}),
        (["--campaign", "8"], {"8": 12}),
        (["--campaign", "8", "--force"], {"8": 22}),
        (["--campaign", "8", "--force", "--quantity", "1"], {"8": 13}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_choose_which_campaigns_and_how_much(
    kylink: Installation, options: list[str], expected: dict[str, int]
) -> None:
    kylink.add_campaigns("8")
    add_items(kylink.database, "8", 12)
    kylink.run("campaigns", "add", "9", "--user", "u2", "--low-watermark", "3")
    kylink.run("replenish", *options)
    assert {key: number for key, number in _stock(kylink) if key in expected} == expected
    assert {key for key, _ in _stock(kylink)} <= expected.keys() | {"8"}


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        ([], 2, "kylink: name the campaigns: exactly one of --all, --campaign ID, --user USER and --rung"),
        (
            ["--all", "--user", "u1"],
            2,
            "kylink: name the campaigns: exactly one of --all, --campaign ID, --user USER and --rung",
        ),
        (["--campaign", "77"], 11, "kylink: unknown campaign 77: 'kylink campaigns list' shows them"),
        (["--user", "nobody"], 11, "kylink: user nobody has no campaigns: 'kylink campaigns list' shows them"),
        (
            ["--campaign", "2"],
            2,
            "kylink: campaign 2 is paused, nothing was ordered: 'kylink campaigns resume 2' first",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_scope_that_cannot_be_meant_is_refused(
    kylink: Installation, options: list[str], code: int, line: str
) -> None:
    kylink.run("campaigns", "pause", "2")
    result = kylink.run("replenish", *options)
    assert (result.returncode, result.stderr) == (code, line + "\n")
    assert kylink.rows("SELECT id FROM runs") == []


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"PROXY_API_URL": ""}, "kylink: PROXY_API_URL is not set"),
        ({"PROXY_API_URL": "ftp://host/"}, "kylink: PROXY_API_URL is of the kind ftp"),
        ({"PROXY_API_URL": "nonsense"}, "PROXY_API_URL"),
        ({"CAMPAIGN_CONCURRENCY": "many"}, "CAMPAIGN_CONCURRENCY"),
        ({"DATABASE_URL": "sqlite:////nonexistent/kylink.db"}, "/nonexistent/kylink.db"),
    ],
    ids=str,
)
def test_a_bad_setting_ends_the_run_before_it_begins(kylink: Installation, settings: dict[str, str], line: str) -> None:
    result = kylink.run("replenish", "--all", **settings)
    assert result.returncode == 78
    assert line in result.stderr
    assert "Traceback" not in result.stderr
    assert kylink.rows("SELECT id FROM runs") == []


def test_a_service_without_a_key_is_called_without_one(kylink: Installation, service: SupplyService) -> None:
    service.key = ""
    document = kylink.document("replenish", "--all", PROXY_API_KEY="")
    assert (document["status"], document["succeeded"]) == ("succeeded", 3)


def test_a_service_that_asks_for_the_key_that_is_not_set_stops_the_run(kylink: Installation) -> None:
    result = kylink.run("replenish", "--all", PROXY_API_KEY="")
    assert result.returncode == 77
    assert "HTTP 401: Unauthorized: this key is not known; PROXY_API_KEY is not set: the supply" in result.stderr


def test_a_refused_key_stops_the_run_and_fails_what_is_left(kylink: Installation) -> None:
    kylink.add_campaigns(*[f"more-{number}" for number in range(50)])
    result = kylink.run("replenish", "--all", "--json", PROXY_API_KEY="wrong", STOCK_CONCURRENCY="1")
    document = json.loads(result.stdout)
    assert (result.returncode, document["status"], document["failed"]) == (77, "failed", 53)
    assert {failure["error"] for failure in document["failures"]} == {"HTTP 401: Unauthorized: this key is not known"}
    assert document["supply_calls"] <= 3
    assert "wrong" not in result.stdout + result.stderr


def test_a_campaign_that_the_service_refuses_is_not_asked_for_again(
    kylink: Installation, service: SupplyService
) -> None:
    async def refuse(call: Call) -> web.Response | None:
        return web.Response(status=404, text="no such <campaign>\x1b[31m") if call.campaign_id == "2" else None

    service.behave = refuse
    result = kylink.run("replenish", "--all", "--json", STOCK_CONCURRENCY="1")
    document = json.loads(result.stdout)
    assert (result.returncode, document["status"], service.calls["2"]) == (10, "partial", 1)
    # The tries that were made, the first among them.
    assert [(failure["campaignId"], failure["retryCount"]) for failure in document["failures"]] == [("2", 1)]
    assert "[replenish] alert 1 was raised: Replenishment failed for 1 campaign ('kylink alerts show 1')" in (
        result.stderr.splitlines()
    )
    assert "\x1b" not in result.stdout + result.stderr
    assert kylink.rows("SELECT state, count(*) FROM supply_requests WHERE campaign_id = '2' GROUP BY 1 ORDER BY 1") == [
        ("cancelled", 9),
        ("refused", 1),
    ]


def test_failures_become_one_alert_which_a_clean_run_resolves(kylink: Installation, service: SupplyService) -> None:
    async def fail(_: Call) -> web.Response:
        return web.Response(status=500)

    service.behave = fail
    first = kylink.document("replenish", "--all")
    second = kylink.document("replenish", "--all")
    assert (first["alert_id"], second["alert_id"]) == (1, 1)
    assert kylink.rows("SELECT type, level, state, count FROM alerts") == [
        ("STOCK_REPLENISH_FAILED", "WARNING", "open", 2)
    ]
    service.behave = None
    assert kylink.document("replenish", "--campaign", "1")["alert_id"] is None
    assert kylink.rows("SELECT state FROM alerts") == ["open"]
    kylink.run("replenish", "--all")
    assert kylink.rows("SELECT state FROM alerts") == ["resolved"]


def test_a_waiting_campaign_holds_no_slot(kylink: Installation, service: SupplyService) -> None:
    """One campaign fails for good and would wait a minute; with one slot in all, the others are filled meanwhile."""

    async def fail_first(call: Call) -> web.Response | None:
        return web.Response(status=500) if call.campaign_id == "1" else None

    service.behave = fail_first
    run = kylink.start("replenish", "--all", CAMPAIGN_CONCURRENCY="1", REPLENISH_RETRY_DELAY_MS="60000")
    kylink.wait_for_rows("SELECT campaign_id FROM campaign_results WHERE status = 'succeeded' ORDER BY 1", ["2", "3"])
    run.terminate()
    _, errors = run.communicate()
    assert "[replenish] waiting 60000 ms before retry (campaign 1: HTTP 500)" in errors
    assert "attempt 2/3" not in errors


def test_retry_after_takes_the_place_of_the_delay(kylink: Installation, service: SupplyService) -> None:
    async def busy(call: Call) -> web.Response | None:
        return web.Response(status=429, headers={"Retry-After": "0"}) if call.number <= 1 else None

    service.behave = busy
    result = kylink.run("replenish", "--campaign", "1", REPLENISH_RETRY_DELAY_MS="60000", STOCK_CONCURRENCY="1")
    assert (result.returncode, _stock(kylink)) == (0, [("1", 10)])
    assert "waiting 0 ms before retry (campaign 1: HTTP 429)" in result.stderr


def test_a_retry_that_would_come_after_the_deadline_is_not_waited_for(
    kylink: Installation, service: SupplyService
) -> None:
    async def busy(_: Call) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "3600"})

    service.behave = busy
    result = kylink.run("replenish", "--campaign", "1")
    assert (result.returncode, "waiting" in result.stderr) == (69, False)


def test_partial_supply_is_kept_and_the_rest_asked_for(kylink: Installation, service: SupplyService) -> None:
    async def partly(call: Call) -> None:
        service.charges.setdefault(call.key, [f"{call.key}-{number}" for number in range(2)])

    service.behave = partly
    result = kylink.run("replenish", "--campaign", "1", PROXY_MAX_PER_CALL="10")
    assert (result.returncode, _stock(kylink), service.calls["1"]) == (0, [("1", 10)], 5)


def test_the_good_items_of_a_mixed_answer_are_kept_and_the_rest_asked_for_under_the_same_key(
    kylink: Installation, service: SupplyService
) -> None:
    async def mix_at_first(call: Call) -> web.Response | None:
        good = service.charge(call)[0]
        return web.json_response({"items": [good, ""]}) if call.number == 1 else None

    service.behave = mix_at_first
    result = kylink.run("replenish", "--campaign", "1", "--quantity", "2", PROXY_MAX_PER_CALL="2")
    assert "the answer holds bad items: item 2" in result.stderr
    assert (result.returncode, _stock(kylink), service.calls["1"]) == (0, [("1", 2)], 2)
    [values] = service.charges.values()
    assert kylink.rows("SELECT value FROM stock_items ORDER BY id") == values


@pytest.mark.parametrize(("supplied", "status", "code"), [(2, "failed", 10), (3, "partial", 0)])
def test_what_stays_short_failed_only_below_its_watermark(
    kylink: Installation, service: SupplyService, supplied: int, status: str, code: int
) -> None:
    async def run_dry(call: Call) -> None:
        service.charges.setdefault(call.key, [f"v{number}" for number in range(supplied)])

    service.behave = run_dry
    result = kylink.run("replenish", "--campaign", "1", "--json", PROXY_MAX_PER_CALL="10")
    document = json.loads(result.stdout)
    assert (result.returncode, document["campaigns"][0]["status"]) == (code, status)
    # A run that brought something has not failed, though its campaign has.
    assert document["status"] == ("partial" if code else "succeeded")
    assert (document["produced"], document["duplicates"]) == (supplied, supplied * 2)


def test_a_run_that_got_items_for_campaigns_that_it_could_not_fill_is_partial_and_10(
    kylink: Installation, service: SupplyService
) -> None:
    async def give_two(call: Call) -> web.Response | None:
        return None if call.number <= 2 else web.Response(status=503, headers={"Retry-After": "3600"})

    service.behave = give_two
    result = kylink.run("replenish", "--campaign", "1", "--json", STOCK_CONCURRENCY="1")
    document = json.loads(result.stdout)
    assert (result.returncode, document["status"], document["produced"]) == (10, "partial", 2)
    assert kylink.rows("SELECT status FROM runs") == ["partial"]


def test_a_campaign_that_three_runs_in_a_row_fill_only_in_part_is_said_and_alerted(
    kylink: Installation, service: SupplyService
) -> None:
    async def give_four_and_refuse_the_rest(call: Call) -> web.Response | None:
        if service.calls["1"] % 2 == 0:
            return web.json_response({"title": "not today"}, status=422)
        service.charges.setdefault(call.key, [f"{call.key}-{number}" for number in range(4)])
        return None

    service.behave = give_four_and_refuse_the_rest
    codes = []
    for _ in range(4):
        result = kylink.run("replenish", "--campaign", "1", "--json", PROXY_MAX_PER_CALL="10")
        document = json.loads(result.stdout)
        codes.append((result.returncode, document["status"], len(document["failures"])))
        kylink.execute("UPDATE stock_items SET state = 'expired'")
    assert codes == [(0, "succeeded", 0), (0, "succeeded", 0), (10, "partial", 1), (10, "partial", 1)]
    assert kylink.rows("SELECT type, count FROM alerts") == [("STOCK_REPLENISH_FAILED", 2)]


def test_a_scheduled_run_does_nothing_while_scheduling_is_off(kylink: Installation, service: SupplyService) -> None:
    off = kylink.run("replenish", "--all", "--scheduled")
    assert (off.returncode, "scheduling is off" in off.stderr) == (0, True)
    kylink.run("jobs", "pause", "stock_replenish")
    paused = kylink.document("replenish", "--all", "--scheduled", ENABLE_AUTO_CRON="true")
    assert paused["status"] == "skipped"
    assert (service.calls, kylink.rows("SELECT id FROM runs")) == ({}, [])
    kylink.run("jobs", "resume", "stock_replenish")
    kylink.run("replenish", "--all", "--scheduled", ENABLE_AUTO_CRON="true")
    assert kylink.rows("SELECT trigger, status FROM runs") == [("timer", "succeeded")]


def test_requests_that_are_too_old_to_be_asked_again_become_in_doubt(
    kylink: Installation, service: SupplyService
) -> None:
    async def charge_and_fail(call: Call) -> web.Response:
        service.charge(call)
        return web.Response(status=500)

    service.behave = charge_and_fail
    kylink.run("replenish", "--campaign", "1", PROXY_MAX_PER_CALL="10")
    long_ago = datetime.now(UTC) - timedelta(hours=23, minutes=1)
    with kylink.database.writing() as session:
        session.connection().exec_driver_sql(
            "UPDATE supply_requests SET created_at = ?", (long_ago.strftime("%Y-%m-%d %H:%M:%S.%f"),)
        )
    [old_key] = service.charges
    service.behave = None
    kylink.run("replenish", "--campaign", "1", PROXY_MAX_PER_CALL="10")
    assert kylink.rows("SELECT state FROM supply_requests ORDER BY id") == ["in_doubt", "answered"]
    assert _stock(kylink) == [("1", 10)]
    [message] = kylink.rows("SELECT message FROM alerts WHERE type = 'SYSTEM_HEALTH'")
    assert old_key in message
