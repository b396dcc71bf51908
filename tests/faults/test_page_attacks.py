"""Attacks on the pages of the HTTP face: by a stranger, another site, or the key of another user."""

from collections.abc import Iterator

import pytest

from kylink_cli.rules.vocabulary import Act
from kylink_cli.store import audit
from kylink_cli.store.audit import AuditEntry
from tests.support.database import LONG_AGO, add_campaigns
from tests.support.face import Face, installed, serving
from tests.support.postgres import PostgresServer
from tests.support.visitors import logged_in, stranger, token
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Face]:
    folder = tmp_path_factory.mktemp("face")
    with installed("sqlite", folder, postgres) as host, serving(host) as face:
        yield face


@pytest.mark.parametrize("path", ["/audit", "/campaigns", "/silences", "/alerts/1", "/runs/1", "/jobs/replenish/run"])
def test_headers_open_no_page(face: Face, path: str) -> None:
    tricks = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-User": "root",
        "X-Original-URL": "/login",
        "X-Rewrite-URL": "/login",
        "X-HTTP-Method-Override": "POST",
        "Authorization": f"Bearer {face.everybodys_key}",
        "Cookie": "kylink=; kylink=x; __Host-kylink=y",
    }
    with stranger(face, **tricks) as client:
        assert client.get(path).status_code in {303, 405}
        assert client.get(path).headers.get("location", "/login") == "/login"


@pytest.mark.parametrize("path", ["//audit", "/audit/", "/AUDIT", "/login/../audit", "/assets/..%2f..%2faudit"])
def test_paths_lead_past_no_door(face: Face, path: str) -> None:
    with stranger(face) as client:
        assert client.get(f"{face.url}{path}").status_code in {303, 401, 404}


def test_an_act_needs_a_form_of_the_session_and_no_address_does(face: Face) -> None:
    alert = face.alert("u1")
    with logged_in(face) as client:
        sent = token(client)
        assert client.get(f"/alerts/{alert}/ack?token={sent}").status_code == 405
        assert client.post(f"/alerts/{alert}/ack?token={sent}").status_code == 403
        assert client.post(f"/alerts/{alert}/ack", json={"token": sent}).status_code == 403
        cross = {"Sec-Fetch-Site": "cross-site", "Origin": face.url}
        for act in ("ack", "resolve", "silence"):
            answer = client.post(f"/alerts/{alert}/{act}", data={"token": sent, "hours": "1"}, headers=cross)
            assert answer.status_code == 403, act
    assert face.host.document("alerts", "show", str(alert))["state"] == "open"
    assert face.host.document("alerts", "silences")["silences"] == []


def test_a_run_s_address_tells_a_users_key_nothing_of_others(face: Face) -> None:
    own, foreign = face.campaign(user="u1"), face.campaign(user="u2")
    run = face.host.document("replenish", "--all")["run_id"]
    with logged_in(face, face.key("--user", "u1", "--can", "read")) as client:
        page = client.get(f"/runs/{run}").text
    assert (f"/campaigns/{own}" in page, f"/campaigns/{foreign}" in page) == (True, False)


def test_markup_in_errors_names_and_the_audit_trail_stays_text(face: Face) -> None:
    supplier = face.host.folder / "hostile.sh"
    supplier.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{HOSTILE}\nEND\nexit 1\n")
    supplier.chmod(0o755)
    add_campaigns(face.host.database, "hostile", user=HOSTILE)
    failed = face.host.start("replenish", "--campaign", "hostile", "--json", PROXY_API_URL=f"exec:{supplier}")
    failed.communicate()
    run = face.host.document("jobs", "history")["runs"][0]["run_id"]
    with face.host.database.writing() as session:
        audit.record(session, AuditEntry(HOSTILE, Act.CAMPAIGN_CHANGED, [HOSTILE], HOSTILE), LONG_AGO)
    with logged_in(face) as client:
        wait_until(lambda: "&lt;script&gt;" in client.get("/").text, "a reading that knows the campaign")
        for path in ("/", "/campaigns", "/campaigns/hostile", f"/runs/{run}", "/alerts", "/audit"):
            page = client.get(path).text
            assert "&lt;script&gt;" in page, path
            assert "<script>" not in page, path
            assert "<img" not in page, path
