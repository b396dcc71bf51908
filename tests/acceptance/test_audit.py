"""`kylink audit`: what people have done by hand, each with who it was."""

from pathlib import Path

import pytest

from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.vocabulary import Act, AlertLevel, AlertType, RequestState
from kylink_cli.store import alerts
from kylink_cli.store.tables import SupplyRequest
from tests.support.database import add_campaigns, add_items
from tests.support.installation import Installation

# What an operator types, and what the trail says of it.
DONE = {
    "campaigns add 7 --user u1": (Act.CAMPAIGN_ADDED, "7"),
    "campaigns set 7 --low-watermark 3": (Act.CAMPAIGN_CHANGED, "7"),
    "campaigns set 7 --order-limit 50": (Act.CAMPAIGN_CHANGED, "7"),
    "campaigns pause 7": (Act.CAMPAIGN_PAUSED, "7"),
    "campaigns resume 7": (Act.CAMPAIGN_RESUMED, "7"),
    "stock import 7 values.txt": (Act.STOCK_IMPORTED, "7"),
    "stock discard 1": (Act.STOCK_DISCARDED, "1"),
    "jobs pause stock_replenish": (Act.JOB_PAUSED, "stock_replenish"),
    "jobs resume stock_replenish": (Act.JOB_RESUMED, "stock_replenish"),
    "replenish --campaign 7 --force": (Act.RUN_FORCED, "7"),
    "supply settle doubtful --not-charged": (Act.REQUEST_SETTLED, "doubtful"),
    "alerts ack 1": (Act.ALERT_ACKNOWLEDGED, "1"),
    "alerts resolve 1": (Act.ALERT_RESOLVED, "1"),
    "alerts silence --type LOW_STOCK --for 1h": (Act.ALERT_SILENCED, "LOW_STOCK"),
    "alerts unsilence 1": (Act.SILENCE_ENDED, "1"),
    "alerts purge --days 5": (Act.ALERTS_PURGED, "older than 5 days"),
    "keys add shop": (Act.KEY_ADDED, "shop"),
    "keys rotate shop": (Act.KEY_ROTATED, "shop"),
    "keys revoke shop": (Act.KEY_REVOKED, "shop"),
    "campaigns import sheet.csv": (Act.CAMPAIGNS_IMPORTED, "sheet.csv"),
    "campaigns remove 7 --yes": (Act.CAMPAIGN_REMOVED, "7"),
}


@pytest.fixture
def operated(kylink: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation at which an operator has done one thing of each kind."""
    folder = kylink.folder
    (folder / "values.txt").write_text("a\nb\n", encoding="utf-8")
    (folder / "supply.txt").write_text("".join(f"code-{number}\n" for number in range(20)), encoding="utf-8")
    (folder / "sheet.csv").write_text("campaign_id,user_id\n8,u1\n9,u2\n", encoding="utf-8")
    monkeypatch.chdir(folder)
    settings = {"SUDO_USER": "olga", "KYLINK_HOST_NAME": "host-1", "PROXY_API_URL": f"file:{folder / 'supply.txt'}"}
    installation = Installation(folder, kylink.settings | settings)
    for line in DONE:
        if line.startswith("supply settle"):
            _doubt(installation)
        assert installation.run(*line.split()).returncode == 0, line
    return installation


def test_each_act_of_an_operator_is_in_the_trail(operated: Installation) -> None:
    acts = operated.document("audit")["acts"]
    assert [(act["act"], act["subject"]) for act in reversed(acts)] == list(DONE.values())
    assert {act["who"] for act in acts} == {"olga@host-1"}
    details = {act["act"]: act["detail"] for act in acts}
    assert [act["detail"] for act in reversed(acts) if act["act"] == "campaign_changed"] == [
        "low_watermark=3",
        "order_limit=50",
    ]
    assert details["request_settled"] == "not charged"
    assert details["campaigns_imported"] == "2 added, 0 updated"
    assert details["stock_imported"] == "2 items"
    assert details["key_added"] == "every user: consume"


def test_no_kind_of_act_is_missing_here() -> None:
    elsewhere = {Act.RUN_STARTED, Act.DATABASE_RESTORED}  # over HTTP; into an empty place
    assert {act for act, _ in DONE.values()} | elsewhere == set(Act)


def test_no_secret_is_in_the_trail(kylink: Installation) -> None:
    given = [kylink.document("keys", act, "shop")["key"] for act in ("add", "rotate")]
    trail = str(kylink.document("audit"))
    assert trail.count("shop") == 2
    assert not [key for key in given if key[-20:] in trail]


def test_it_can_be_read_by_people_and_by_part(operated: Installation) -> None:
    shown = operated.run("audit", "--limit", "1")
    assert "removed the campaign" in shown.stdout
    assert len(shown.stdout.splitlines()) == 2
    assert operated.document("audit", "--who", "somebody")["acts"] == []
    assert len(operated.document("audit", "--who", "olga", "--since", "1h")["acts"]) == len(DONE)
    operated.execute("UPDATE acts SET at = '2020-01-01 00:00:00.000000'")
    assert operated.document("audit", "--since", "2026-01-01")["acts"] == []
    refused = operated.run("audit", "--since", "yesterday")
    assert refused.returncode == 2
    assert "'yesterday' must be a moment" in refused.stderr


def test_what_changes_nothing_is_no_act(kylink: Installation) -> None:
    add_campaigns(kylink.database, "42")
    for line in ("jobs resume stock_replenish", "campaigns resume 42", "alerts ack 99"):
        kylink.run(*line.split())
    refused = kylink.run("campaigns", "pause", "nowhere")
    assert refused.returncode == 11
    assert kylink.document("audit")["acts"] == []


def test_the_trail_is_kept_as_long_as_runs(operated: Installation) -> None:
    operated.execute("UPDATE acts SET at = '2020-01-01 00:00:00.000000' WHERE act <> 'campaign_removed'")
    assert operated.run("alert-check").returncode == 0
    assert [act["act"] for act in operated.document("audit")["acts"]] == ["campaign_removed"]


def test_a_restored_database_knows_who_brought_it_back(kylink: Installation, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    add_campaigns(kylink.database, "42")
    add_items(kylink.database, "42", 1)
    assert kylink.run("db", "backup", str(backup)).returncode == 0
    kylink.database.close()
    assert kylink.run("db", "restore", str(backup)).returncode == 0
    assert [(act["act"], act["subject"]) for act in kylink.document("audit")["acts"]] == [
        ("database_restored", "backup.db")
    ]


def _doubt(installation: Installation) -> None:
    """An order of which nobody knows whether it was charged, and an alert."""
    now = installation.database.now()
    request = SupplyRequest(
        key="doubtful", campaign_id="7", quantity=1, body="{}", state=RequestState.IN_DOUBT, created_at=now
    )
    new = NewAlert(AlertType.SYSTEM_HEALTH, AlertLevel.WARNING, "test", "test", "test", {})
    with installation.database.writing() as session:
        session.add(request)
        alerts.add(session, new, now)
