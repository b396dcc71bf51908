"""The lists among the pages: all campaigns and the audit trail, filtered, a page at a time, each user's own."""

import re
from datetime import UTC, datetime
from html import unescape

import httpx
import pytest

from kylink_cli.rules.vocabulary import Act
from kylink_cli.store import audit
from kylink_cli.store.audit import AuditEntry
from tests.support.database import add_campaigns
from tests.support.face import Face
from tests.support.visitors import logged_in, token

pytestmark = pytest.mark.slow


def campaigns_on(page: str) -> list[str]:
    return re.findall(r'<a href="/campaigns/([^"?]+)">', page)


def next_of(page: str) -> str | None:
    found = re.search(r'<a href="([^"]+)" rel="next">', page)
    return None if found is None else unescape(found[1])


def record(face: Face, *entries: AuditEntry) -> None:
    with face.host.database.writing() as session:
        for entry in entries:
            audit.record(session, entry, datetime.now(UTC))


def test_campaigns_are_filtered_by_state_user_and_text(face: Face, operator: httpx.Client) -> None:
    full, empty, paused, other = face.campaign(9), face.campaign(), face.campaign(9), face.campaign(9, user="u2")
    operator.post(f"/campaigns/{paused}", data={"token": token(operator), "act": "pause"})

    def listed(query: str) -> set[str]:
        return set(campaigns_on(operator.get(f"/campaigns?{query}").text)) & {full, empty, paused, other}

    assert listed("") == {full, empty, paused, other}
    assert listed("state=active") == {full, empty, other}
    assert listed("state=empty") == {empty}
    assert listed("state=paused&user=&text=") == {paused}
    assert listed("user=u2") == {other}
    assert listed(f"text={full.upper()}") >= {full}
    assert listed("text=%25") == set()
    assert operator.get("/campaigns?state=nonsense").status_code == 404


def test_many_campaigns_are_shown_a_page_at_a_time(face: Face, operator: httpx.Client) -> None:
    named = [f"paged{number:03}" for number in range(120)]
    add_campaigns(face.host.database, *named, user="many")
    seen, page = list[list[str]](), operator.get("/campaigns?user=many&text=paged").text
    while True:
        seen.append(campaigns_on(page))
        address = next_of(page)
        if address is None:
            break
        page = operator.get(address).text
    assert [len(part) for part in seen] == [50, 50, 20]
    assert [name for part in seen for name in part] == named
    assert "101 to 120 of 120" in page
    beyond = operator.get("/campaigns?user=many&page=9").text
    assert (campaigns_on(beyond), "page=3" in beyond) == ([], True)
    assert operator.get("/campaigns?page=0").status_code == 404


def test_what_is_asked_for_stays_in_the_form_and_stays_text(operator: httpx.Client) -> None:
    asked = {"user": "\"><script>'", "text": "a\x00b%_\\"}
    page = operator.get("/campaigns", params=asked).text
    assert "<script>" not in page
    assert 'name="user" value="&#34;&gt;&lt;script&gt;&#39;"' in page
    assert 'name="text" value="a b%_\\"' in page


def test_a_users_key_lists_that_users_campaigns_alone(face: Face) -> None:
    own, other = face.campaign(user="u3"), face.campaign(user="u4")
    with logged_in(face, face.key("--user", "u3", "--can", "read")) as client:
        for query in ("", "?user=u4", f"?text={other}&user=u4"):
            page = client.get(f"/campaigns{query}").text
            assert other not in campaigns_on(page)
            assert "u4" not in page.replace(f'value="{other}"', "")
        assert own in campaigns_on(client.get("/campaigns").text)


def test_the_audit_trail_says_who_did_what(face: Face, operator: httpx.Client) -> None:
    record(face, AuditEntry("ann@host-1", Act.CAMPAIGN_CHANGED, ["c-audited"], "<b>bold</b>"))
    page = operator.get("/audit").text
    assert all(text in page for text in ("ann@host-1", "changed the campaign", "c-audited", "&lt;b&gt;bold"))
    assert "ann@host-1" in operator.get("/audit?days=1&who=ann").text
    assert "There is nothing to show" in operator.get("/audit?who=nobody-like-this").text
    assert operator.get("/audit?days=2").status_code == 404


def test_the_audit_trail_is_shown_a_page_at_a_time(face: Face, operator: httpx.Client) -> None:
    record(face, AuditEntry("paul@host", Act.STOCK_DISCARDED, [f"item-{number}" for number in range(60)]))
    first = operator.get("/audit?who=paul").text
    assert first.count('<td data-label="Who">paul@host') == 50
    address = next_of(first)
    assert address is not None
    assert operator.get(address).text.count('<td data-label="Who">paul@host') == 10


def test_of_the_audit_trail_a_users_key_sees_what_concerns_that_user(face: Face) -> None:
    own, other = face.campaign(user="u5"), face.campaign(user="u6")
    alerts = [face.alert("u5"), face.alert("u6")]
    with logged_in(face) as operator:
        sent = {"token": token(operator)}
        for alert in alerts:
            operator.post(f"/alerts/{alert}/ack", data=sent)
    record(
        face,
        AuditEntry("ann@secret-host", Act.CAMPAIGN_CHANGED, [own], "about-own"),
        AuditEntry("ann@secret-host", Act.CAMPAIGN_CHANGED, [other], "about-other"),
        AuditEntry("ann@secret-host", Act.KEY_ADDED, [own], "about-a-key"),
        AuditEntry("ann@secret-host", Act.ALERT_SILENCED, [own], "about-a-silence"),
    )
    with logged_in(face, face.key("--user", "u5", "--can", "read")) as client:
        page = client.get("/audit").text
        assert ("about-own" in page, f">{alerts[0]}<" in page) == (True, True)
        for hidden in ("about-other", "about-a-key", "about-a-silence", "secret-host", f">{alerts[1]}<"):
            assert hidden not in page, hidden
        assert client.get("/audit?who=no-such-host").text.count("<tr>") == page.count("<tr>")
