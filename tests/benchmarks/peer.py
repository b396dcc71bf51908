"""What a good engineer writes in an hour: `python -m tests.benchmarks.peer DATABASE URL CALLS_IN_FLIGHT`.

One client, one semaphore over all calls, and a commit for each answer. Nothing is recorded before it is sent, nothing
is tried again, and no second process may run beside it.
"""

import asyncio
import sqlite3
import sys
from datetime import UTC, datetime, timedelta

import httpx

ITEMS = 10
_STORE = "INSERT INTO stock_items (campaign_id, value, state, created_at, expires_at) VALUES (?, ?, ?, ?, ?)"


async def main(path: str, url: str, calls_in_flight: int) -> None:
    """Fill every campaign with ten items, one item a call."""
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("PRAGMA synchronous = FULL")
        campaigns = [row[0] for row in database.execute("SELECT id FROM campaigns")]
        slots = asyncio.Semaphore(calls_in_flight)
        limits = httpx.Limits(max_connections=calls_in_flight, max_keepalive_connections=calls_in_flight)
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:

            async def call(campaign: str) -> None:
                async with slots:
                    order = {"campaign_id": campaign, "user_id": "u1", "quantity": 1}
                    answer = (await client.post(url, json=order)).raise_for_status()
                now = datetime.now(UTC)
                [value] = answer.json()["items"]
                ends = now + timedelta(hours=48)
                database.execute(_STORE, (campaign, value, "available", str(now), str(ends)))

            await asyncio.gather(*(call(campaign) for campaign in campaigns for _ in range(ITEMS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
