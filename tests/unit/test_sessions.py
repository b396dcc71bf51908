"""Sessions of the pages, and the language of their readers."""

import pytest

from kylink_cli.serving.keyring import Grant
from kylink_cli.serving.pages.reader import language_of
from kylink_cli.serving.sessions import LIFE_SECONDS, Sessions

GRANT = Grant("0" * 12, "hash")


def test_a_session_ends_after_eight_hours() -> None:
    moment = 0.0
    sessions = Sessions(is_secure=False, clock=lambda: moment)
    session_id = sessions.begin(GRANT)
    moment = LIFE_SECONDS - 1.0
    found = sessions.find(session_id)
    assert found is not None
    assert (found.grant, found.owns(found.token), found.owns(""), found.owns("é")) == (GRANT, True, False, False)
    moment = float(LIFE_SECONDS)
    assert sessions.find(session_id) is None


def test_of_too_many_sessions_the_oldest_ends() -> None:
    sessions = Sessions(is_secure=False)
    begun = [sessions.begin(GRANT) for _ in range(1_001)]
    assert [index for index, one in enumerate(begun) if sessions.find(one) is None] == [0]


def test_no_id_opens_what_no_session_is() -> None:
    sessions = Sessions(is_secure=False)
    sessions.begin(GRANT)
    assert (sessions.find(""), sessions.find("x" * 10_000)) == (None, None)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.3, zh-Hans;q=0.7", "zh"),
        ("de, en-GB;q=0.5", "en"),
        ("zh;q=0", "en"),
        ("zh;q=nonsense, en;q=0.1", "en"),
        ("de", "en"),
        ("", "en"),
    ],
)
def test_the_reader_is_spoken_to_as_the_browser_asks(accepted: str, language: str) -> None:
    assert language_of(accepted) == language
