"""The README in its two languages: the same headings, commands and links, and pictures that are there."""

import re
from pathlib import Path

import pytest

from kylink_cli.cli import app
from tests.support.screenshots import FOLDER, PICTURES

ROOT = Path(__file__).parents[2]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")


def code_blocks(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("    ")]


def links(text: str) -> list[str]:
    found = re.findall(r"\]\(([^)]+)\)", text)
    return [link for link in found if not link.startswith("README")]


def test_both_languages_have_the_same_parts() -> None:
    for pattern in (r"^#+ ", r"^\| .* \|$", r"^!\["):
        assert len(re.findall(pattern, ENGLISH, re.MULTILINE)) == len(re.findall(pattern, CHINESE, re.MULTILINE))


def test_both_languages_have_the_same_commands_and_links() -> None:
    assert code_blocks(ENGLISH) == code_blocks(CHINESE)
    assert set(re.findall(r"`([^`\n]+)`", ENGLISH)) == set(re.findall(r"`([^`\n]+)`", CHINESE))
    assert sorted(links(ENGLISH)) == sorted(links(CHINESE))


@pytest.mark.parametrize("link", sorted(set(links(ENGLISH))))
def test_what_is_linked_to_is_there(link: str) -> None:
    assert (ROOT / link).is_file()


def test_every_command_that_the_readme_names_exists() -> None:
    import typer.main

    root = typer.main.get_command(app)
    known = getattr(root, "commands", {})
    for group, command in re.findall(r"kylink ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?", " ".join(code_blocks(ENGLISH))):
        if group in known and hasattr(known[group], "commands"):
            assert command in known[group].commands
    named = set(re.findall(r"`kylink ([a-z][a-z-]+)", ENGLISH))
    assert named <= set(known)


def test_every_picture_is_shown() -> None:
    assert {f"docs/images/{picture}" for picture in PICTURES} <= set(links(ENGLISH))
    assert {path.name for path in FOLDER.iterdir()} == set(PICTURES)
