"""Attacks on the HTTP face, after OWASP's list for APIs: each is tried, and changes nothing."""

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support.face import Face, installed, problem, serving
from tests.support.ports import free_port
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

LEASES = "/api/v1/leases"


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Face]:
    folder = tmp_path_factory.mktemp("face")
    with installed("sqlite", folder, postgres) as host, serving(host, "--port", "0", "--verbose") as face:
        yield face


@pytest.fixture
def mallory(face: Face) -> Iterator[httpx.Client]:
    """Somebody with a key for the campaigns of u1, which can do everything."""
    with face.client(face.key("--user", "u1", "--can", "consume,operate,read")) as client:
        yield client


def wanted(campaign: str, **fields: Any) -> dict[str, Any]:
    return {"requests": [{"campaign_id": campaign, **fields}]}


def states(face: Face, campaign: str) -> dict[str, int]:
    return dict(face.host.rows(f"SELECT state, count(*) FROM stock_items WHERE campaign_id = '{campaign}' GROUP BY 1"))


def raw(face: Face, *sent: bytes, key: str = "") -> bytes:
    """What a server answers to bytes, up to the end of the connection."""
    host, port = face.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        for piece in sent:
            connection.sendall(piece.replace(b"KEY", key.encode()))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


# API1: broken object level authorization


def test_items_of_other_users_campaigns_do_not_exist(face: Face, mallory: httpx.Client) -> None:
    foreign = face.campaign(3, user="u2")
    answers = [mallory.post(LEASES, json=wanted(name)).json()["results"][0] for name in (foreign, "no-such-thing")]
    assert [answer["leases"] for answer in answers] == [[], []]
    told = [str(answer["error"]).replace(answer["campaign_id"], "ID") for answer in answers]
    assert told[0] == told[1]
    assert states(face, foreign) == {"available": 3}
    assert face.host.rows(f"SELECT count(*) FROM no_stock_events WHERE campaign_id = '{foreign}'") == [0]


@pytest.mark.parametrize("act", ["confirm", "release", "extend"])
def test_leases_on_other_users_items_do_not_exist(face: Face, mallory: httpx.Client, act: str) -> None:
    foreign = face.campaign(1, user="u2")
    with face.client() as owner:
        [lease] = owner.post(LEASES, json=wanted(foreign)).json()["results"][0]["leases"]
    body = {"tokens": [lease["token"]]} | ({"ttl_minutes": 600} if act == "extend" else {})
    [result] = mallory.post(f"{LEASES}/{act}", json=body).json()["results"]
    [unknown] = mallory.post(f"{LEASES}/{act}", json=body | {"tokens": ["kl_x"]}).json()["results"]
    assert result | {"token": ""} == unknown | {"token": ""}
    assert states(face, foreign) == {"leased": 1}


# API2: broken authentication


def test_what_is_nearly_a_key_is_none(face: Face) -> None:
    key = face.everybodys_key
    swapped = key[:-1] + ("A" if key[-1] != "A" else "B")
    attempts = [
        {"Authorization": f"Bearer {swapped}"},
        {"Authorization": f"Bearer {key.rsplit('_', 1)[0]}_{'A' * 43}"},
        {"Authorization": f"Bearer {key}\x7f"},
        {"Authorization": f"Basic {key}"},
        {"Authorization": key},
        {"X-Api-Key": key},
        {"Cookie": f"key={key}"},
    ]
    with face.client("") as client:
        assert [client.get("/api/v1/jobs", headers=one).status_code for one in attempts] == [401] * len(attempts)
        assert client.get(f"/api/v1/jobs?key={key}").status_code == 401
        twice = [("Authorization", f"Bearer {key}"), ("Authorization", "Bearer x")]
        assert client.get("/api/v1/jobs", headers=twice).status_code == 401


def test_who_tries_keys_out_is_slowed_down_and_nobody_else(face: Face) -> None:
    tried = [f"kylink_{number:012x}_{'A' * 43}" for number in range(60)]
    with face.client("") as client, face.client() as honest:
        answers = [client.get("/api/v1/jobs", headers={"Authorization": f"Bearer {key}"}) for key in tried]
        assert {answer.status_code for answer in answers} == {401, 429}
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert int(refused.headers["retry-after"]) >= 1
        assert honest.get("/api/v1/campaigns").status_code == 200
        wait_until(lambda: client.get("/api/v1/jobs").status_code == 401, "the slowing down to end")


# API3: broken object property level authorization (mass assignment)


@pytest.mark.parametrize(
    "extra", [{"user_id": "u1"}, {"state": "consumed"}, {"expires_at": "2099-01-01T00:00:00Z"}, {"token": "kl_mine"}]
)
def test_what_is_not_declared_is_refused(face: Face, mallory: httpx.Client, extra: dict[str, str]) -> None:
    campaign = face.campaign(1)
    refused = mallory.post(LEASES, json=wanted(campaign, **extra))
    assert (refused.status_code, problem(refused)["code"]) == (422, "USAGE")
    assert problem(refused)["errors"][0]["where"].endswith(next(iter(extra)))
    assert next(iter(extra.values())) not in refused.text
    assert states(face, campaign) == {"available": 1}


# API4: unrestricted resource consumption


def test_a_huge_body_is_not_even_read(face: Face) -> None:
    head = f"POST {LEASES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\n"
    declared = raw(face, f"{head}Content-Length: 1073741824\r\n\r\n".encode(), key=face.everybodys_key)
    assert declared.startswith(b"HTTP/1.1 413 ")
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    streamed = raw(face, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(), chunk * 17, key=face.everybodys_key)
    assert streamed.startswith(b"HTTP/1.1 413 ")
    assert b'"TOO_LARGE"' in streamed


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500_000,
        b'{"requests": ' + b"[" * 100_000,
        b"{" + b'"a":{' * 100_000,
        b'{"requests": [{"campaign_id": "1", "count": 1' + b"0" * 10_000 + b"}]}",
        b'{"requests": [{"campaign_id": "\\ud800"}]}',
        b'{"requests": [{"campaign_id": "1\\u0000"}]}',
        b'{"requests": [{"campaign_id": "\\u202e1"}]}',
        b'{"requests": [{"campaign_id": "1"}], "wait_seconds": NaN}',
        b'{"requests": [{"campaign_id": "1"}], "wait_seconds": 1e400}',
        b'{"requests": [{"campaign_id": 1}]}',
        b"\xff\xfe",
        b"",
        json.dumps({"requests": [{"campaign_id": "1"}] * 501}).encode(),
        json.dumps({"requests": [{"campaign_id": "1", "key": "k" * 201}]}).encode(),
    ],
)
def test_what_parsers_choke_on_is_refused_as_a_mistake(mallory: httpx.Client, body: bytes) -> None:
    refused = mallory.post(LEASES, content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code in {400, 422}
    assert problem(refused)["code"] == "USAGE"


def test_a_number_that_no_database_knows_is_refused_as_a_mistake(mallory: httpx.Client) -> None:
    for path in (f"/api/v1/runs/{10**30}", f"/api/v1/alerts/{2**63}", "/api/v1/runs/-1", "/api/v1/runs/1%00"):
        assert mallory.get(path).status_code == 422


@pytest.mark.slow
def test_slow_clients_are_cut_off(face: Face) -> None:
    head = f"POST {LEASES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\n"
    with ThreadPoolExecutor(3) as pool:
        silent = pool.submit(raw, face)
        headless = pool.submit(raw, face, b"GET /healthz HTTP/1.1\r\nX-1: y\r\n")
        bodiless = pool.submit(raw, face, f"{head}Content-Length: 100\r\n\r\n{{".encode(), key=face.everybodys_key)
        assert silent.result() == b""
        assert headless.result() == b""
        assert bodiless.result().startswith(b"HTTP/1.1 408 ")


def test_one_key_that_asks_too_often_waits_and_others_do_not(tmp_path: Any, postgres: PostgresServer) -> None:
    with (
        installed("sqlite", tmp_path, postgres) as host,
        serving(host, SERVE_REQUESTS_PER_SECOND="2") as face,
        face.client() as eager,
        face.client(face.key("--can", "read")) as calm,
    ):
        answers = [eager.get("/api/v1/alerts") for _ in range(12)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert problem(refused[0])["code"] == "TOO_MANY"
        assert int(refused[0].headers["retry-after"]) >= 1
        assert calm.get("/api/v1/alerts").status_code == 200
        wait_until(lambda: eager.get("/api/v1/alerts").status_code == 200, "the key's turn")


# API7 and API8: headers, paths, errors


def test_headers_of_proxies_are_not_believed(face: Face) -> None:
    tricks = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "https",
        "X-Original-URL": "/healthz",
        "X-Rewrite-URL": "/healthz",
        "X-HTTP-Method-Override": "GET",
        "Host": "localhost",
        "Forwarded": "for=127.0.0.1",
    }
    with face.client("") as client:
        assert client.get("/api/v1/jobs", headers=tricks).status_code == 401
        assert client.post("/api/v1/jobs/replenish", headers=tricks, json={"mode": "all"}).status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/healthz/../api/v1/jobs", "//api/v1/jobs", "/healthz%2f..%2fapi%2fv1%2fjobs", "/api/v1/jobs/", "/HEALTHZ/"],
)
def test_a_path_leads_past_no_door(face: Face, path: str) -> None:
    assert raw(face, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()).split()[1] == b"401"


def test_one_request_is_not_taken_for_two(face: Face) -> None:
    smuggled = b"GET /api/v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n"
    lengths = b"Content-Length: 5\r\nContent-Length: 50\r\n"
    both = f"Content-Length: {len(smuggled) + 5}\r\nTransfer-Encoding: chunked\r\n".encode()
    head = (
        f"POST {LEASES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\n".encode()
    )
    for trick in (lengths, both):
        answer = raw(face, head + trick + b"\r\n0\r\n\r\n" + smuggled, key=face.everybodys_key)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1 ") == 1


def test_strangers_write_no_lines_into_the_log(face: Face) -> None:
    raw(face, b"GET /x%0a[jobs]%20forged%1b[2J%e2%80%ae HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    wait_until(lambda: any("forged" in line for line in face.log), "the request to be told of")
    [line] = [line for line in face.log if "forged" in line]
    assert line.startswith("GET /x ")
    assert not {"\x1b", "\u202e"} & set(line)
    assert face.everybodys_key not in "\n".join(face.log)


def test_markup_stays_data(mallory: httpx.Client) -> None:
    script = "<script>alert(1)</script>"
    answer = mallory.post(LEASES, json=wanted(script))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["results"][0]["error"]["code"] == "NOT_FOUND"
    assert "access-control-allow-origin" not in answer.headers


def test_a_method_or_path_that_is_not_there_is_a_problem_too(mallory: httpx.Client) -> None:
    assert problem(mallory.get("/api/v1/nothing"))["code"] == "NOT_FOUND"
    assert problem(mallory.delete(LEASES))["status"] == 405


def test_keys_do_not_travel_in_clear_text(face: Face) -> None:
    refused = face.host.run("serve", "--host", "0.0.0.0", "--port", "0")
    assert (refused.returncode, "clear text" in refused.stderr) == (2, True)


# Nothing lost, nothing twice


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_fifty_consumers_share_a_stock_while_the_server_is_killed(
    tmp_path: Any, postgres: PostgresServer, kind: str
) -> None:
    port = free_port()
    options = ("--port", str(port))
    with installed(kind, tmp_path, postgres) as host:
        with serving(host, *options, SERVE_REQUESTS_PER_SECOND="100000") as face:
            campaign, key = face.campaign(300), face.everybodys_key
            consumers = [_Consumer(face.url, key, campaign, number) for number in range(50)]
            with ThreadPoolExecutor(50) as pool:
                working = [pool.submit(consumer.work) for consumer in consumers]
                wait_until(lambda: states(face, campaign).get("consumed", 0) >= 60, "the consumers to be at work")
                face.stop(9)
                with serving(host, *options, SERVE_REQUESTS_PER_SECOND="100000"):
                    for one in working:
                        one.result()
        held = [item for consumer in consumers for item in consumer.confirmed]
        lost = [item for consumer in consumers for item in consumer.dropped]
        assert len(set(held + lost)) == len(held) + len(lost)
        assert states(face, campaign).get("consumed", 0) == len(held)
        assert states(face, campaign).get("leased", 0) == len(lost)
        assert len(held) + len(lost) == 300


class _Consumer:
    """Takes and confirms until the stock is empty; every tenth dies with an item in its hands."""

    def __init__(self, url: str, key: str, campaign: str, number: int) -> None:
        self._url, self._key, self._campaign, self._number = url, key, campaign, number
        self.confirmed: list[int] = []
        self.dropped: list[int] = []

    def work(self) -> None:
        headers = {"Authorization": f"Bearer {self._key}"}
        with httpx.Client(base_url=self._url, headers=headers, timeout=60) as client:
            for turn in range(1_000):
                key = f"{self._number}-{turn}"
                [result] = self._insist(client, LEASES, wanted(self._campaign, key=key))
                if not result["leases"]:
                    return
                [lease] = result["leases"]
                if self._number % 10 == 0 and turn == 2:
                    self.dropped.append(lease["item_id"])
                    return
                [done] = self._insist(client, f"{LEASES}/confirm", {"tokens": [lease["token"]]})
                assert done["ok"]
                self.confirmed.append(lease["item_id"])

    @staticmethod
    def _insist(client: httpx.Client, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Ask until there is an answer: under its key, a call does the same once more."""
        pause = threading.Event()
        for _ in range(600):
            try:
                answer = client.post(path, json=body)
            except httpx.TransportError:
                pause.wait(0.1)
                continue
            if answer.status_code == 200:
                results: list[dict[str, Any]] = answer.json()["results"]
                return results
            pause.wait(0.1)
        raise AssertionError("no answer for a minute")
