"""Text from outside is harmless once it went through `one_line`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kylink_cli.rules.text import has_control_characters, has_hidden_characters, isolated, natural, one_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("  around  ", "around"),
        ("two\nlines", "two lines"),
        ("a\r\n\t\x00b", "a b"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("\x9b31m", "31m"),
        ("right\u202eto\u2066left", "right to left"),
        ("line\u2028separator", "line separator"),
        ("half \ud800 a pair", "half   a pair"),
        ("中文 ünï", "中文 ünï"),
        ("\n", ""),
    ],
)
def test_controls_become_blanks(text: str, expected: str) -> None:
    assert one_line(text) == expected


@pytest.mark.parametrize(
    ("text", "limit", "expected"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("abcd", 1, "…"), ("abcd", None, "abcd")]
)
def test_what_is_too_long_ends_in_an_ellipsis(text: str, limit: int | None, expected: str) -> None:
    assert one_line(text, limit) == expected


@given(st.text(), st.integers(min_value=1, max_value=20))
def test_the_result_is_one_clean_line_within_the_limit(text: str, limit: int) -> None:
    clean = one_line(text, limit)
    assert not has_control_characters(clean)
    assert len(clean) <= limit
    assert len(clean.splitlines()) <= 1
    clean.encode("utf-8")


@pytest.mark.parametrize(("text", "expected"), [("a=1&b=2", False), ("a\nb", True), ("\x7f", True), ("\u200f", True)])
def test_control_characters_are_found(text: str, expected: bool) -> None:
    assert has_control_characters(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shoes 2026 ünï 中文 ❤️", False),
        ("shoes\u200b", True),
        ("sho\u200des", True),
        ("sho\u2060es", True),
        ("shoes\u00ad", True),
        ("shoes\U000e0041", True),
        ("shoes\u202e", True),
        ("shoes\x07", True),
    ],
)
def test_what_can_t_be_seen_is_found_in_ids_and_names(text: str, expected: bool) -> None:
    assert has_hidden_characters(text) is expected


def test_people_sort_numbers_by_their_value() -> None:
    assert sorted(["10", "2", "1", "b10", "b9", "a", ""], key=natural) == ["", "1", "2", "10", "a", "b9", "b10"]


@pytest.mark.parametrize("text", ["\u05d7\u05d5\u05e8\u05e3", "a \u0645\u062a\u062c\u0631 1"])
def test_what_is_written_from_right_to_left_is_shut_off_from_its_line(text: str) -> None:
    assert isolated(text) == f"\u2068{text}\u2069"


@pytest.mark.parametrize("text", ["plain", "中文 ünï", "", "1/2"])
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert isolated(text) == text
