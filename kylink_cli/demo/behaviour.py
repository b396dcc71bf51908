"""How the demo's supply service treats its sample campaigns."""

import asyncio

from aiohttp import web

from kylink_cli.demo.sample import ALWAYS_FAILING, FLAKY
from kylink_cli.demo.service import Call, SupplyService

LATENCY_SECONDS = 0.15
FLAKY_FAILURES = 5


async def treat(call: Call) -> web.StreamResponse | None:
    """Answer with a small delay; one campaign's supply always fails, another's fails at first."""
    await asyncio.sleep(LATENCY_SECONDS)
    if call.campaign_id == ALWAYS_FAILING:
        return web.json_response({"title": "Out of order", "detail": "the roaster is broken"}, status=500)
    if call.campaign_id == FLAKY and call.number <= FLAKY_FAILURES:
        return web.json_response({"title": "Try again", "detail": "we are restarting"}, status=503)
    return None


def sample_service(key: str) -> SupplyService:
    """The demo's service, to be entered as a context.

    Args:
        key: what its client has to send.
    """
    return SupplyService(key, treat)
