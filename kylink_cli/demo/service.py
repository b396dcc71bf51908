"""A supply service on loopback that speaks the contract's HTTP and keeps a ledger of what it has charged."""

import asyncio
import json
import secrets
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

Behaviour = Callable[["Call"], Awaitable[web.StreamResponse | None]]
STOP_SECONDS = 2
# The event loop has time to accept who has knocked, and to tell of it.
_SETTLING_SECONDS = 0.01


@dataclass(slots=True)
class Call:
    """One call of a client, before it is charged."""

    request: web.Request
    key: str
    order: dict[str, Any]  # the JSON that was posted
    number: int  # of the campaign's calls, from 1
    service: "SupplyService"

    @property
    def campaign_id(self) -> str:
        """The campaign that the call is for."""
        return str(self.order["campaign_id"])


@dataclass
class SupplyService:
    """A service in a thread of its own, for the length of a `with` block."""

    key: str  # blank: it asks for none
    behave: Behaviour | None = None  # may answer in the place of the service, or delay it; None lets the service go on
    charges: dict[str, list[str]] = field(default_factory=dict)  # by idempotency key, the values charged
    bodies: dict[str, str] = field(default_factory=dict)  # by idempotency key, the body it came with first
    calls: dict[str, int] = field(default_factory=dict)  # by campaign
    conflicts: list[str] = field(default_factory=list)  # keys that came again with another body
    url: str = ""  # empty until it is started

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="supply-service", daemon=True)
        self._thread.start()
        self._runner: web.AppRunner = self._do(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def charge(self, call: Call) -> list[str]:
        """Charge a call, unless its key was charged before.

        Returns:
            The values that belong to the key.
        """
        if call.key not in self.charges:
            self.charges[call.key] = [f"gclid={secrets.token_hex(10)}" for _ in range(int(call.order["quantity"]))]
        return self.charges[call.key]

    def _do(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/v1/items", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_SECONDS)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1/items"
        return runner

    async def _stop(self) -> None:
        """Close every connection, also one that was accepted this moment, or whose client reads no more."""
        # What waits to be accepted becomes a connection while there is a server that it can belong to: asyncio loses
        # the socket of one that does not. Only then can it be found among the connections.
        await asyncio.sleep(_SETTLING_SECONDS)
        for site in list(self._runner.sites):
            await site.stop()
        await asyncio.sleep(_SETTLING_SECONDS)
        server = self._runner.server
        open_ones = [] if server is None else [connection.transport for connection in server.connections]
        await self._runner.cleanup()
        for transport in open_ones:
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != (f"Bearer {self.key}" if self.key else None):
            return _problem(401, "Unauthorized", "this key is not known")
        key, body = request.headers.get("Idempotency-Key", ""), await request.text()
        order = _order(body)
        if order is None or not key:
            return _problem(422, "Bad order", "the order is not what the contract says")
        if self.bodies.setdefault(key, body) != body:
            self.conflicts.append(key)
            return _problem(422, "Key used twice", "this key came with another body before")
        number = self.calls[order["campaign_id"]] = self.calls.get(order["campaign_id"], 0) + 1
        call = Call(request, key, order, number, self)
        answer = await self.behave(call) if self.behave else None
        return answer or web.json_response({"items": [{"value": value} for value in self.charge(call)]})


def _order(body: str) -> dict[str, Any] | None:
    """The order, if it is one."""
    try:
        order = json.loads(body)
    except ValueError:
        return None
    is_order = (
        isinstance(order, dict)
        and isinstance(order.get("campaign_id"), str)
        and isinstance(order.get("user_id"), str)
        and type(order.get("quantity")) is int
        and order["quantity"] > 0
    )
    return order if is_order else None


def _problem(status: int, title: str, detail: str) -> web.Response:
    document = {"title": title, "detail": detail, "status": status}
    return web.json_response(document, status=status, content_type="application/problem+json")
