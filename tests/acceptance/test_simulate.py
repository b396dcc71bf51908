"""`kylink simulate`: over a file and over the own history, with figures that its events recount."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.support.database import add_demand
from tests.support.installation import Installation
from tests.support.terminal import on_terminal

GOOD = ("--demand", "good.csv", "--warm-up", "0", "--policy")


@pytest.fixture
def demand(tmp_path: Path) -> Path:
    """Twenty days, in which an item is asked for in every twenty minutes, and ten in one of every day."""
    path = tmp_path / "demand.csv"
    rows = [f"{minute},{10 if minute % 1440 == 720 else 1}" for minute in range(0, 20 * 1440, 20)]
    path.write_text("minute,count\n" + "\n".join(rows) + "\n")
    return path


def test_policies_are_compared_over_a_file(kylink: Installation, demand: Path) -> None:
    found = kylink.document(
        "simulate", "--demand", str(demand), "--outage", "45:36", "--policy", "forecast", "--policy", "cover"
    )
    assert found["demand"] == {"campaigns": 1, "days": 20.0, "asked": 810, "per_hour": 3.375}
    assert [one["name"] for one in found["policies"]] == ["forecast", "cover"]
    assert found["clairvoyant"] == {"bought": 810, "lost": 0}
    assert {one["asked"] for one in found["policies"]} == {810}
    assert found == kylink.document(
        "simulate", "--demand", str(demand), "--outage", "45:36", "--policy", "forecast", "--policy", "cover"
    )


def test_its_events_recount_every_figure(kylink: Installation, demand: Path, tmp_path: Path) -> None:
    out = tmp_path / "events.csv"
    [found] = kylink.document("simulate", "--demand", str(demand), "--policy", "forecast", "--events", str(out))[
        "policies"
    ]
    with out.open() as file:
        rows = [row for row in csv.DictReader(file) if float(row["minute"]) >= 10 * 1440]
    counted: Counter[str] = Counter()
    for row in rows:
        counted[row["event"]] += int(row["quantity"])
    assert (counted["take"], counted["lost"], counted["order"]) == (found["served"], found["lost"], found["bought"])
    assert {row["policy"] for row in rows} == {"forecast"}


def test_the_supply_fails_when_a_file_says_so(kylink: Installation, demand: Path, tmp_path: Path) -> None:
    last_day, whole_day = 19 * 1440, 1440
    outages = tmp_path / "outages.csv"
    outages.write_text(f"start_minute,minutes\n{last_day},{whole_day}\n")
    replay = ("simulate", "--demand", str(demand), "--policy", "forecast:COVER_MINUTES=30")
    with_supply = kylink.document(*replay)
    without = kylink.document(*replay, "--outages", str(outages))
    assert without["outages"] == [{"start_minute": last_day, "minutes": whole_day}]
    assert without["policies"][0]["lost"] > with_supply["policies"][0]["lost"] + 50


def test_people_see_how_far_it_is(kylink: Installation, demand: Path) -> None:
    seen = on_terminal("simulate", "--demand", str(demand), env=kylink.environment, cwd=kylink.folder, columns=100)
    assert seen.returncode == 0
    assert "campaigns replayed" in seen.text
    assert "clairvoyant" in seen.lines[-1]


def test_the_own_history_is_replayed(kylink: Installation) -> None:
    kylink.add_campaigns("1", "2")
    add_demand(kylink.database, "1", 3)
    found = kylink.document("simulate")
    assert (found["demand"]["campaigns"], found["demand"]["per_hour"]) == (1, 3.0)
    assert [one["name"] for one in found["policies"]] == ["current", "forecast", "cover"]
    assert "clairvoyant" in kylink.run("simulate").stdout


def test_what_a_campaign_has_of_its_own_wins_over_every_policy(kylink: Installation) -> None:
    kylink.add_campaigns("1", "2", "3")
    for campaign in ("1", "2", "3"):
        add_demand(kylink.database, campaign, 3)
    kylink.run("campaigns", "set", "1", "--low-watermark", "2", "--target-stock", "4")
    kylink.run("campaigns", "set", "2", "--order-limit", "30")
    events = kylink.folder / "events.csv"
    assert kylink.run("simulate", "--policy", "forecast", "--policy", "cover", "--events", str(events)).returncode == 0
    with events.open() as file:
        orders = [row for row in csv.DictReader(file) if row["event"] == "order"]
    sizes: defaultdict[str, list[int]] = defaultdict(list)
    for row in orders:
        sizes[row["campaign_id"]].append(int(row["quantity"]))
    assert max(sizes["1"]) <= 4 < max(sizes["3"])
    # Seventy-two a day are asked for.
    assert sum(sizes["2"]) <= 2 * 30 * 29 < sum(sizes["3"])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 11, "nobody has asked for anything in 28 days: there is nothing to replay"),
        (["--demand", "nowhere.csv"], 1, "nowhere.csv can't be read: there is no such file"),
        (["--demand", "bad.csv"], 2, "bad.csv, line 3: count is '-1': must be 0 or more items"),
        (
            [*GOOD, "luck"],
            2,
            "there is no policy luck: known are forecast, cover and current",
        ),
        (
            [*GOOD, "cover:PROXY_API_KEY=1"],
            2,
            "PROXY_API_KEY is not a setting of a simulation",
        ),
        ([*GOOD, "forecast:SERVICE_LEVEL=2"], 78, "SERVICE_LEVEL is '2': must be"),
        (["--demand", "good.csv", "--outage", "often"], 2, "--outage is 'often': must be MINUTES:EVERY_HOURS"),
        (["--demand", "good.csv"], 2, "the demand lasts 0.00208 days, and the first 10 do not count"),
    ],
)
def test_what_is_wrong_is_said(kylink: Installation, arguments: list[str], code: int, message: str) -> None:
    (kylink.folder / "bad.csv").write_text("minute,count\n0,1\n1,-1\n")
    (kylink.folder / "good.csv").write_text("minute,count\n0,1\n1,2\n2,1\n")
    result = kylink.run("simulate", *arguments)
    assert result.returncode == code
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_report_draws_what_other_settings_would_have_come_to(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    add_demand(kylink.database, "1", 2)
    assert kylink.run("report").returncode == 0
    page = (kylink.folder / "kylink-report.html").read_text(encoding="utf-8")
    assert '"settings-lost"' in page
    assert "COVER_MINUTES=180" in page
