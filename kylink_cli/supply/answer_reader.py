"""Reads answers without keeping the other calls waiting.

Eight mebibytes of brackets take two seconds to read, in which nothing else of the process can move. So what is larger
than an answer is as a rule is read by a process of its own (`supply/answer_child.py`), one at a time.
"""

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property

from kylink_cli.children import bare_environment, own_command
from kylink_cli.language import tr
from kylink_cli.supply.answer import parse_answer
from kylink_cli.supply.base import SuppliedItem, Supply
from kylink_cli.supply.errors import InvalidResponseError

READ_AT_ONCE_BYTES = 256 * 1024
_SECONDS = 60


class AnswerReader:
    """Reads the answers of one supplier."""

    async def read(self, body: bytes, quantity: int) -> Supply:
        """Read an answer (contract, section 5).

        Args:
            body: the whole answer.
            quantity: items that were asked for.

        Raises:
            InvalidResponseError: it can't be read, holds bad items alone, or takes more than it may.
        """
        now = datetime.now(UTC)
        if len(body) <= READ_AT_ONCE_BYTES:
            return parse_answer(body, quantity, now)
        async with self._turn:
            return _supply(await _told(body, [str(quantity), now.isoformat()]))

    @cached_property
    def _turn(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(1)


async def _told(body: bytes, arguments: list[str]) -> bytes:
    """What the process says of an answer; nothing if it came to its limits."""
    command = [*own_command("kylink_cli.supply.answer_child"), *arguments]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=bare_environment(), cwd="/"
    )
    try:
        async with asyncio.timeout(_SECONDS):
            told, _ = await process.communicate(body)
    except TimeoutError:
        return b""
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    return told


def _supply(told: bytes) -> Supply:
    if not told:
        raise InvalidResponseError(tr("the answer takes more time or memory to read than it may"))
    found = json.loads(told)
    if "error" in found:
        raise InvalidResponseError(found["error"])
    items = [SuppliedItem(value, end and datetime.fromisoformat(end)) for value, end in found["items"]]
    fault = found["fault"] and InvalidResponseError(found["fault"])
    return Supply(tuple(items), found["surplus"], fault)
