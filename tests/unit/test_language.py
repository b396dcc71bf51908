"""The language that people read: how it is chosen, and that every text has its translation."""

import gettext
import os
import re
from collections.abc import Iterator
from threading import Barrier, Event, Thread

import pytest
from babel.messages.catalog import Catalog, Message

from kylink_cli import language
from kylink_cli.language import ntr, tr
from tests.support import catalogs

PLACEHOLDER = re.compile(r"\{[^{}]*\}")


@pytest.fixture
def chinese() -> Iterator[None]:
    language.use("zh")
    yield
    language.use("en")


@pytest.fixture(params=catalogs.LANGUAGES)
def catalog(request: pytest.FixtureRequest) -> Catalog:
    return catalogs.translated(request.param)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "zh_CN.UTF-8", "KYLINK_LANG": "en"}, "en"),
        ({"LC_ALL": "en_US.UTF-8", "KYLINK_LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "KYLINK_LANG": " "}, "zh"),
    ],
    ids=str,
)
def test_the_name_wins_over_the_locale(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("KYLINK_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language.preferred() == expected


@pytest.mark.usefixtures("chinese")
def test_a_text_is_said_in_the_language_in_use() -> None:
    assert tr("{job} is paused", job="stock_replenish") == "stock_replenish 已暂停"
    assert ntr("{n} item", "{n} items", 1) == ntr("{n} item", "{n} items", 2).replace("2", "1") == "1 个条目"


@pytest.mark.usefixtures("chinese")
def test_the_parser_of_the_command_line_speaks_it_too() -> None:
    assert gettext.gettext("Options") == "选项"


def test_english_stands_in_the_code() -> None:
    assert tr("{job} is paused", job="stock_replenish") == "stock_replenish is paused"
    assert [ntr("{n} item", "{n} items", n) for n in (0, 1, 2)] == ["0 items", "1 item", "2 items"]


def test_braces_in_what_is_said_are_left_alone() -> None:
    assert tr("{reason}: trying again", reason="{0} {name}") == "{0} {name}: trying again"
    assert tr("no placeholder {here") == "no placeholder {here"


def test_a_language_holds_for_child_processes() -> None:
    language.use("zh")
    assert os.environ["LANGUAGE"] == "zh"
    language.use("en")
    assert os.environ["LANGUAGE"] == "en"


def test_every_text_is_translated_and_no_other(catalog: Catalog) -> None:
    known = {message.id: message for message in catalog if message.id}
    assert known.keys() == set(catalogs.texts())
    assert [text for text, message in known.items() if message.fuzzy or not all(_said(message))] == []


def test_a_translation_has_the_placeholders_of_its_text(catalog: Catalog) -> None:
    for message in catalog:
        wanted = message.id if isinstance(message.id, str) else message.id[-1]
        for said in _said(message) if wanted else []:
            assert sorted(PLACEHOLDER.findall(said)) == sorted(PLACEHOLDER.findall(wanted)), said


@pytest.mark.parametrize("name", catalogs.LANGUAGES)
def test_what_is_shipped_is_what_is_translated(name: str) -> None:
    assert catalogs.compiled_file(name).read_bytes() == catalogs.compiled(catalogs.translated(name))


def test_what_the_catalogs_find() -> None:
    import ast

    module = ast.parse(
        '''
tr("said {x}", x=1)
ntr("one", "many", n)
KNOWN = marked("kept for later")
Column("TITLE", align="right")
group("db", "about a group")
typer.Option("--x", help="of an option")
other("not a text")

@command(db, "check")
def check():
    """Help of a command."""

def show():
    """No help."""

command(db, "show")(add)

def add():
    """Help of another."""
'''
    )
    assert set(catalogs.texts_in(module)) == {
        "said {x}",
        ("one", "many"),
        "kept for later",
        "TITLE",
        "about a group",
        "of an option",
        "Help of a command.",
        "Help of another.",
    }


def _said(message: Message) -> list[str]:
    said = message.string or ""
    return [said] if isinstance(said, str) else list(said)


def test_threads_that_speak_english_for_programs_leave_the_language_to_people() -> None:
    language.use("zh")
    first_speaks, both_speak = Event(), Barrier(2, timeout=60)

    def first() -> None:
        with language.for_programs():
            first_speaks.set()
            both_speak.wait()

    def second() -> None:
        first_speaks.wait(60)
        with language.for_programs():
            both_speak.wait()
            threads[0].join(60)

    threads = [Thread(target=first), Thread(target=second)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert language.tr("never") != "never"
    finally:
        language.use("en")


# What a native speaker would not say, or say shorter.
UNIDIOMATIC = re.compile(
    r"\b(so many|anew|mend(ed)?|belongs into|is to be|are to be|told of|all the same|bring .* back)\b", re.IGNORECASE
)


def test_texts_are_a_native_speaker_s() -> None:
    assert [text for text in catalogs.texts() if UNIDIOMATIC.search(str(text))] == []
