"""`kylink report`: the page as a browser shows it, opened from disk."""

import csv
import json
import re
import stat
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support import rooms
from tests.support.browser import Visit, chromium, visit
from tests.support.busy_system import HOSTILE, fill
from tests.support.installation import Installation

pytestmark = pytest.mark.slow

NARROW, WIDE = {"width": 400, "height": 800}, {"width": 1400, "height": 900}
DOCS = Path(__file__).parents[2] / "docs"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A week of work of 70 campaigns, a seventh of them with a hostile name."""
    with Installation.without_supply(tmp_path_factory.mktemp("busy")) as installation:
        fill(installation.database, campaigns=70)
        yield installation


@pytest.fixture(scope="module")
def report(busy: Installation) -> Path:
    assert busy.run("report").returncode == 0
    return busy.folder / "kylink-report.html"


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Visit]:
    found = visit(browser, report, viewport=WIDE)
    yield found
    assert found.complaints == []
    found.page.close()


def data(report: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', report.read_text(), re.DOTALL)
    assert found
    document: dict[str, Any] = json.loads(found[1])
    return document


def cells(opened: Visit, table: str, column: int) -> list[str]:
    return [row[column] for row in opened.rows(table)]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["phone", "desk"])
def test_a_browser_has_nothing_to_complain_of(
    browser: Browser, busy: Installation, tmp_path: Path, viewport: dict[str, int], scheme: str, language: str
) -> None:
    page = tmp_path / "page.html"
    assert busy.run("report", "--out", str(page), KYLINK_LANG=language).returncode == 0
    opened = visit(browser, page, viewport=viewport, color_scheme=scheme)
    assert opened.complaints == []
    assert opened.requests == [page.as_uri()]
    assert opened.page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert opened.page.locator("canvas").count() == len(data(page)["charts"]) == 11
    assert opened.violations() == []
    opened.page.close()


def test_an_empty_room_teaches_how_to_begin_and_shows_nothing_green(browser: Browser, kylink: Installation) -> None:
    assert kylink.run("report").returncode == 0
    opened = visit(browser, kylink.folder / "kylink-report.html", viewport=WIDE)
    assert (opened.complaints, opened.violations()) == ([], [])
    assert opened.page.locator("#verdict").get_attribute("class") == "verdict neutral"
    commands = opened.page.locator(".begin code").all_inner_texts()
    assert commands[:2] == ["kylink demo", "kylink setup"]
    assert opened.page.locator(".good, canvas, table").count() == 0
    assert opened.page.evaluate("document.querySelector('footer').getBoundingClientRect().top") < 700
    opened.page.close()


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation.without_supply(tmp_path_factory.mktemp("week")) as installation:
        rooms.furnish(installation.database, rooms.WEEK)
        assert installation.run("report").returncode == 0
        yield installation


@pytest.fixture
def walk(browser: Browser, week: Installation) -> Iterator[Visit]:
    found = visit(browser, week.folder / "kylink-report.html", viewport=WIDE)
    yield found
    assert found.complaints == []
    found.page.close()


def test_the_page_begins_with_the_verdict_and_what_needs_attention(walk: Visit, week: Installation) -> None:
    [lost] = week.rows("SELECT sum(refused) FROM demand_minutes WHERE campaign_id = '1000'")
    first = walk.page.locator("main > *").first
    assert (first.get_attribute("id"), first.get_attribute("class")) == ("verdict", "verdict bad")
    assert re.match(r"3 campaigns are empty: \d+ consumers were turned away in 7 days, ", first.inner_text())
    notice = walk.page.locator(".notice", has_text="Spring sale 0")
    lines = notice.inner_text().split("\n")
    assert lines[0].split()[0] == "1000"
    assert any(re.search(r"^empty for 29 h, since 20\d\d-", line) for line in lines)
    assert any(line.endswith(f"{lost:,} consumers turned away") for line in lines)
    assert rooms.NO_BALANCE in lines
    assert lines[-1] == "Type: kylink replenish --campaign 1000"


def test_campaigns_are_filtered_by_state_and_user_and_saved_as_shown(walk: Visit, tmp_path: Path) -> None:
    table = walk.page.locator("#campaigns")
    table.get_by_label("State").select_option("empty")
    assert sorted(cells(walk, "campaigns", 0)) == ["1000", "1001", "1007"]
    table.get_by_label("User").select_option("user1")
    assert sorted(cells(walk, "campaigns", 0)) == ["1001", "1007"]
    with walk.page.expect_download() as download:
        table.get_by_role("button", name="Save as CSV").click()
    download.value.save_as(tmp_path / "saved.csv")
    rows = list(csv.DictReader((tmp_path / "saved.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert download.value.suggested_filename == "campaigns.csv"
    assert sorted(row["Campaign"] for row in rows) == ["1001", "1007"]
    assert {row["Last error"] for row in rows} == {rooms.NO_BALANCE, rooms.UNKNOWN}


def test_a_page_of_a_table_can_be_chosen(walk: Visit) -> None:
    pager = walk.page.locator("#campaigns .pager")
    pager.get_by_label("Page").select_option("2")
    assert pager.inner_text().startswith("41 to 60 of 60")
    assert pager.get_by_label("Last rows").is_disabled()
    pager.get_by_label("First rows").click()
    assert pager.inner_text().startswith("1 to 20 of 60")


def test_every_bar_has_its_name_on_a_phone_too(browser: Browser, week: Installation) -> None:
    opened = visit(browser, week.folder / "kylink-report.html", viewport=NARROW)
    # Rows become cards, whose cells say what they are.
    row = opened.page.locator("#campaigns tbody tr").first
    assert opened.page.evaluate("row => getComputedStyle(row).display", row.element_handle()) == "block"
    labels = row.locator("td").evaluate_all("cells => cells.map(cell => cell.dataset.label)")
    assert labels[:3] == ["Campaign", "Name", "State"]
    assert opened.page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    opened.page.close()


def test_paper_shows_every_row_on_white_with_page_breaks(browser: Browser, week: Installation) -> None:
    opened = visit(browser, week.folder / "kylink-report.html", viewport=WIDE, color_scheme="dark")
    opened.page.emulate_media(media="print")
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert opened.page.locator("#campaigns tbody tr").count() == 60
    assert opened.page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(23, 32, 42)"
    assert opened.page.evaluate("getComputedStyle(document.getElementById('stock')).breakBefore") == "page"
    opened.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert opened.page.locator("#campaigns tbody tr").count() == 20
    opened.page.close()


def test_on_paper_every_page_of_a_table_has_its_heading_and_a_margin(browser: Browser, week: Installation) -> None:
    opened = visit(browser, week.folder / "kylink-report.html", viewport=WIDE)
    opened.page.emulate_media(media="print")
    opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    # A button in a heading would be left out where the heading is repeated.
    display = "getComputedStyle(document.querySelector('#campaigns thead button')).display"
    assert opened.page.evaluate(display) == "contents"
    page_rule = "[...document.styleSheets[0].cssRules].find(rule => rule instanceof CSSPageRule).style.margin"
    assert opened.page.evaluate(page_rule) == "12mm"
    narrower = (
        "[...document.querySelectorAll('.chart canvas')].filter(c => c.clientWidth < c.closest('.chart').clientWidth)"
    )
    assert opened.page.evaluate(f"{narrower}.length") == 0
    opened.page.close()


@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["phone", "desk"])
def test_no_text_of_a_page_is_cut(browser: Browser, week: Installation, viewport: dict[str, int]) -> None:
    opened = visit(browser, week.folder / "kylink-report.html", viewport=viewport)
    shown = "td, .table-card .scroll, .tile, .notice"
    cut = f"[...document.querySelectorAll('{shown}')].filter(e => e.scrollWidth > e.clientWidth + 1)"
    assert opened.page.evaluate(f"{cut}.map(e => e.textContent)") == []
    # Names of places that can be jumped to are there once.
    ids = opened.page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    opened.page.close()


def test_axes_have_room_for_their_titles_on_a_phone(browser: Browser, week: Installation) -> None:
    page = week.folder / "kylink-report.html"
    opened = visit(browser, page, viewport=NARROW)
    measure = """text => {
        const drawn = document.createElement("canvas").getContext("2d");
        drawn.font = "600 12px system-ui, sans-serif";
        return drawn.measureText(text).width;
    }"""
    for key, chart in data(page)["charts"].items():
        room = opened.page.locator(f'[data-chart="{key}"] .u-over').evaluate("over => over.clientHeight")
        assert opened.page.evaluate(measure, chart["y_title"]) <= room + 20, chart["y_title"]
    opened.page.close()


def test_five_thousand_campaigns_are_read_by_everybody(browser: Browser, kylink: Installation) -> None:
    rooms.furnish(kylink.database, rooms.LARGE)
    assert kylink.run("report").returncode == 0
    for viewport in (NARROW, WIDE):
        opened = visit(browser, kylink.folder / "kylink-report.html", viewport=viewport)
        assert (opened.complaints, opened.violations()) == ([], [])
        assert opened.page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
        opened.page.close()


def test_outages_and_crashes_are_marked_and_ids_can_be_pasted(walk: Visit, week: Installation) -> None:
    bands = data(week.folder / "kylink-report.html")["charts"]["demand"]["bands"]
    assert [band["label"] for band in bands] == ["outage", "crash", "crash"]
    runs = cells(walk, "last-runs", 0)
    assert runs == [str(run) for run in week.rows("SELECT id FROM runs ORDER BY id DESC LIMIT 20")]
    assert walk.page.locator(".marks").count() == 3


def test_tables_are_searched(opened: Visit, report: Path) -> None:
    names = [row[1] for row in data(report)["tables"]["campaigns"]["rows"]]
    opened.page.get_by_label("Search this table: Campaigns").fill("COFFEE machines")
    assert cells(opened, "campaigns", 1) == [name for name in names if "Coffee machines" in name]
    assert opened.page.locator("#campaigns output").inner_text() == "10 of 70 match"
    opened.page.get_by_label("Search this table: Campaigns").fill("nobody has this name")
    assert opened.rows("campaigns") == []


def test_tables_are_sorted_both_ways(opened: Visit) -> None:
    heading = opened.page.locator("#campaigns thead th", has_text="Available")
    heading.get_by_role("button").click()
    rising = [int(text) for text in cells(opened, "campaigns", 4)]
    assert (rising, heading.get_attribute("aria-sort")) == (sorted(rising), "ascending")
    heading.get_by_role("button").click()
    falling = [int(text) for text in cells(opened, "campaigns", 4)]
    assert (falling, heading.get_attribute("aria-sort")) == (sorted(falling, reverse=True), "descending")
    assert falling[0] > rising[0]


def test_long_tables_are_shown_in_pages(opened: Visit) -> None:
    first = cells(opened, "campaigns", 0)
    opened.page.locator("#campaigns").get_by_label("Next rows").click()
    second = cells(opened, "campaigns", 0)
    assert len(first) == len(second) == 20
    assert set(first).isdisjoint(second)
    opened.page.locator("#campaigns").get_by_label("Previous rows").click()
    assert cells(opened, "campaigns", 0) == first


def test_light_and_dark_can_be_chosen(opened: Visit) -> None:
    def looks() -> tuple[str, str]:
        background = opened.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return background, opened.page.evaluate("document.querySelector('canvas').toDataURL()")

    light = looks()
    opened.page.get_by_role("button", name="Dark").click()
    dark = looks()
    assert light[0] != dark[0]
    opened.page.wait_for_function("before => document.querySelector('canvas').toDataURL() !== before", arg=light[1])
    opened.page.get_by_role("button", name="Light").click()
    assert looks()[0] == light[0]


def test_what_the_pointer_is_at_is_said(opened: Visit) -> None:
    opened.page.locator('[data-chart="levels"] .u-over').hover()
    assert re.search(r"rank \d+, .* · available \d+ · target \d+ · watermark \d+", opened.page.content())


def test_hostile_names_are_only_text(opened: Visit, report: Path) -> None:
    opened.page.get_by_label("Search this table: Campaigns").fill("onerror")
    assert all(name.startswith(HOSTILE) for name in cells(opened, "campaigns", 1))
    assert len(cells(opened, "campaigns", 1)) == 10
    assert opened.page.locator("img").count() == 0
    assert HOSTILE not in report.read_text()


def test_the_policy_lets_no_other_script_style_or_request_through(
    browser: Browser, report: Path, tmp_path: Path
) -> None:
    smuggled = (
        "<script>document.title = 'smuggled'</script><img src='http://127.0.0.1:9/x'>"
        "<p id='styled' style='color: rgb(1, 2, 3)'>text</p>"
    )
    changed = tmp_path / "changed.html"
    changed.write_text(report.read_text().replace("</main>", smuggled + "</main>"))
    opened = visit(browser, changed)
    assert opened.page.title() == "kylink report"
    assert opened.page.evaluate("getComputedStyle(document.getElementById('styled')).color") != "rgb(1, 2, 3)"
    assert opened.requests == [changed.as_uri(), *opened.blocked]
    assert opened.blocked == ["http://127.0.0.1:9/x"]
    assert sum("Content Security Policy" in complaint for complaint in opened.complaints) == 3
    assert "unsafe" not in re.findall(r'Content-Security-Policy" content="([^"]*)"', report.read_text())[0]
    opened.page.close()


def test_without_script_the_figures_are_there(browser: Browser, report: Path) -> None:
    opened = visit(browser, report, java_script_enabled=False, viewport=NARROW)
    assert opened.page.locator("#campaigns tbody tr").count() == 20
    assert opened.page.locator("details table").count() == 10
    assert opened.page.get_by_text("Without JavaScript").is_visible()
    opened.page.close()


def test_every_chart_has_titled_axes_and_its_like_in_words(opened: Visit, report: Path) -> None:
    for chart in data(report)["charts"].values():
        assert chart["title"]
        assert re.search(r"\(.+\)$", chart["x"]["title"]) or chart["x"]["kind"] == "category"
        assert re.search(r"\(.+\)$", chart["y_title"])
    for chart_place in opened.page.locator("[data-chart]").all():
        assert len(chart_place.get_attribute("aria-label") or "") > 20
        assert chart_place.locator("xpath=ancestor::figure").locator("details, a").count() == 1


def test_the_figures_are_those_of_the_database(opened: Visit, busy: Installation) -> None:
    tiles = opened.page.locator(".tile").all_inner_texts()
    found = {lines[0]: lines[1:] for lines in (tile.split("\n") for tile in tiles)}
    [available] = busy.rows("SELECT count(*) FROM stock_items WHERE state = 'available'")
    low = busy.document("campaigns", "list", "--low")["campaigns"]
    empty = [one for one in low if one["available"] == 0]
    assert found["Items in stock"] == [f"{available:,}", "in 69 campaigns that are active, 1 paused"]
    assert found["Campaigns below watermark"] == [str(len(low)), f"{len(empty)} of them without any stock"]
    assert found["Unresolved alerts"][0] == "5"


def test_campaigns_come_in_the_order_of_their_risk(report: Path) -> None:
    rows = data(report)["tables"]["campaigns"]["rows"]
    covers = [row[3][0] / row[3][1] for row in rows if row[2] != "paused"]
    assert covers == sorted(covers)


def test_a_user_s_report_names_nobody_else_s_campaigns(browser: Browser, busy: Installation) -> None:
    page = busy.folder / "user.html"
    assert busy.run("report", "--user", "user1", "--out", str(page)).returncode == 0
    rows = data(page)["tables"]["campaigns"]["rows"]
    assert {row[8] for row in rows} == {"user1"}
    opened = visit(browser, page)
    assert opened.page.title() == "kylink report for user1"
    assert not re.search(r"user[02]", opened.page.content())
    opened.page.close()


def test_ten_thousand_campaigns_are_quick_and_small(browser: Browser, kylink: Installation) -> None:
    fill(kylink.database, campaigns=10_000, days=1)
    page = kylink.folder / "kylink-report.html"
    assert kylink.run("report", "--days", "1").returncode == 0
    assert page.stat().st_size < 2 * MEGABYTE
    opened = visit(browser, page, viewport=WIDE)
    assert opened.page.evaluate("document.querySelectorAll('*').length") < 5_000
    opened.page.get_by_label("Search this table: Campaigns").fill("10999")
    assert cells(opened, "campaigns", 0) == ["10999"]
    assert opened.complaints == []
    opened.page.close()


def test_the_page_speaks_chinese(busy: Installation, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert busy.run("report", "--out", str(page), KYLINK_LANG="zh").returncode == 0
    assert '<html lang="zh-CN">' in page.read_text()
    assert "<h1>kylink 报告</h1>" in page.read_text()


@pytest.mark.parametrize(("options", "mode"), [([], 0o600), (["--public"], 0o644)], ids=["private", "public"])
def test_the_page_is_private_unless_it_is_to_be_served(
    busy: Installation, tmp_path: Path, options: list[str], mode: int
) -> None:
    page = tmp_path / "page.html"
    document = busy.document("report", "--out", str(page), *options)
    assert document == {"file": str(page), "bytes": page.stat().st_size, "campaigns": 70}
    assert stat.S_IMODE(page.stat().st_mode) == mode


def test_a_user_without_campaigns_is_taken_for_a_slip(busy: Installation, tmp_path: Path) -> None:
    result = busy.run("report", "--user", "usre1", "--out", str(tmp_path / "page.html"))
    assert (result.returncode, list(tmp_path.iterdir())) == (11, [])
    assert "user usre1 has no campaigns" in result.stderr


def test_a_file_that_cannot_be_written_is_one_clear_line(busy: Installation, tmp_path: Path) -> None:
    result = busy.run("report", "--out", str(tmp_path))
    assert (result.returncode, result.stderr) == (1, f"kylink: {tmp_path} can't be written: not a regular file\n")


def test_the_drawing_library_lies_there_as_published() -> None:
    folder = files("kylink_cli.report") / "assets" / "uplot"
    assert "(v1.6.32)" in folder.joinpath("uPlot.iife.min.js").read_text()[:100]
    assert "MIT License" in folder.joinpath("LICENSE").read_text()
    assert "uPlot](https://github.com/leeoniya/uPlot) 1.6.32" in (DOCS / "monitoring.md").read_text()
