"""Limits on orders: a runaway consumer costs so much and no more, people are told once, and others are unaffected."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from tests.support.installation import Installation

KEY = "test-key"


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Installation]:
    with SupplyService(key=KEY) as service, Installation.at(tmp_path, service.url, KEY) as kylink:
        kylink.add_campaigns("runaway", "other")
        yield kylink


def ordered(kylink: Installation, campaign: str) -> int:
    [items] = kylink.rows(f"SELECT coalesce(sum(quantity), 0) FROM supply_requests WHERE campaign_id = '{campaign}'")
    return int(items)


def test_a_runaway_consumer_is_bounded_and_told_of_once(limited: Installation) -> None:
    limit = {"CAMPAIGN_ORDER_LIMIT_PER_DAY": "100", "PROXY_MAX_PER_CALL": "50"}
    for _ in range(8):
        limited.run("replenish", "--campaign", "runaway", "--force", "--quantity", "30", **limit)
    limited.run("replenish", "--campaign", "other", "--force", "--quantity", "30", **limit)
    assert (ordered(limited, "runaway"), ordered(limited, "other")) == (100, 30)
    for _ in range(2):
        limited.run("alert-check", **limit)
    alerts = [one for one in limited.document("alerts", "list")["alerts"] if one["type"] == "ORDER_LIMIT"]
    assert [(one["level"], one["count"]) for one in alerts] == [("ERROR", 2)]
    assert "runaway" in alerts[0]["message"]


def test_runs_at_once_share_the_limit_of_all(limited: Installation) -> None:
    limit = {"ORDER_LIMIT_PER_DAY": "50", "PROXY_MAX_PER_CALL": "50"}

    def fill(campaign: str) -> None:
        limited.run("replenish", "--campaign", campaign, "--force", "--quantity", "40", **limit)

    with ThreadPoolExecutor(2) as runs:
        list(runs.map(fill, ["runaway", "other"]))
    assert ordered(limited, "runaway") + ordered(limited, "other") == 50
