"""Large answers are read without keeping the other calls waiting, and read as small ones are."""

import asyncio
import json

import pytest

from kylink_cli.supply.answer import MAX_ANSWER_BYTES
from kylink_cli.supply.answer_reader import READ_AT_ONCE_BYTES, AnswerReader
from kylink_cli.supply.base import Supply
from kylink_cli.supply.errors import InvalidResponseError


def read(body: bytes, quantity: int = 5) -> tuple[Supply | InvalidResponseError, int]:
    """What an answer is read as, and how often somebody else was at work meanwhile."""

    async def both() -> tuple[Supply | InvalidResponseError, int]:
        reading = asyncio.create_task(AnswerReader().read(body, quantity))
        turns = 0
        while not reading.done():
            await asyncio.sleep(0.01)
            turns += 1
        error = reading.exception()
        if error is not None:
            assert isinstance(error, InvalidResponseError)
            return error, turns
        return reading.result(), turns

    return asyncio.run(both())


def filled(piece: bytes) -> bytes:
    """An answer that is as large as one may be."""
    number = (MAX_ANSWER_BYTES - 20) // (len(piece) + 1)
    return b'{"items":[' + b",".join([piece] * number) + b"]}"


@pytest.mark.parametrize("piece", [b"[]", b"{}", b"1e9", b"1", b'"a"'])
def test_others_go_on_while_a_large_answer_is_read(piece: bytes) -> None:
    _, turns = read(filled(piece))
    assert turns >= 5


def test_brackets_without_end_and_bad_json_are_invalid() -> None:
    for body in (b"[" * MAX_ANSWER_BYTES, b"{" * MAX_ANSWER_BYTES, b" " * MAX_ANSWER_BYTES, b"\xff" * MAX_ANSWER_BYTES):
        error, _ = read(body)
        assert str(error) == "the answer is not JSON in UTF-8"


def test_a_large_answer_is_read_as_a_small_one() -> None:
    items = [{"value": f"v{number}" + "x" * 3000, "expires_at": "2999-01-01T00:00:00Z"} for number in range(200)]
    body = json.dumps({"items": [*items, "", "one more"]}).encode()
    assert len(body) > READ_AT_ONCE_BYTES
    supply, _ = read(body, 201)
    assert isinstance(supply, Supply)
    assert [item.value for item in supply.items] == [*(item["value"] for item in items), "one more"]
    assert supply.items[0].expires_at is not None
    assert supply.items[0].expires_at.isoformat() == "2999-01-01T00:00:00+00:00"
    short, _ = read(body, 202)
    assert isinstance(short, Supply)
    assert str(short.fault) == "the answer holds bad items: item 201: the value is empty"
