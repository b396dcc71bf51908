"""The documents as a site: every link leads somewhere, every page can be found, and none asks another host."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.instructions import ROOT

pytestmark = pytest.mark.slow

DOCUMENTS = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the site is made of, where a test may change it."""
    for name in (*DOCUMENTS, ".env.example", "Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def make_docs(folder: Path) -> "subprocess.CompletedProcess[str]":
    # What is set up already is not set up anew, whatever is newer.
    command = ["make", "--old-file=.venv/.set-up", "docs"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_site_is_made_and_asks_no_other_host(copy: Path) -> None:
    done = make_docs(copy)
    assert done.returncode == 0, done.stderr
    pages = [*(copy / "build" / "site").rglob("*.html")]
    assert len(pages) >= len([*(ROOT / "docs").rglob("*.md")])
    for page in pages:
        html = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|iframe)[^>]* src="([^"]*)"|<link[^>]* href="([^"]*)"', html)
        assert [one for pair in loaded for one in pair if one.startswith(("http:", "https:", "//"))] == [], page.name


def test_what_leads_nowhere_or_is_named_nowhere_is_an_error(copy: Path) -> None:
    bad = ["nowhere.md", "tutorial.md#nowhere", "/nowhere", "images/nowhere.svg"]
    with (copy / "docs" / "faq.md").open("a", encoding="utf-8") as page:
        page.writelines(f"\n[a link]({link})\n" for link in bad)
    (copy / "docs" / "forgotten.md").write_text("# Forgotten\n", encoding="utf-8")
    done = make_docs(copy)
    assert done.returncode != 0
    assert [one for one in (*bad, "forgotten.md") if one not in done.stderr] == []


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")} - {"index.md"}
    assert pages - set(re.findall(r"\]\(([^)#]+)\)", index)) == set()
