"""A program as a supplier: `exec:/path/to/program` runs it once a call.

The order is its standard input; PROXY_API_KEY and KYLINK_IDEMPOTENCY_KEY are in its environment, and of kylink's own
environment no more than path, language, time zone, home and the place for temporary files. It answers on standard
output as an HTTP service would and exits 0; 75 means "try again", anything else refuses the order, and the last line of
standard error is the reason.
"""

import asyncio
import contextlib
import os
import shutil
import signal
from asyncio.subprocess import PIPE, Process

from kylink_cli.children import bare_environment
from kylink_cli.errors import ConfigError
from kylink_cli.language import tr
from kylink_cli.reasons import reason
from kylink_cli.rules.text import ERROR_LENGTH, one_line, without_secrets
from kylink_cli.supply.answer import MAX_ANSWER_BYTES
from kylink_cli.supply.answer_reader import AnswerReader
from kylink_cli.supply.base import Order, Supply
from kylink_cli.supply.errors import (
    CutOffError,
    InvalidResponseError,
    InWorkError,
    RefusedError,
    UnreachableError,
)

TRY_AGAIN = 75
MAX_REASON_BYTES = 64 * 1024
END_SECONDS = 2
_CHUNK = 64 * 1024


class ExecSupplier:
    """A program that is run once a call."""

    def __init__(self, program: str, key: str | None, timeout_seconds: float) -> None:
        """Name the program.

        Args:
            key: handed to it in its environment, None for none.
            timeout_seconds: limit for one whole call.

        Raises:
            ConfigError: there is no such program.
        """
        if not os.path.isabs(program):  # noqa: PTH117  (an empty one is no path)
            raise ConfigError(
                tr("PROXY_API_URL names the program {program}: write its whole path", program=one_line(program))
            )
        if shutil.which(program) is None:
            raise ConfigError(
                tr("PROXY_API_URL names the program {program}, which can't be executed", program=one_line(program))
            )
        self._program = program
        self._key = key
        self._timeout = timeout_seconds
        self._answers = AnswerReader()

    async def supply(self, order: Order) -> Supply:
        """Run the program for an order.

        Raises:
            SupplyError: nothing usable came; the class says whether asking again can help.
        """
        process = await self._start(order)
        try:
            async with asyncio.timeout(self._timeout):
                answer, complaint = await _converse(process, order.body.encode())
                code = await process.wait()
        except TimeoutError:
            raise CutOffError(
                tr("the program gave no whole answer within {timeout:g} s", timeout=self._timeout)
            ) from None
        finally:
            await _end(process)
        if len(answer) > MAX_ANSWER_BYTES:
            raise InvalidResponseError(
                tr(
                    "the answer is larger than {size} MiB",
                    size=MAX_ANSWER_BYTES // 1024 // 1024,
                )
            )
        reason = one_line(without_secrets(complaint, self._key), ERROR_LENGTH)
        if code < 0:
            raise CutOffError(tr("the program was ended by signal {code}", code=-code))
        if code == TRY_AGAIN:
            raise InWorkError(reason or tr("the program asks to try again"))
        if code != 0:
            raise RefusedError(reason or tr("the program refused with exit code {code}", code=code))
        return await self._answers.read(answer, order.quantity)

    async def check(self) -> str:
        """Look whether the program is there; it is not run.

        Raises:
            UnreachableError: it is gone.
        """
        if shutil.which(self._program) is None:
            raise UnreachableError(tr("the program {program} can't be executed", program=one_line(self._program)))
        return tr("the program {program} is there", program=one_line(self._program))

    async def close(self) -> None:
        """Nothing is kept between calls."""

    async def _start(self, order: Order) -> Process:
        own = {"KYLINK_IDEMPOTENCY_KEY": order.key} | ({"PROXY_API_KEY": self._key} if self._key else {})
        try:
            return await asyncio.create_subprocess_exec(
                self._program,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env=bare_environment() | own,
                start_new_session=True,
            )
        except OSError as error:
            raise UnreachableError(tr("the program can't be started: {reason}", reason=reason(error))) from None


async def _converse(process: Process, order: bytes) -> tuple[bytes, str]:
    """Hand in the order, and read the answer and the last line of what the program complains of; both are bounded."""
    answer, complaint, _ = await asyncio.gather(
        _read_answer(process), _read_tail(process.stderr), _write(process.stdin, order)
    )
    lines = complaint.decode("utf-8", errors="replace").strip().splitlines()
    return answer, lines[-1] if lines else ""


async def _write(stream: asyncio.StreamWriter | None, order: bytes) -> None:
    if stream is None:
        return
    # A program may decide without reading its order to the end.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.write(order)
        await stream.drain()
        stream.close()


async def _read_answer(process: Process) -> bytes:
    """All that the program prints; one that prints without end is ended, and what it had printed is too large."""
    answer = bytearray()
    while process.stdout is not None and (chunk := await process.stdout.read(_CHUNK)):
        if len(answer) <= MAX_ANSWER_BYTES:
            answer += chunk
        else:
            _kill_group(process)
    return bytes(answer)


async def _read_tail(stream: asyncio.StreamReader | None) -> bytes:
    tail = b""
    while stream is not None and (chunk := await stream.read(_CHUNK)):
        tail = (tail + chunk)[-MAX_REASON_BYTES:]
    return tail


async def _end(process: Process) -> None:
    """End the program and whatever it has started; a child that has left its group is not waited for."""
    _kill_group(process)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            # asyncio sees the end of a process only once its output is read to the end.
            await asyncio.gather(_read_tail(process.stdout), _read_tail(process.stderr))
            await process.wait()
    process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001  (the one way to close a pipe that a child holds)


def _kill_group(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
