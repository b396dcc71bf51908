"""The pages of `kylink serve` in a real browser."""

import pytest

from tests.support.browser import Visit, chromium
from tests.support.face import Face


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 400])
def test_a_run_is_watched_and_an_alert_taken_on_by_clicks_alone(face: Face, width: int) -> None:
    alert = face.alert("u1", title=f"seen at {width}")
    face.campaign()
    with chromium() as browser:
        visit = Visit(
            browser.new_page(viewport={"width": width, "height": 800}, color_scheme="dark" if width == 400 else "light")
        )
        visit.note()
        page = visit.page
        page.goto(face.url)
        assert visit.violations() == []
        page.get_by_label("Key").fill(face.everybodys_key)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", name="Overview").wait_for()
        for name in ("Overview", "Jobs", "Alerts"):
            page.get_by_role("link", name=name, exact=True).click()
            page.get_by_role("heading", name=name, level=1).wait_for()
            assert visit.violations() == [], name
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.get_by_role("button", name=f"Acknowledge: {alert}", exact=True).click()
        page.locator(f"#alert-{alert}").get_by_text("acknowledged").wait_for()
        page.get_by_role("link", name="Jobs", exact=True).click()
        page.get_by_role("button", name="Run now: replenish").click()
        page.get_by_role("heading", name="Run ", level=1).wait_for()
        page.locator('#status:not([data-status="running"])').wait_for()
        assert page.locator("#status").inner_text() == "succeeded"
        assert visit.violations() == []
        page.locator("#seen tbody a").first.click()
        page.get_by_role("heading", level=1).wait_for()
        assert visit.violations() == []
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("Key").wait_for()
        assert (visit.complaints, visit.blocked) == ([], [])
    assert face.host.document("alerts", "show", str(alert))["state"] == "acknowledged"
