"""Limits on orders: a runaway consumer costs so much and no more, people are told once, and others are unaffected."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from aiohttp import web

from kylink_cli.demo.service import Call, SupplyService
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.postgresql import ServerDatabase
from tests.support.database import add_demand, url_of
from tests.support.installation import Installation

KEY = "test-key"
FORCED = ("--force", "--quantity", "30")


@pytest.fixture
def service() -> Iterator[SupplyService]:
    with SupplyService(key=KEY) as running:
        yield running


@pytest.fixture
def limited(tmp_path: Path, service: SupplyService) -> Iterator[Installation]:
    with Installation.at(tmp_path, service.url, KEY, PROXY_MAX_PER_CALL="50") as kylink:
        kylink.add_campaigns("runaway", "other")
        yield kylink


@pytest.fixture
def host(tmp_path: Path, service: SupplyService, database: Database) -> Iterator[Installation]:
    """A host at a database of either kind."""
    settings = {"PROXY_MAX_PER_CALL": "50"}
    if isinstance(database, ServerDatabase):
        shared = Installation.on_server(tmp_path, url_of(database), service, **settings)
    else:
        shared = Installation.at(tmp_path, service.url, KEY, **settings)
    with shared as kylink:
        kylink.add_campaigns("runaway", "other")
        yield kylink


def ordered(kylink: Installation, campaign: str) -> int:
    [items] = kylink.rows(f"SELECT coalesce(sum(quantity), 0) FROM supply_requests WHERE campaign_id = '{campaign}'")
    return int(items)


def test_a_runaway_consumer_is_bounded_and_told_of_once(limited: Installation) -> None:
    limit = {"CAMPAIGN_ORDER_LIMIT_PER_DAY": "100"}
    for _ in range(4):
        limited.run("replenish", "--campaign", "runaway", *FORCED, **limit)
    over = limited.document("replenish", "--campaign", "runaway", *FORCED, **limit)
    assert (over["status"], over["skipped"], over["failures"]) == ("succeeded", 1, [])
    assert over["campaigns"][0]["error"] == "30 items not ordered: CAMPAIGN_ORDER_LIMIT_PER_DAY is 100 in 24 h"
    limited.run("replenish", "--campaign", "other", *FORCED, **limit)
    assert (ordered(limited, "runaway"), ordered(limited, "other")) == (100, 30)
    for _ in range(2):
        limited.run("alert-check", **limit)
    alerts = [one for one in limited.document("alerts", "list")["alerts"] if one["type"] == "ORDER_LIMIT"]
    assert [(one["level"], one["count"]) for one in alerts] == [("ERROR", 2)]
    assert "runaway" in alerts[0]["message"]


@pytest.mark.parametrize(("service_level", "level"), [("0.9", "INFO"), ("0.5", None)])
def test_people_are_told_of_a_campaign_that_lost_more_than_the_service_level_allows(
    limited: Installation, service_level: str, level: str | None
) -> None:
    add_demand(limited.database, "other", 4, refused=1)
    found = limited.document("alert-check", SERVICE_LEVEL=service_level)
    [check] = [one for one in found["checks"] if one["type"] == "FORECAST_MISS"]
    assert check["level"] == level
    alerts = [one for one in limited.document("alerts", "list")["alerts"] if one["type"] == "FORECAST_MISS"]
    assert [one["level"] for one in alerts] == ([level] if level else [])
    assert all("other" in one["message"] and "Raise COVER_MINUTES" in one["message"] for one in alerts)


def test_a_campaigns_own_limit_wins_whether_it_is_lower_or_higher(limited: Installation) -> None:
    assert limited.run("campaigns", "set", "runaway", "--order-limit", "10").returncode == 0
    file = limited.folder / "campaigns.csv"
    file.write_text("campaign_id,order_limit\nother,0\n", encoding="utf-8")
    assert limited.run("campaigns", "import", str(file)).returncode == 0
    limit = {"CAMPAIGN_ORDER_LIMIT_PER_DAY": "20"}
    for campaign in ("runaway", "other"):
        limited.run("replenish", "--campaign", campaign, *FORCED, **limit)
    assert (ordered(limited, "runaway"), ordered(limited, "other")) == (10, 30)
    limited.run("alert-check", **limit)
    [alert] = [one for one in limited.document("alerts", "list")["alerts"] if one["type"] == "ORDER_LIMIT"]
    assert (alert["level"], [one["campaignId"] for one in alert["metadata"]["campaigns"]]) == ("ERROR", ["runaway"])


def test_what_a_limit_holds_back_is_shown_with_its_name(limited: Installation) -> None:
    limited.run("campaigns", "set", "runaway", "--order-limit", "8")
    [planned] = limited.document("replenish", "--campaign", "runaway", "--dry-run")["campaigns"]
    assert planned["ordered"] == 8
    assert planned["why"].endswith("; 2 items not ordered: its own limit of 8 in 24 h")
    limited.run("replenish", "--campaign", "runaway")
    limited.execute("UPDATE stock_items SET state = 'discarded'")
    shown = limited.document("campaigns", "show", "runaway")
    assert (shown["order_limit"], shown["ordered_24h"], shown["order"]) == (8, 8, 0)
    assert "10 items not ordered: its own limit of 8 in 24 h" in limited.run("campaigns", "show", "runaway").stdout


def test_runs_at_once_share_the_limit_of_all(host: Installation) -> None:
    limit = {"ORDER_LIMIT_PER_DAY": "50"}

    def fill(campaign: str) -> None:
        host.run("replenish", "--campaign", campaign, "--force", "--quantity", "40", **limit)

    with ThreadPoolExecutor(2) as runs:
        list(runs.map(fill, ["runaway", "other"]))
    assert ordered(host, "runaway") + ordered(host, "other") == 50


def test_an_order_that_is_asked_for_again_under_its_key_is_no_further_order(
    host: Installation, service: SupplyService
) -> None:
    async def unanswered(call: Call) -> web.Response:
        service.charge(call)
        return web.Response(status=503)

    service.behave, limit = unanswered, {"CAMPAIGN_ORDER_LIMIT_PER_DAY": "30"}
    host.run("replenish", "--campaign", "runaway", *FORCED, **limit)
    service.behave = None
    host.run("replenish", "--campaign", "runaway", *FORCED, **limit)
    assert host.rows("SELECT count(*) FROM stock_items") == [30]
    host.run("replenish", "--campaign", "runaway", *FORCED, **limit)
    assert (ordered(host, "runaway"), len(service.charges)) == (30, 1)


def test_what_is_missing_of_an_order_is_asked_for_within_the_limit_only(
    host: Installation, service: SupplyService
) -> None:
    async def repeats_itself(call: Call) -> web.Response:
        service.charge(call)
        return web.json_response({"items": [{"value": f"v{index % 20}"} for index in range(call.order["quantity"])]})

    service.behave = repeats_itself
    host.run("replenish", "--campaign", "runaway", *FORCED, CAMPAIGN_ORDER_LIMIT_PER_DAY="35")
    assert ordered(host, "runaway") == 35
