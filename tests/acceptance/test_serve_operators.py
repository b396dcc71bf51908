"""What operators without a shell do over HTTP: jobs, runs, campaigns, alerts, silences."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.face import Face, problem
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def of_user(face: Face) -> Iterator[httpx.Client]:
    with face.client(face.key("--user", "u1", "--can", "consume,operate,read")) as client:
        yield client


def finished(client: httpx.Client, started: httpx.Response) -> dict[str, Any]:
    """The run that a start led to, once it has ended."""
    assert started.status_code == 202, started.text
    url = started.headers["location"]
    wait_until(lambda: client.get(url).json()["status"] != "running", "the run to end")
    found: dict[str, Any] = client.get(url).json()
    return found


def test_the_calls_of_the_original_work(face: Face, program: httpx.Client) -> None:
    campaign = face.campaign()
    run = finished(program, program.post("/api/v1/jobs/replenish", json={"mode": "all"}))
    assert (run["job"], run["trigger"], run["status"]) == ("stock_replenish", "manual", "succeeded")
    assert campaign in [result["campaign_id"] for result in run["campaigns"]]
    jobs = program.get("/api/v1/jobs").json()["jobs"]
    assert [job["name"] for job in jobs] == ["stock_replenish", "lease_recovery", "monitoring_alert"]
    assert jobs[0]["last_run"]["run_id"] == run["run_id"]


def test_named_campaigns_are_filled(face: Face, program: httpx.Client) -> None:
    campaign, other = face.campaign(), face.campaign()
    body = {"mode": "campaigns", "campaign_ids": [campaign], "force": True}
    run = finished(program, program.post("/api/v1/jobs/replenish", json=body))
    assert [result["campaign_id"] for result in run["campaigns"]] == [campaign]
    assert program.get(f"/api/v1/campaigns/{other}").json()["available"] == 0


def test_a_campaign_that_does_not_exist_is_not_filled(program: httpx.Client) -> None:
    body = {"mode": "campaigns", "campaign_ids": ["nobody"]}
    assert problem(program.post("/api/v1/jobs/replenish", json=body))["code"] == "NOT_FOUND"


@pytest.mark.parametrize("body", [{"mode": "all", "campaign_ids": ["1"]}, {"mode": "campaigns"}])
def test_what_names_campaigns_and_means_others_is_refused(program: httpx.Client, body: dict[str, Any]) -> None:
    refused = program.post("/api/v1/jobs/replenish", json=body)
    assert (refused.status_code, problem(refused)["code"]) == (422, "USAGE")


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/api/v1/jobs", "GET"), ("/api/v1/silences", "GET, POST"), ("/api/v1/silences/1", "DELETE"), ("/metrics", "GET")],
)
def test_a_wrong_method_is_told_the_right_ones(program: httpx.Client, path: str, methods: str) -> None:
    refused = program.put(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, methods)


def test_every_job_is_started_paused_and_resumed(program: httpx.Client) -> None:
    run = finished(program, program.post("/api/v1/jobs/recover-leases/run"))
    assert (run["job"], run["status"]) == ("lease_recovery", "succeeded")
    paused = program.post("/api/v1/jobs/alert-check/pause").json()
    assert paused == {"job": "monitoring_alert", "paused": True, "changed": True}
    assert program.get("/api/v1/jobs").json()["jobs"][2]["paused_since"] is not None
    run = finished(program, program.post("/api/v1/jobs/monitoring_alert/run"))
    assert run["status"] == "succeeded"
    assert program.post("/api/v1/jobs/alert-check/resume").json()["changed"]
    history = program.get("/api/v1/jobs/alert-check/runs").json()["runs"]
    assert history[0]["run_id"] == run["run_id"]


def test_a_run_under_way_is_a_conflict(face: Face, program: httpx.Client) -> None:
    slow = face.host.folder / "slow.sh"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    face.campaign()
    running = face.host.start("replenish", "--all", PROXY_API_URL=f"exec:{slow}")
    try:
        wait_until(lambda: program.get("/api/v1/jobs").json()["jobs"][0]["running"], "the run to be under way")
        refused = program.post("/api/v1/jobs/replenish", json={"mode": "all"})
        assert (refused.status_code, problem(refused)["code"]) == (409, "LOCKED")
    finally:
        running.kill()
        running.communicate()


def test_the_progress_of_a_run_is_told_to_its_end(face: Face, program: httpx.Client) -> None:
    face.campaign()
    started = program.post("/api/v1/jobs/replenish", json={"mode": "all"})
    with program.stream("GET", f"{started.headers['location']}/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        lines = list(events.iter_lines())
    assert lines[-3] == "event: end"
    ended = json.loads(lines[-2].removeprefix("data: "))
    assert (ended["run_id"], ended["status"]) == (started.json()["run_id"], "succeeded")


def test_campaigns_are_shown_with_their_levels(face: Face, program: httpx.Client) -> None:
    full, empty = face.campaign(7), face.campaign()
    listed = {one["campaign_id"]: one for one in program.get("/api/v1/campaigns").json()["campaigns"]}
    assert (listed[full]["available"], listed[empty]["low"]) == (7, True)
    low = [one["campaign_id"] for one in program.get("/api/v1/campaigns?low=true").json()["campaigns"]]
    assert (empty in low, full in low) == (True, False)
    shown = program.get(f"/api/v1/campaigns/{full}").json()
    assert (shown["items"]["available"], shown["why"] != "") == (7, True)
    assert shown == face.host.document("campaigns", "show", full) | {"why": shown["why"]}


def test_alerts_are_listed_shown_acknowledged_and_resolved(face: Face, program: httpx.Client) -> None:
    alert = face.alert("u1")
    assert alert in [one["id"] for one in program.get("/api/v1/alerts?state=open&type=LOW_STOCK").json()["alerts"]]
    assert program.get(f"/api/v1/alerts/{alert}").json()["users"] == ["u1"]
    assert program.post(f"/api/v1/alerts/{alert}/ack").json()["state"] == "acknowledged"
    assert program.post(f"/api/v1/alerts/{alert}/resolve").json()["state"] == "resolved"
    again = program.post(f"/api/v1/alerts/{alert}/ack")
    assert (again.status_code, again.json()["ok"]) == (409, False)
    assert problem(program.get("/api/v1/alerts/999999"))["code"] == "NOT_FOUND"


def test_alerts_are_silenced_for_a_time(program: httpx.Client) -> None:
    made = program.post("/api/v1/silences", json={"type": "LOW_STOCK", "minutes": 60, "reason": "it is known"})
    assert (made.status_code, made.json()["type"]) == (201, "LOW_STOCK")
    listed = program.get("/api/v1/silences").json()["silences"]
    assert [one["reason"] for one in listed] == ["it is known"]
    assert program.delete(f"/api/v1/silences/{made.json()['id']}").json()["ended"]
    assert program.get("/api/v1/silences").json()["silences"] == []


def test_a_users_key_sees_and_fills_that_users_campaigns_alone(face: Face, of_user: httpx.Client) -> None:
    own, foreign = face.campaign(), face.campaign(user="u2")
    seen = {one["user_id"] for one in of_user.get("/api/v1/campaigns").json()["campaigns"]}
    assert seen == {"u1"}
    assert problem(of_user.get(f"/api/v1/campaigns/{foreign}"))["code"] == "NOT_FOUND"
    run = finished(of_user, of_user.post("/api/v1/jobs/replenish", json={"mode": "all"}))
    assert own in [result["campaign_id"] for result in run["campaigns"]]
    assert {result["user_id"] for result in run["campaigns"]} == {"u1"}
    with face.client() as operator:
        assert operator.get(f"/api/v1/campaigns/{foreign}").json()["available"] == 0


def test_a_users_key_acts_on_that_users_alerts_alone(face: Face, of_user: httpx.Client) -> None:
    own, shared, foreign = face.alert("u1"), face.alert("u1", "u2"), face.alert("u2")
    seen = [one["id"] for one in of_user.get("/api/v1/alerts?limit=100").json()["alerts"]]
    assert (own in seen, shared in seen, foreign in seen) == (True, True, False)
    shown = of_user.get(f"/api/v1/alerts/{shared}").json()
    assert (shown["users"], [c["userId"] for c in shown["metadata"]["campaigns"]]) == (["u1"], ["u1"])
    assert of_user.post(f"/api/v1/alerts/{own}/ack").status_code == 200
    assert of_user.post(f"/api/v1/alerts/{shared}/ack").status_code == 403
    assert of_user.post(f"/api/v1/alerts/{foreign}/ack").status_code == 404


def test_what_is_everybodys_is_not_for_a_users_key(of_user: httpx.Client) -> None:
    for path in ("jobs/replenish/pause", "jobs/replenish/resume", "jobs/alert-check/run", "jobs/recover-leases/run"):
        assert problem(of_user.post(f"/api/v1/{path}"))["code"] == "FORBIDDEN"
    assert of_user.get("/metrics").status_code == 403


def test_a_key_does_what_it_can_and_no_more(face: Face) -> None:
    with face.client(face.key("--can", "read")) as reader:
        assert reader.get("/api/v1/jobs").status_code == 200
        assert problem(reader.post("/api/v1/jobs/replenish", json={"mode": "all"}))["code"] == "FORBIDDEN"
        assert problem(reader.post("/api/v1/leases", json={"requests": [{"campaign_id": "1"}]}))["code"] == "FORBIDDEN"
    with face.client(face.key("--can", "consume")) as consumer:
        assert consumer.get("/api/v1/campaigns").status_code == 403


def test_metrics_are_for_a_key_that_can_read(face: Face, program: httpx.Client) -> None:
    answer = program.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "kylink_" in answer.text
    with face.client("") as stranger:
        assert stranger.get("/metrics").status_code == 401


# What an operator asks for, and what the trail says of it: once each, whoever carries it out.
ACTS = [
    ("POST jobs/recover-leases/run", None, "run_started"),
    ("POST jobs/replenish", {"mode": "campaigns", "campaign_ids": ["CAMPAIGN"]}, "run_started"),
    ("POST jobs/replenish", {"mode": "campaigns", "campaign_ids": ["CAMPAIGN"], "force": True}, "run_forced"),
    ("POST jobs/replenish/pause", None, "job_paused"),
    ("POST jobs/replenish/pause", None, None),
    ("POST jobs/replenish/resume", None, "job_resumed"),
    ("POST alerts/ALERT/ack", None, "alert_acknowledged"),
    ("POST alerts/ALERT/resolve", None, "alert_resolved"),
    ("POST silences", {"type": "NO_STOCK_FREQUENT", "minutes": 5}, "alert_silenced"),
    ("DELETE silences/SILENCE", None, "silence_ended"),
]


def test_who_did_what_is_kept_once_by_the_key_s_name(face: Face) -> None:
    key = face.host.document("keys", "add", "night-shift", "--can", "operate,read")["key"]
    known = {"ALERT": str(face.alert("u1")), "CAMPAIGN": face.campaign(), "SILENCE": ""}
    before = face.host.rows("SELECT max(id) FROM acts")[0]
    with face.client(key) as operator:
        for call, body, _ in ACTS:
            method, path = call.split()
            answer = operator.request(method, f"/api/v1/{_filled(path, known)}", json=_filled(body, known))
            assert answer.is_success, answer.text
            if answer.status_code == 202:
                finished(operator, answer)
            if path == "silences":
                known["SILENCE"] = str(answer.json()["id"])
    trail = face.host.rows(f"SELECT who, act FROM acts WHERE id > {before} ORDER BY id")
    assert trail == [("key night-shift", act) for *_, act in ACTS if act is not None]
    assert key not in str(face.host.rows("SELECT who, act, subject, detail FROM acts"))


def _filled(template: Any, known: dict[str, str]) -> Any:
    text = json.dumps(template)
    for name, value in known.items():
        text = text.replace(name, value)
    return json.loads(text)
