"""The reference of the documents says what the code says."""

import pytest

from tests.support import reference


@pytest.mark.parametrize("name", ["settings.md", "commands.md", "exit-codes.md", "json.md"])
def test_the_reference_is_up_to_date(name: str) -> None:
    assert (reference.FOLDER / name).read_text(encoding="utf-8") == reference.pages()[name]
