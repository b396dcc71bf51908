"""`kylink serve`, as consumers on other machines call it: a real process, real sockets, both databases."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.database import add_items
from tests.support.face import Face, problem
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def take(client: httpx.Client, *campaigns: str, wait: float = 0, **options: Any) -> list[dict[str, Any]]:
    wanted = [{"campaign_id": campaign, **options} for campaign in campaigns]
    answer = client.post("/api/v1/leases", json={"requests": wanted, "wait_seconds": wait})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def states(face: Face, campaign: str) -> dict[str, int]:
    return dict(face.host.rows(f"SELECT state, count(*) FROM stock_items WHERE campaign_id = '{campaign}' GROUP BY 1"))


def test_an_item_is_taken_confirmed_and_consumed(face: Face, program: httpx.Client) -> None:
    campaign = face.campaign(2)
    [result] = take(program, campaign, holder="worker-7")
    [lease] = result["leases"]
    assert {"token", "campaign_id", "item_id", "value", "leased_at", "expires_at", "reused"} <= lease.keys()
    assert (lease["campaign_id"], lease["reused"], lease["leased_at"][-1], result["error"]) == (
        campaign,
        False,
        "Z",
        None,
    )
    done = program.post("/api/v1/leases/confirm", json={"tokens": [lease["token"], "kl_nobodys"]}).json()
    assert [(r["ok"], r["state"]) for r in done["results"]] == [(True, "confirmed"), (False, "unknown")]
    assert states(face, campaign) == {"available": 1, "consumed": 1}


def test_a_lease_is_released_and_extended(face: Face, program: httpx.Client) -> None:
    campaign = face.campaign(1)
    [lease] = take(program, campaign, ttl_minutes=5)[0]["leases"]
    [extended] = program.post("/api/v1/leases/extend", json={"tokens": [lease["token"]], "ttl_minutes": 60}).json()[
        "results"
    ]
    assert extended["expires_at"] > lease["expires_at"]
    body = {"tokens": [lease["token"]], "error": "the page was gone", "discard": True}
    assert program.post("/api/v1/leases/release", json=body).json()["results"][0]["state"] == "released"
    assert states(face, campaign) == {"discarded": 1}


def test_many_campaigns_are_taken_from_in_one_call_each_with_its_own_result(face: Face, program: httpx.Client) -> None:
    campaigns = [face.campaign(1) for _ in range(3)]
    empty = face.campaign()
    results = take(program, campaigns[2], empty, "nobody", campaigns[0], campaigns[1])
    assert [r["campaign_id"] for r in results] == [campaigns[2], empty, "nobody", campaigns[0], campaigns[1]]
    assert [len(r["leases"]) for r in results] == [1, 0, 0, 1, 1]
    assert [r["error"] and r["error"]["code"] for r in results] == [None, "NO_STOCK", "NOT_FOUND", None, None]


def test_the_same_key_gets_the_same_lease(face: Face, program: httpx.Client) -> None:
    campaign = face.campaign(5)
    first, again = (take(program, campaign, key="order-1")[0]["leases"][0] for _ in range(2))
    assert (again["token"], first["reused"], again["reused"]) == (first["token"], False, True)
    assert states(face, campaign) == {"available": 4, "leased": 1}


def test_who_waits_gets_what_comes(face: Face, program: httpx.Client) -> None:
    campaign = face.campaign()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(take, program, campaign, wait=60)
        face.host.wait_for_rows(f"SELECT count(*) FROM waiters WHERE campaign_id = '{campaign}'", [1])
        add_items(face.host.database, campaign, 1)
        assert len(waiting.result()[0]["leases"]) == 1
    assert face.host.rows(f"SELECT count(*) FROM waiters WHERE campaign_id = '{campaign}'") == [0]


def test_who_waits_in_vain_is_refused_once(face: Face, program: httpx.Client) -> None:
    campaign = face.campaign()
    [result] = take(program, campaign, wait=0.3)
    assert result["error"]["code"] == "NO_STOCK"
    assert face.host.rows(f"SELECT count(*) FROM no_stock_events WHERE campaign_id = '{campaign}'") == [1]


def test_a_call_that_got_something_does_not_wait_for_the_rest(face: Face, program: httpx.Client) -> None:
    full, empty = face.campaign(1), face.campaign()
    results = take(program, full, empty, wait=300)
    assert [len(r["leases"]) for r in results] == [1, 0]
    assert results[1]["error"]["code"] == "NO_STOCK"


def test_waiters_hold_no_threads(face: Face, program: httpx.Client) -> None:
    campaign, other = face.campaign(), face.campaign(1)
    with ThreadPoolExecutor(30) as pool:
        waiting = [pool.submit(take, program, campaign, wait=60) for _ in range(30)]
        face.host.wait_for_rows(f"SELECT count(*) FROM waiters WHERE campaign_id = '{campaign}'", [30])
        assert len(take(program, other)[0]["leases"]) == 1
        add_items(face.host.database, campaign, 30)
        taken = [lease["item_id"] for one in waiting for lease in one.result()[0]["leases"]]
    assert len(set(taken)) == 30


def test_who_goes_away_while_waiting_takes_nothing(face: Face) -> None:
    campaign = face.campaign()
    wanted = {"requests": [{"campaign_id": campaign}], "wait_seconds": 60}
    with face.client() as leaving, pytest.raises(httpx.ReadTimeout):
        leaving.post("/api/v1/leases", json=wanted, timeout=0.5)
    face.host.wait_for_rows(f"SELECT count(*) FROM waiters WHERE campaign_id = '{campaign}'", [0])
    add_items(face.host.database, campaign, 1)
    assert states(face, campaign) == {"available": 1}


def test_without_a_key_nothing_is_told(face: Face) -> None:
    with face.client("") as stranger:
        refused = stranger.post("/api/v1/leases", json={"requests": []})
        assert (refused.status_code, problem(refused)["code"]) == (401, "UNAUTHORIZED")
        assert refused.headers["www-authenticate"] == "Bearer"
        assert stranger.get("/healthz").json() == {"status": "ok"}
        assert stranger.get("/readyz").json() == {"status": "ready"}


def test_a_revoked_key_is_refused_and_a_rotated_one_replaced(face: Face) -> None:
    name = "for-a-while"
    key = face.host.document("keys", "add", name)["key"]
    campaign = face.campaign(9)
    with face.client(key) as client:
        take(client, campaign)
        new = face.host.document("keys", "rotate", name)["key"]
        wait_until(lambda: client.post("/api/v1/leases", json={}).status_code == 401, "the old key to be refused")
    with face.client(new) as client:
        take(client, campaign)
        face.host.run("keys", "revoke", name)
        wait_until(lambda: client.post("/api/v1/leases", json={}).status_code == 401, "the key to be refused")
