"""A real browser without a window, that notes whatever a page complains of or asks for."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, Request, sync_playwright


@dataclass
class Visit:
    """A page that was opened.

    Attributes:
        page: the page.
        complaints: what it wrote to the console, errors and dialogs.
        requests: the addresses that it asked for.
        blocked: those of them that its own policy did not let through.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)

    def open(self, file: Path) -> None:
        """Open a file, noting what happens from the first moment on."""
        self.note()
        self.page.goto(file.as_uri())

    def note(self) -> None:
        """Note what happens from now on."""
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._dismiss)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", self._note_failure)

    def rows(self, table: str) -> list[list[str]]:
        """The cells of a table as they are shown."""
        rows = self.page.locator(f"#{table} tbody tr").all()
        return [row.locator("td").all_inner_texts() for row in rows]

    def violations(self) -> list[dict[str, Any]]:
        """What an accessibility checker finds that is serious or critical."""
        found = Axe().run(self.page).response["violations"]
        return [one for one in found if one["impact"] in {"serious", "critical"}]

    def _note_failure(self, request: Request) -> None:
        if request.failure == "csp":
            self.blocked.append(request.url)

    def _dismiss(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of the system, for as long as it is needed."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs a browser, which Debian's package chromium brings")
    with sync_playwright() as playwright:
        # A test that runs as root can't have the sandbox; the page under test is our own.
        browser = playwright.chromium.launch(executable_path=program, chromium_sandbox=False)
        yield browser
        browser.close()


def visit(browser: Browser, file: Path, **options: Any) -> Visit:
    """Open a file in a window of its own.

    Args:
        browser: the browser.
        file: an HTML page.
        options: what Playwright's `new_page` takes: viewport, color_scheme, java_script_enabled …
    """
    opened = Visit(browser.new_page(**options))
    opened.open(file)
    return opened
