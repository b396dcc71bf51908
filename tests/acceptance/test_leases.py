"""`kylink leases …` and `kylink recover-leases`, as a consumer and a timer call them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.database import add_items
from tests.support.installation import Installation
from tests.support.terminal import on_terminal
from tests.support.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    import subprocess

LET_LEASES_EXPIRE = "UPDATE leases SET expires_at = '2026-01-01 00:00:00.000000' WHERE state = 'active'"


@pytest.fixture
def kylink(tmp_path: Path) -> Iterator[Installation]:
    with Installation.at(tmp_path, "https://unused.invalid/", "the-key") as installed:
        installed.add_campaigns("1", "2")
        add_items(installed.database, "1", 5)
        yield installed


def _take(kylink: Installation, *options: str) -> list[str]:
    return [lease["token"] for lease in kylink.document("leases", "take", "1", *options)["leases"]]


def _results(done: "subprocess.CompletedProcess[str]") -> list[tuple[bool, str]]:
    return [(result["ok"], result["state"]) for result in json.loads(done.stdout)["results"]]


def _states(kylink: Installation) -> dict[str, int]:
    return dict(kylink.rows("SELECT state, count(*) FROM stock_items GROUP BY 1"))


def _change(kylink: Installation, sql: str) -> None:
    with kylink.database.writing() as session:
        session.connection().exec_driver_sql(sql)


def test_who_waits_gets_what_arrives(kylink: Installation) -> None:
    waiting = kylink.start("leases", "take", "2", "--wait", str(PATIENCE_SECONDS), "--json")
    kylink.wait_for_rows("SELECT count(*) FROM waiters", [1])
    add_items(kylink.database, "2", 1)
    said, _ = waiting.communicate()
    assert waiting.returncode == 0
    assert [lease["campaign_id"] for lease in json.loads(said)["leases"]] == ["2"]


def test_a_taken_lease_is_documented_as_the_contract_says(kylink: Installation) -> None:
    [lease] = kylink.document("leases", "take", "1", "--holder", "worker-7")["leases"]
    assert {"token", "campaign_id", "item_id", "value", "leased_at", "expires_at", "reused"} <= lease.keys()
    assert (lease["campaign_id"], lease["reused"], lease["leased_at"][-1]) == ("1", False, "Z")


def test_an_item_is_taken_confirmed_and_consumed(kylink: Installation) -> None:
    [token] = _take(kylink)
    done = kylink.run("leases", "confirm", token, "--json")
    assert (done.returncode, _results(done)) == (0, [(True, "confirmed")])
    assert _states(kylink) == {"available": 4, "consumed": 1}


def test_the_same_key_gets_the_same_lease(kylink: Installation) -> None:
    first = kylink.document("leases", "take", "1", "--key", "k")["leases"][0]
    again = kylink.document("leases", "take", "1", "--key", "k")["leases"][0]
    assert (again["token"], first["reused"], again["reused"]) == (first["token"], False, True)


@pytest.mark.parametrize("count", [1, 3])
def test_a_known_key_with_another_count_is_partly_done(kylink: Installation, count: int) -> None:
    kylink.run("leases", "take", "1", "--key", "k", "--count", "2")
    again = kylink.run("leases", "take", "1", "--key", "k", "--count", str(count))
    assert again.returncode == 10
    assert again.stderr == f"an earlier call with the same key took 2, not {count}: these are the ones\n"
    assert _states(kylink) == {"available": 3, "leased": 2}


def test_a_lease_of_its_own_length(kylink: Installation) -> None:
    kylink.run("leases", "take", "1", "--ttl", "90")
    [minutes] = kylink.rows("SELECT round((julianday(expires_at) - julianday(leased_at)) * 1440) FROM leases")
    assert minutes == 90


def test_fewer_than_wanted_is_partly_done(kylink: Installation) -> None:
    result = kylink.run("leases", "take", "1", "--count", "9")
    assert (result.returncode, result.stderr) == (10, "only 5 of 9 items were in stock\n")


def test_no_stock_is_exit_11_and_counted(kylink: Installation) -> None:
    result = kylink.run("leases", "take", "2", "--json")
    assert (result.returncode, json.loads(result.stdout)["error"]["code"]) == (11, "NO_STOCK")
    assert result.stderr == "kylink: campaign 2 has nothing to lease: try later, or replenish it\n"
    assert kylink.document("campaigns", "show", "2")["no_stock_24h"] == 1


def test_an_unknown_campaign_is_exit_11(kylink: Installation) -> None:
    result = kylink.run("leases", "take", "77", "--json")
    assert (result.returncode, json.loads(result.stdout)["error"]["code"]) == (11, "NOT_FOUND")


@pytest.mark.parametrize(
    ("tokens", "code", "expected"),
    [
        (["{0}", "{1}"], 0, [(True, "confirmed"), (True, "confirmed")]),
        (["{0}", "kl_x"], 10, [(True, "confirmed"), (False, "unknown")]),
        (["kl_x", "kl_y"], 11, [(False, "unknown"), (False, "unknown")]),
        (["{2}"], 1, [(False, "released")]),
        (["{2}", "kl_x"], 1, [(False, "released"), (False, "unknown")]),
    ],
)
def test_the_exit_code_says_how_many_tokens_counted(
    kylink: Installation, tokens: list[str], code: int, expected: list[tuple[bool, str]]
) -> None:
    taken = _take(kylink, "--count", "3")
    kylink.run("leases", "release", taken[2])
    done = kylink.run("leases", "confirm", *[token.format(*taken) for token in tokens], "--json")
    assert (done.returncode, _results(done)) == (code, expected)


def test_releasing_keeps_the_error_and_may_discard(kylink: Installation) -> None:
    first, second = _take(kylink, "--count", "2")
    assert kylink.run("leases", "release", first, "--error", "page gone").returncode == 0
    assert kylink.run("leases", "release", second, "--discard").returncode == 0
    assert _states(kylink) == {"available": 4, "discarded": 1}
    assert "page gone" in kylink.run("leases", "list").stdout


def test_extending_says_until_when(kylink: Installation) -> None:
    [token] = _take(kylink)
    result = kylink.run("leases", "extend", token, "--ttl", "600")
    assert (result.returncode, "extended until" in result.stdout) == (0, True)


def test_tokens_are_never_listed(kylink: Installation) -> None:
    tokens = _take(kylink, "--count", "2", "--holder", "worker-7")
    listed = kylink.run("leases", "list", "--json")
    assert [lease["holder"] for lease in json.loads(listed.stdout)["leases"]] == ["worker-7", "worker-7"]
    shown = listed.stdout + kylink.run("leases", "list").stdout + kylink.run("campaigns", "show", "1").stdout
    assert not any(token in shown for token in tokens)


def test_leases_past_their_deadline_are_listed_as_overdue(kylink: Installation) -> None:
    _take(kylink)
    _change(kylink, LET_LEASES_EXPIRE)
    _take(kylink)
    assert [lease["overdue"] for lease in kylink.document("leases", "list")["leases"]] == [False, True]
    assert len(kylink.document("leases", "list", "--overdue")["leases"]) == 1


def test_a_recovery_puts_items_back_and_is_recorded(kylink: Installation) -> None:
    _take(kylink, "--count", "3")
    _change(kylink, LET_LEASES_EXPIRE)
    foreseen = kylink.document("recover-leases", "--dry-run")
    assert (foreseen["dry_run"], foreseen["expired_leases"], _states(kylink)["leased"]) == (True, 3, 3)
    document = kylink.document("recover-leases")
    figures = {name: document[name] for name in ("expired_leases", "recovered", "discarded", "expired_items")}
    assert figures == {"expired_leases": 3, "recovered": 3, "discarded": 0, "expired_items": 0}
    assert (document["run_id"], document["job"], document["status"]) == (1, "lease_recovery", "succeeded")
    assert _states(kylink) == {"available": 5}
    assert kylink.document("jobs", "history", "lease_recovery")["runs"][0]["status"] == "succeeded"


def test_a_recovery_s_log_lines(kylink: Installation) -> None:
    _take(kylink, "--count", "3")
    _change(kylink, LET_LEASES_EXPIRE)
    lines = kylink.run("recover-leases").stderr.splitlines()
    assert lines[0] == "[recover-leases] 3 leases expired, 3 items back in stock, 0 discarded; 0 items expired"
    assert lines[-1].startswith("[jobs] lease_recovery completed in ")


def test_scheduled_recoveries_heed_the_switch_and_the_pause(kylink: Installation) -> None:
    assert kylink.document("recover-leases", "--scheduled")["status"] == "skipped"
    kylink.run("jobs", "pause", "lease_recovery")
    assert kylink.document("recover-leases", "--scheduled", ENABLE_AUTO_CRON="true")["status"] == "skipped"
    assert kylink.rows("SELECT count(*) FROM runs") == [0]
    kylink.run("jobs", "resume", "lease_recovery")
    kylink.run("recover-leases", "--scheduled", ENABLE_AUTO_CRON="true")
    assert kylink.rows("SELECT trigger FROM runs") == ["timer"]


def test_consumption_drives_watermark_and_runway(kylink: Installation) -> None:
    add_items(kylink.database, "1", 48, state="consumed")
    kylink.run("leases", "take", "1")
    other, campaign = kylink.document("campaigns", "list", "--sort", "runway")["campaigns"]
    figures = {name: campaign[name] for name in ("available", "leased", "consumed_24h", "watermark", "target", "low")}
    assert figures == {"available": 4, "leased": 1, "consumed_24h": 48, "watermark": 4, "target": 10, "low": False}
    assert campaign["watermark_source"] == "dynamic"
    assert other["runway_minutes"] == 0
    add_items(kylink.database, "1", 252, hours=47, state="consumed")
    assert "capped" in kylink.run("campaigns", "show", "1").stdout


def test_a_terminal_shows_token_and_value_whole_however_narrow(kylink: Installation) -> None:
    value = "gclid=" + "x" * 150
    kylink.run("stock", "import", "2", "-", input=f"{value}\n")
    seen = on_terminal("leases", "take", "2", env=kylink.settings, cwd=kylink.folder, columns=60)
    [token] = kylink.rows("SELECT token FROM leases")
    assert (token in seen.text, value in seen.text, "…" in seen.text) == (True, True, False)
