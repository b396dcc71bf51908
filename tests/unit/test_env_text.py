"""Env files: what is written into one is read from it again, and nothing else of it changes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kylink_cli.setting_up.env_text import changed
from kylink_cli.settings.env_files import parse

BEFORE = """\
# a comment

KEPT='as it is' # with a remark
#COMMENTED=1

NAME=old
"""


def read(folder: Path, text: str) -> dict[str, str]:
    path = folder / "env"
    path.write_text(text, encoding="utf-8")
    return parse(path)


def test_a_value_takes_the_place_of_the_old_one() -> None:
    assert changed(BEFORE, {"NAME": "new"}) == BEFORE.replace("NAME=old", "NAME=new")


def test_a_new_name_takes_the_place_of_its_comment() -> None:
    assert changed(BEFORE, {"COMMENTED": "2"}) == BEFORE.replace("#COMMENTED=1", "COMMENTED=2")


def test_any_other_name_is_added_at_the_end() -> None:
    assert changed(BEFORE, {"FURTHER": "3"}) == f"{BEFORE}FURTHER=3\n"
    assert changed("NAME=1", {"FURTHER": "3"}) == "NAME=1\nFURTHER=3\n"
    assert changed("", {"FURTHER": "3"}) == "FURTHER=3\n"


def test_a_value_of_several_lines_is_replaced_whole() -> None:
    assert changed("A='1\n2'\nB=3\n", {"A": "4"}) == "A=4\nB=3\n"


@pytest.mark.parametrize("value", ["", "a b", "a#b", "a # b", "'", '"', "\\", "\\n", "it's \\' $HOME %s", "春 "])
def test_a_value_is_read_as_it_was_written(tmp_path: Path, value: str) -> None:
    assert read(tmp_path, changed(BEFORE, {"NAME": value})) == {"KEPT": "as it is", "NAME": value}


@given(
    values=st.dictionaries(
        st.sampled_from(["NAME", "KEPT", "COMMENTED", "NEW"]),
        st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])),
    )
)
def test_whatever_is_written_is_read_again(tmp_path_factory: pytest.TempPathFactory, values: dict[str, str]) -> None:
    folder = tmp_path_factory.mktemp("env")
    text = changed(BEFORE, values)
    assert read(folder, text) == {"KEPT": "as it is", "NAME": "old"} | values
    assert changed(text, values) == text
