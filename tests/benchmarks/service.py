"""A supply service that costs next to nothing, in a process of its own: `python -m tests.benchmarks.service MS`.

It answers every order after the same time, and fails those of campaigns whose id begins with `bad`. It keeps no books:
that nothing is lost is proven by the tests.
"""

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

_numbers = itertools.count()
_LENGTH = b"content-length:"


class _Connection(asyncio.Protocol):
    def __init__(self, latency_seconds: float) -> None:
        # The event loop wakes up to a millisecond late.
        self._latency = latency_seconds - 0.001
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end or len(rest) < (length := _body_length(head)):
            return
        self._received = rest[length:]
        answer = _answer(json.loads(rest[:length]))
        asyncio.get_running_loop().call_later(self._latency, self._transport.write, answer)


def _body_length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next(int(line.removeprefix(_LENGTH)) for line in lines if line.startswith(_LENGTH))


def _answer(order: dict[str, object]) -> bytes:
    if str(order["campaign_id"]).startswith("bad"):
        return _response("500 Internal Server Error", {"title": "out of order"})
    quantity = cast("int", order["quantity"])
    return _response("200 OK", {"items": [f"gclid={next(_numbers):020}" for _ in range(quantity)]})


def _response(status: str, document: object) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@contextmanager
def supply_service(latency_ms: int) -> Iterator[str]:
    """The service for the length of a `with` block; its URL."""
    command = [sys.executable, "-m", __name__, str(latency_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def _serve(latency_ms: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(latency_ms / 1000), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}/", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
