"""A supply service that costs next to nothing, in a process of its own.

    python -m tests.benchmarks.service MS [EVERY]

It answers every order after the same time, but for each so many-th, which takes `SLOWER` times as long; and fails those
of campaigns whose id begins with `bad`. It keeps no books: that nothing is lost is proven by the tests.
"""

import asyncio
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

SLOWER = 20
_numbers, _calls = itertools.count(), itertools.count(1)
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_QUANTITY = re.compile(rb'"quantity": *(\d+)')
_BAD = re.compile(rb'"campaign_id": *"bad')


class _Connection(asyncio.Protocol):
    def __init__(self, latency_seconds: float, slow_every: int) -> None:
        self._latency = latency_seconds
        self._slow_every = slow_every  # 0 for none
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if _is_whole(self._received):
            answer, self._received = _answer(self._received), b""
            is_slow = self._slow_every and next(_calls) % self._slow_every == 0
            latency = self._latency * (SLOWER if is_slow else 1)
            # The event loop wakes up to a millisecond late.
            self._loop.call_later(latency - 0.001, self._transport.write, answer)


def _is_whole(request: bytes) -> bool:
    length, head_end = _LENGTH.search(request), request.find(_END)
    return length is not None and head_end >= 0 and len(request) == head_end + len(_END) + int(length[1])


def _answer(request: bytes) -> bytes:
    """The answer to an order, which is looked for in the text: to read JSON would take longer than all else."""
    if _BAD.search(request):
        return _response(b"500 Internal Server Error", b'{"title": "out of order"}')
    quantity = _QUANTITY.search(request)
    assert quantity is not None
    items = ", ".join(f'"gclid={next(_numbers):020}"' for _ in range(int(quantity[1])))
    return _response(b"200 OK", f'{{"items": [{items}]}}'.encode())


def _response(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


@contextmanager
def supply_service(latency_ms: int, slow_every: int = 0) -> Iterator[str]:
    """The service for the length of a `with` block; its URL."""
    command = [sys.executable, "-m", __name__, str(latency_ms), str(slow_every)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def _serve(latency_ms: int, slow_every: int = 0) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(latency_ms / 1000, slow_every), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}/", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(*map(int, sys.argv[1:])))
