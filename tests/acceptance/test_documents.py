"""JSON documents are a promise: keys are added, never renamed or taken away."""

import pytest

from tests.support.documents import DAY, found, recorded
from tests.unit.test_commands import COMMANDS, WITHOUT_JSON

# What needs a second database, a new host, systemd or cron; their own tests read the documents.
ELSEWHERE = {
    "kylink db copy",
    "kylink setup",
    *(path for path in COMMANDS if path.startswith(("kylink systemd ", "kylink cron "))),
}


@pytest.fixture(scope="module")
def keys() -> set[str]:
    return found()


def test_no_key_of_a_document_is_lost_or_renamed(keys: set[str]) -> None:
    assert sorted(recorded() - keys) == []


def test_new_keys_are_promised_too(keys: set[str]) -> None:
    new = sorted(keys - recorded())
    assert new == [], "record them: python -m tests.support.documents"


def test_every_document_is_looked_at() -> None:
    looked_at = {path for path in COMMANDS if any(f"kylink {line} ".startswith(f"{path} ") for line in DAY)}
    assert set(COMMANDS) - WITHOUT_JSON - ELSEWHERE - looked_at == set()
