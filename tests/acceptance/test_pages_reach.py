"""The pages of `kylink serve` for everybody: without JavaScript, by the keyboard, on phones, in both languages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import Visit, chromium
from tests.support.face import Face

pytestmark = pytest.mark.slow


@contextmanager
def opened(browser: Browser, face: Face, **options: Any) -> Iterator[Page]:
    """A window of its own at the log-in."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(face.url)
    yield page
    context.close()


def log_in(page: Page, face: Face) -> None:
    page.locator("#key").fill(face.everybodys_key)
    page.locator("form button").click()
    page.locator("#verdict").wait_for()


def press_to(page: Page, name: str) -> None:
    """Press Tab until what bears a name has the focus, which can be seen."""
    for _ in range(200):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and name in {focused.get_attribute("aria-label"), focused.inner_text().strip()}:
            style = focused.evaluate("one => getComputedStyle(one).outlineStyle + getComputedStyle(one).outlineWidth")
            assert style == "solid2px"
            return
    raise AssertionError(f"Tab does not lead to {name}")


def test_without_javascript_everything_can_be_read_and_done(face: Face) -> None:
    campaign, alert = face.campaign(3), face.alert("u1", title="read without a script")
    with chromium() as browser, opened(browser, face, java_script_enabled=False) as page:
        log_in(page, face)
        page.get_by_role("link", name="Campaigns", exact=True).click()
        page.get_by_label("Name or id").fill(campaign)
        page.get_by_role("button", name="Filter").click()
        page.locator(f'a[href="/campaigns/{campaign}"]').click()
        page.get_by_role("heading", name="Last runs").wait_for()
        page.get_by_role("link", name="Alerts", exact=True).click()
        page.get_by_role("link", name="read without a script").click()
        page.locator("summary", has_text="Resolve").click()
        page.get_by_role("button", name=f"Resolve: {alert}", exact=True).click()
        expect(page.locator("main > .subtitle")).to_contain_text("resolved")
        page.locator("summary", has_text="Silence").click()
        page.get_by_label("Reason").fill("by hand alone")
        page.get_by_role("button", name=f"Silence: {alert}", exact=True).click()
        row = page.get_by_role("row").filter(has_text="by hand alone")
        row.get_by_role("button").click()
        expect(row).to_have_count(0)
        page.get_by_role("link", name="Audit trail").click()
        expect(page.get_by_role("cell", name="resolved the alert").first).to_be_visible()
        page.get_by_role("link", name="Jobs", exact=True).click()
        page.get_by_role("button", name="Run now: recover-leases").click()
        page.get_by_role("heading", name="Run ", level=1).wait_for()
        # The page loads itself anew until the run has ended.
        page.locator('#status:not([data-status="running"])').wait_for()
        page.get_by_role("button", name="Log out").click()
        page.locator("#key").wait_for()


def test_the_keyboard_alone_logs_in_starts_a_run_and_takes_an_alert_on(face: Face) -> None:
    alert = face.alert("u1", title="for the keyboard")
    with chromium() as browser, opened(browser, face) as page:
        expect(page.locator("#key")).to_be_focused()
        page.keyboard.type(face.everybodys_key)
        page.keyboard.press("Enter")
        page.locator("#verdict").wait_for()
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        press_to(page, "Alerts")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Alerts", level=1).wait_for()
        press_to(page, f"Acknowledge: {alert}")
        page.keyboard.press("Enter")
        page.locator(f"#alert-{alert}").get_by_text("acknowledged").wait_for()
        press_to(page, "Jobs")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Jobs", level=1).wait_for()
        press_to(page, "Run now: recover-leases")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Run ", level=1).wait_for()
        page.locator('#status:not([data-status="running"])').wait_for()
    assert face.host.document("alerts", "show", str(alert))["state"] == "acknowledged"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_every_page_suits_its_reader(face: Face, locale: str, width: int, scheme: str) -> None:
    campaign, alert = face.campaign(3), face.alert("u1")
    pages = (
        "/campaigns",
        "/jobs",
        "/alerts",
        f"/alerts/{alert}",
        "/silences",
        "/audit",
        f"/campaigns/{campaign}",
        "/runs/0",
    )
    options = {"locale": locale, "color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    with chromium() as browser, opened(browser, face, **options) as page:
        visit = Visit(page)
        assert visit.violations() == []
        log_in(page, face)
        for path in pages:
            page.goto(face.url + path)
            for summary in page.locator("summary").all():
                summary.click()
            assert visit.violations() == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert page.locator("html").get_attribute("lang") == ("zh-CN" if locale == "zh-CN" else "en")
            assert [page.locator(one).count() for one in ("h1", "main", "body > header", "body > footer")] == [1] * 4, (
                path
            )
