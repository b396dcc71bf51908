"""The plain scheme beside kylink: `python -m tests.benchmarks.reference DATABASE URL DELAY_SECONDS`.

Three campaigns at once, each with five calls at once over one shared client; what fails is tried again after a delay,
which it waits for in its slot. Nothing is recorded before it is sent, and a campaign's items are stored when all are
there.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import httpx
from sqlmodel import Session, create_engine, select

from kylink_cli.store.tables import Campaign, StockItem

CAMPAIGNS_AT_ONCE = 3
CALLS_AT_ONCE = 5
ITEMS = 10
TRIES = 3


async def main(database: str, url: str, delay_seconds: float) -> None:
    """Fill every campaign."""
    engine = create_engine(f"sqlite:///{database}")
    with Session(engine) as session:
        campaigns = session.exec(select(Campaign.id)).all()
    slots = asyncio.Semaphore(CAMPAIGNS_AT_ONCE)
    async with httpx.AsyncClient() as client:

        async def call(campaign: str, calls: asyncio.Semaphore) -> str:
            order = {"campaign_id": campaign, "user_id": "u1", "quantity": 1}
            async with calls:
                response = await client.post(url, json=order)
            response.raise_for_status()
            return str(response.json()["items"][0])

        async def fill(campaign: str) -> None:
            async with slots:
                for attempt in range(TRIES):
                    calls = asyncio.Semaphore(CALLS_AT_ONCE)
                    try:
                        values = await asyncio.gather(*[call(campaign, calls) for _ in range(ITEMS)])
                    except httpx.HTTPError:
                        if attempt < TRIES - 1:
                            await asyncio.sleep(delay_seconds)
                        continue
                    store(campaign, values)
                    return

        def store(campaign: str, values: list[str]) -> None:
            now = datetime.now(UTC)
            end = now + timedelta(hours=48)
            with Session(engine) as session:
                for value in values:
                    item = StockItem(
                        campaign_id=campaign, value=value, state="available", created_at=now, expires_at=end
                    )
                    session.add(item)
                session.commit()

        await asyncio.gather(*[fill(campaign) for campaign in campaigns])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
