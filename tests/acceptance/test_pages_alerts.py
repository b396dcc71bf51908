"""An alert's page: what it shows to whom, resolving, silencing, and the list of silences."""

import re

import httpx
import pytest

from tests.support.face import Face
from tests.support.visitors import logged_in, token

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert(1)</script>'\"><img src=x>"


def silences(face: Face) -> list[dict[str, object]]:
    found: list[dict[str, object]] = face.host.document("alerts", "silences")["silences"]
    return found


def test_an_alert_is_shown_and_resolved_from_its_page(face: Face, operator: httpx.Client) -> None:
    alert = face.alert("u1", title="to be closed")
    page = operator.get(f"/alerts/{alert}").text
    assert "to be closed" in page
    assert "the next check opens it again" in page
    answer = operator.post(f"/alerts/{alert}/resolve", data={"token": token(operator)})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/alerts/{alert}")
    assert face.host.document("alerts", "show", str(alert))["state"] == "resolved"
    assert f"/alerts/{alert}/resolve" not in operator.get(f"/alerts/{alert}").text
    assert operator.get("/alerts/999999").status_code == 404


def test_alerts_are_silenced_from_a_page_and_the_silence_is_ended_in_the_list(
    face: Face, operator: httpx.Client
) -> None:
    alert, campaign, sent = face.alert("u1"), face.campaign(), {"token": token(operator)}
    wanted = {**sent, "hours": "8", "campaign": campaign, "reason": f"known {HOSTILE}"}
    assert operator.post(f"/alerts/{alert}/silence", data=wanted).headers["location"] == "/silences"
    [made] = [one for one in silences(face) if one["campaign_id"] == campaign]
    assert (made["type"], made["user_id"]) == ("LOW_STOCK", None)
    page = operator.get("/silences").text
    assert (f'action="/silences/{made["id"]}/end"' in page, "<script>" in page, "<img" in page) == (True, False, False)
    assert operator.post(f"/silences/{made['id']}/end", data=sent).headers["location"] == "/silences"
    assert campaign not in [one["campaign_id"] for one in silences(face)]
    assert operator.post(f"/silences/{made['id']}/end", data=sent).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [{"hours": "0"}, {"hours": "1000"}, {}, {"hours": "1", "campaign": "a\x00b"}, {"hours": "1", "campaign": "nobody"}],
)
def test_what_no_form_offers_silences_nothing(face: Face, operator: httpx.Client, fields: dict[str, str]) -> None:
    alert, before = face.alert("u1"), silences(face)
    sent = {"token": token(operator), **fields}
    assert operator.post(f"/alerts/{alert}/silence", data=sent).status_code == 404
    assert silences(face) == before


def test_nothing_is_resolved_or_silenced_without_the_session_s_token(face: Face, operator: httpx.Client) -> None:
    alert, before = face.alert("u1"), silences(face)
    with logged_in(face) as other:
        foreign = token(other)
    for sent in ({}, {"token": foreign}):
        for path in (f"/alerts/{alert}/resolve", f"/alerts/{alert}/silence", "/silences/1/end"):
            assert operator.post(path, data={"hours": "1", **sent}).status_code == 403, path
    assert face.host.document("alerts", "show", str(alert))["state"] == "open"
    assert silences(face) == before


def test_other_users_alerts_and_silences_do_not_exist_for_a_users_key(face: Face, operator: httpx.Client) -> None:
    own, shared, foreign = face.alert("u1"), face.alert("u1", "u2"), face.alert("u2")
    everybodys = {"token": token(operator), "hours": "1", "reason": "of-everybody"}
    operator.post(f"/alerts/{own}/silence", data=everybodys)
    of_everybody = next(one["id"] for one in silences(face) if one["reason"] == "of-everybody")
    with logged_in(face, face.key("--user", "u1", "--can", "read,operate")) as client:
        sent = {"token": token(client), "hours": "1"}
        assert client.get(f"/alerts/{foreign}").status_code == 404
        for path in (f"/alerts/{foreign}/resolve", f"/alerts/{foreign}/silence", f"/silences/{of_everybody}/end"):
            assert client.post(path, data=sent).status_code == 404, path
        page = client.get(f"/alerts/{shared}").text
        assert f"/alerts/{shared}/resolve" not in page
        assert client.post(f"/alerts/{shared}/resolve", data=sent).status_code == 403
        assert len(re.findall(r'<li><a href="/campaigns/', page)) == 1
        client.post(f"/alerts/{own}/silence", data={**sent, "reason": "of-u1"})
        page = client.get("/silences").text
        assert ("of-u1" in page, "of-everybody" in page) == (True, False)
        foreign_campaign = face.campaign(user="u2")
        assert client.post(f"/alerts/{own}/silence", data={**sent, "campaign": foreign_campaign}).status_code == 404
    assert {one["user_id"] for one in silences(face) if one["reason"] == "of-u1"} == {"u1"}


def test_a_key_that_only_reads_is_offered_no_act(face: Face) -> None:
    alert = face.alert("u1")
    with logged_in(face, face.key("--can", "read")) as client:
        page = client.get(f"/alerts/{alert}").text
        assert f"/alerts/{alert}/" not in page
        sent = {"token": token(client), "hours": "1"} if "token" in page else {"hours": "1"}
        for path in (f"/alerts/{alert}/resolve", f"/alerts/{alert}/silence", "/silences/1/end"):
            assert client.post(path, data=sent).status_code == 403
