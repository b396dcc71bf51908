"""The pages of `kylink serve`: who may look, what is shown, and what a click does."""

import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.support.database import add_campaigns
from tests.support.face import Face, installed, serving
from tests.support.postgres import PostgresServer
from tests.support.visitors import logged_in, stranger, token
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.mark.parametrize("path", ["/", "/jobs", "/alerts", "/campaigns/c1", "/runs/1"])
def test_who_has_not_logged_in_is_led_to_the_log_in(face: Face, path: str) -> None:
    with stranger(face) as client:
        answer = client.get(path)
    assert (answer.status_code, answer.headers["location"], answer.text) == (303, "/login", "")


def test_a_key_in_a_header_opens_no_page_and_a_cookie_no_call(face: Face, operator: httpx.Client) -> None:
    with face.client() as program:
        assert program.get("/jobs").status_code == 303
    assert operator.get("/api/v1/jobs").status_code == 401


@pytest.mark.parametrize("key", ["", "nonsense", f"kylink_{'0' * 12}_{'A' * 43}", "x" * 10_000])
def test_a_wrong_key_is_refused(face: Face, key: str) -> None:
    with stranger(face) as client:
        answer = client.post("/login", data={"key": key})
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
        assert "this is no key of this kylink" in answer.text
        assert client.get("/").status_code == 303


def test_who_tries_keys_out_at_the_log_in_is_told_to_wait(face: Face) -> None:
    with stranger(face) as client:
        wait_until(lambda: client.post("/login", data={"key": "no"}).status_code == 429, "the refusal")
        assert client.post("/login", data={"key": face.everybodys_key}).status_code == 303


def test_a_key_that_cannot_read_opens_nothing(face: Face) -> None:
    with stranger(face) as client:
        answer = client.post("/login", data={"key": face.key()})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_the_cookie_is_for_this_server_alone_and_expires(face: Face) -> None:
    with stranger(face) as client:
        cookie = client.post("/login", data={"key": face.everybodys_key}).headers["set-cookie"]
    _, *flags = cookie.split("; ")
    assert sorted(flag.lower() for flag in flags) == ["httponly", "max-age=28800", "path=/", "samesite=strict"]


def test_behind_tls_the_cookie_travels_over_tls_alone(tmp_path: Path, postgres: PostgresServer) -> None:
    options = ("--port", "0", "--behind-proxy")
    with installed("sqlite", tmp_path, postgres) as host, serving(host, *options) as face, stranger(face) as client:
        cookie = client.post("/login", data={"key": face.everybodys_key}).headers["set-cookie"]
    assert cookie.startswith("__Host-kylink=")
    assert "; Secure" in cookie


def test_a_log_in_makes_a_session_of_its_own_and_ends_the_one_before(face: Face) -> None:
    with stranger(face, Cookie="kylink=planted") as planted:
        planted.post("/login", data={"key": face.everybodys_key})
    with stranger(face, Cookie="kylink=planted") as attacker:
        assert attacker.get("/").status_code == 303
    with logged_in(face) as client:
        before = client.cookies["kylink"]
        client.post("/login", data={"key": face.everybodys_key})
        assert client.cookies["kylink"] != before
        with stranger(face, Cookie=f"kylink={before}") as earlier:
            assert earlier.get("/").status_code == 303


def test_a_log_out_ends_the_session(face: Face, operator: httpx.Client) -> None:
    cookie = operator.cookies["kylink"]
    assert operator.post("/logout", data={"token": token(operator)}).headers["location"] == "/login"
    with stranger(face, Cookie=f"kylink={cookie}") as thief:
        assert thief.get("/").status_code == 303


def test_a_revoked_key_ends_its_sessions(face: Face) -> None:
    key = face.host.document("keys", "add", "leaver", "--can", "read")["key"]
    with logged_in(face, key) as client:
        assert client.get("/").status_code == 200
        face.host.document("keys", "revoke", "leaver")
        wait_until(lambda: client.get("/").status_code == 303, "the session to end")


def test_every_answer_has_a_strict_policy(operator: httpx.Client) -> None:
    for path in ("/", "/login", "/jobs", "/alerts", "/campaigns/none", "/assets/pages.css", "/assets/live.js"):
        headers = operator.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';")
        assert policy.endswith("form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert headers["cache-control"] == "no-store"


def test_the_overview_says_how_all_is(face: Face, operator: httpx.Client) -> None:
    campaign = face.campaign()
    wait_until(lambda: f'href="/campaigns/{campaign}"' in operator.get("/").text, "a reading that knows the campaign")
    page = operator.get("/").text
    assert re.search(r'<p class="verdict bad" id="verdict">\d+ campaigns? (is|are) empty', page)
    assert f"kylink replenish --campaign {campaign}" in page
    assert f'href="/campaigns/{campaign}"' in page


def test_a_users_key_sees_that_users_campaigns_alone(face: Face) -> None:
    own, other = face.campaign(3, user="u1"), face.campaign(3, user="u2")
    alert = face.alert("u2", title="about the others")
    with logged_in(face, face.key("--user", "u1", "--can", "read,operate")) as client:
        wait_until(lambda: f"/campaigns/{own}" in client.get("/").text, "a reading that knows the campaign")
        page = client.get("/").text
        assert f"/campaigns/{other}" not in page
        assert "about the others" not in page + client.get("/alerts").text
        assert client.get(f"/campaigns/{own}").status_code == 200
        sent = {"token": token(client), "act": "pause"}
        missing = client.get("/campaigns/nobody")
        for answer in (client.get(f"/campaigns/{other}"), client.post(f"/campaigns/{other}", data=sent)):
            assert answer.status_code == missing.status_code == 404
        assert client.post(f"/alerts/{alert}/ack", data=sent).status_code == 404
        assert client.post("/jobs/replenish/pause", data=sent).status_code == 403


def test_names_that_hold_markup_stay_text(face: Face, operator: httpx.Client) -> None:
    add_campaigns(face.host.database, HOSTILE, user=HOSTILE)
    face.alert("u1", title=HOSTILE)
    wait_until(lambda: "&lt;script&gt;" in operator.get("/").text, "a reading that knows the campaign")
    for path in (
        "/",
        "/campaigns",
        "/alerts",
        f"/campaigns/{quote(HOSTILE, safe='')}",
        f"/campaigns/{quote(HOSTILE + '?', safe='')}",
    ):
        page = operator.get(path).text
        assert "&lt;script&gt;" in page
        assert "<script>" not in page
        assert "<img" not in page
        assert "style=" not in page


def test_pages_speak_the_browsers_language(face: Face) -> None:
    with logged_in(face, None, **{"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}) as client:
        page = client.get("/").text
        assert '<html lang="zh-CN">' in page
        assert "概览" in page
        assert "请求被拒绝" in client.get("/campaigns/nobody").text
        assert '<html lang="en">' in client.get("/", headers={"Accept-Language": "en-GB,zh;q=0.5"}).text


@pytest.mark.parametrize(
    ("headers", "sends_token"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({}, True),
    ],
)
def test_a_form_of_another_site_does_nothing(face: Face, headers: dict[str, str], sends_token: bool) -> None:
    with logged_in(face) as client:
        sent = {"token": token(client)} if sends_token else {}
        del client.headers["Sec-Fetch-Site"]
        answer = client.post("/jobs/alert-check/pause", data=sent, headers=headers)
        assert answer.status_code == 403
        assert face.host.document("jobs", "status")["jobs"][2]["paused_since"] is None


def test_a_token_is_of_its_session_alone(face: Face, operator: httpx.Client) -> None:
    with logged_in(face) as other:
        assert operator.post("/jobs/alert-check/pause", data={"token": token(other)}).status_code == 403


def test_the_log_in_of_another_site_is_refused(face: Face) -> None:
    with stranger(face, **{"Sec-Fetch-Site": "cross-site"}) as client:
        assert client.post("/login", data={"key": face.everybodys_key}).status_code == 403


def test_an_origin_does_where_a_browser_says_no_more(face: Face, operator: httpx.Client) -> None:
    sent = {"token": token(operator)}
    del operator.headers["Sec-Fetch-Site"]
    assert operator.post("/jobs/alert-check/resume", data=sent, headers={"Origin": face.url}).status_code == 303


def test_a_key_that_only_reads_acts_on_nothing(face: Face) -> None:
    alert = face.alert("u1", title="to be looked at")
    with logged_in(face, face.key("--can", "read")) as client:
        assert "Run now" not in client.get("/jobs").text
        found = re.search(r'name="token" value="([^"]+)"', client.get("/").text)
        assert found is not None
        for path in ("/jobs/replenish/run", "/jobs/replenish/pause", f"/alerts/{alert}/ack", "/campaigns/c1"):
            assert client.post(path, data={"token": found[1], "act": "pause"}).status_code == 403


def test_jobs_and_campaigns_are_paused_and_resumed(face: Face, operator: httpx.Client) -> None:
    campaign, sent = face.campaign(), {"token": token(operator)}
    for act, status in (("pause", "paused"), ("resume", "active")):
        answer = operator.post(f"/campaigns/{campaign}", data={**sent, "act": act})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/campaigns/{campaign}")
        assert face.host.document("campaigns", "show", campaign)["status"] == status
    for act, is_paused in (("pause", True), ("resume", False)):
        assert operator.post(f"/jobs/lease_recovery/{act}", data=sent).headers["location"] == "/jobs"
        paused_since = face.host.document("jobs", "status")["jobs"][1]["paused_since"]
        assert (paused_since is not None) == is_paused


def test_an_alert_that_is_acknowledged_names_the_key(face: Face, operator: httpx.Client) -> None:
    alert = face.alert("u1", title="to be taken on")
    assert operator.post(f"/alerts/{alert}/ack", data={"token": token(operator)}).headers["location"] == "/alerts"
    assert face.host.document("alerts", "show", str(alert))["state"] == "acknowledged"
    assert "key key-" in str(face.host.document("audit")["acts"][0]["who"])
