"""`kylink serve --behind-proxy` behind a real nginx and a real Caddy, set up as the docs say."""

import json
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.support import gateways
from tests.support.database import add_items
from tests.support.face import Face, installed, serving
from tests.support.gateways import Gateway
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow

KINDS = {"nginx": gateways.nginx, "caddy": gateways.caddy}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Installation]:
    with installed("sqlite", tmp_path_factory.mktemp("host"), postgres) as host:
        yield host


@pytest.fixture(scope="module")
def face(host: Installation) -> Iterator[Face]:
    with serving(host, "--port", "0", "--behind-proxy") as face:
        yield face


@pytest.fixture(scope="module", params=list(KINDS))
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, face: Face) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp(request.param)
    with KINDS[request.param](folder, face.url.removeprefix("http://")) as gateway:
        yield gateway


@pytest.fixture
def program(face: Face, gateway: Gateway) -> Iterator[httpx.Client]:
    with replace(face, url=gateway.url).client(face.everybodys_key, verify=gateway.trust) as client:
        yield client


def test_items_are_taken_and_confirmed(face: Face, program: httpx.Client) -> None:
    campaign = face.campaign(1)
    taken = program.post("/api/v1/leases", json={"requests": [{"campaign_id": campaign}]}).json()
    token = taken["results"][0]["leases"][0]["token"]
    assert program.post("/api/v1/leases/confirm", json={"tokens": [token]}).json()["results"][0]["ok"]


def test_who_waits_is_answered_when_something_comes(face: Face, program: httpx.Client) -> None:
    campaign = face.campaign()
    wanted = {"requests": [{"campaign_id": campaign}], "wait_seconds": 300}
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(program.post, "/api/v1/leases", json=wanted)
        face.host.wait_for_rows("SELECT count(*) FROM waiters", [1])
        add_items(face.host.database, campaign, 1)
        assert len(waiting.result().json()["results"][0]["leases"]) == 1


def test_progress_comes_while_a_run_goes_on(face: Face, program: httpx.Client, tmp_path: Path) -> None:
    campaign, gate, supply = face.campaign(), tmp_path / "gate", tmp_path / "supply.sh"
    answer = '{"items": []}'
    supply.write_text(
        f"#!/bin/sh\nwhile [ ! -e {shlex.quote(str(gate))} ]; do sleep 0.05; done\necho '{answer}'\n", encoding="utf-8"
    )
    supply.chmod(0o755)
    running = face.host.start("replenish", "--campaign", campaign, PROXY_API_URL=f"exec:{supply}")
    try:
        begun = "SELECT id FROM runs WHERE status = 'running'"
        wait_until(lambda: face.host.rows(begun), "the run to be under way")
        with program.stream("GET", f"/api/v1/runs/{face.host.rows(begun)[0]}/events") as events:
            lines = events.iter_lines()
            # The run can't end before this has come.
            assert next(lines) == "event: progress"
            assert json.loads(next(lines).removeprefix("data: "))["status"] == "running"
            gate.touch()
            assert "event: end" in list(lines)
    finally:
        gate.touch()
        running.communicate(timeout=PATIENCE_SECONDS)


def test_what_a_client_says_of_its_address_is_not_believed(face: Face, gateway: Gateway, program: httpx.Client) -> None:
    def guess(number: int) -> httpx.Response:
        with httpx.Client(base_url=gateway.url, verify=gateway.trust, timeout=PATIENCE_SECONDS) as stranger:
            spoofed = {"Authorization": "Bearer guess", "X-Forwarded-For": f"10.0.0.{number}", "X-Real-IP": "10.9.9.9"}
            answers = [stranger.get("/api/v1/jobs", headers=spoofed) for _ in range(25)]
        return next((answer for answer in answers if answer.status_code == 429), answers[-1])

    with ThreadPoolExecutor(8) as pool:
        refused = [answer for answer in pool.map(guess, range(8)) if answer.status_code == 429]
    assert refused
    assert refused[0].headers["retry-after"] == "1"
    # They all come from the gateway's address; who has a key is let in.
    assert program.get("/api/v1/jobs").status_code == 200
    assert face.process.poll() is None


def test_a_body_without_bounds_is_refused(program: httpx.Client) -> None:
    body = json.dumps({"requests": [{"campaign_id": "x" * 1_500_000}]})
    answer = program.post("/api/v1/leases", content=body, headers={"Content-Type": "application/json"})
    # Caddy was still sending when the connection was closed.
    assert answer.status_code in {413, 502}


def test_people_log_in_with_any_browser(face: Face, gateway: Gateway) -> None:
    # An old one tells by the origin alone that the form is of this site.
    with httpx.Client(base_url=gateway.url, verify=gateway.trust, headers={"Origin": gateway.url}) as browser:
        answer = browser.post("/login", data={"key": face.everybodys_key})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie
        assert browser.get("/").status_code == 200
