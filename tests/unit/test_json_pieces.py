"""A JSON document that is written piece by piece is the one that would be written as a whole."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kylink_cli.console.json_pieces import json_pieces
from kylink_cli.rules.moments import json_value
from kylink_cli.rules.vocabulary import CampaignStatus

MOMENTS = st.datetimes(timezones=st.just(UTC))
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), MOMENTS, st.sampled_from(CampaignStatus)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner), st.lists(inner).map(tuple)),
    max_leaves=20,
)
ROWS = st.lists(st.dictionaries(st.text(), SCALARS))


def whole(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2, default=json_value)


@given(st.dictionaries(st.text(), st.one_of(VALUES, ROWS)))
def test_the_pieces_are_the_whole(document: dict[str, Any]) -> None:
    assert "".join(json_pieces(document)) == whole(document)


@given(ROWS)
def test_an_iterator_stands_for_a_list(rows: list[dict[str, Any]]) -> None:
    assert "".join(json_pieces({"rows": iter(rows), "more": 1})) == whole({"rows": rows, "more": 1})


def test_rows_are_asked_for_one_at_a_time() -> None:
    asked = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal asked
        for asked in range(1, 101):
            yield {"at": datetime(2026, 1, 1, tzinfo=UTC), "number": asked}

    pieces = json_pieces({"rows": rows()})
    started = [next(pieces) for _ in range(3)]
    assert asked == 2
    assert "".join([*started, *pieces]).count("2026-01-01T00:00:00.000Z") == 100


def test_what_has_no_form_in_json_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        list(json_pieces({"rows": [{"values": {1}}]}))
