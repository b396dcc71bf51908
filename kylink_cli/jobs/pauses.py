"""Whether a campaign was paused in mid-run: asked before each batch of calls, read once for all who ask meanwhile."""

import asyncio

from kylink_cli.errors import DatabaseReplacedError
from kylink_cli.store import campaigns
from kylink_cli.store.engine.database import Database


class Pauses:
    """What the campaigns of a run share to hear of their pauses. While one look is under way, the next gathers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looking = asyncio.Lock()
        self._next: asyncio.Task[set[str]] | None = None
        self._asked_for: set[str] = set()

    async def has(self, campaign_id: str) -> bool:
        """Whether a campaign is paused, by a look that begins after this call.

        Raises:
            DatabaseError: the database failed.
        """
        self._asked_for.add(campaign_id)
        if self._next is None:
            self._next = asyncio.create_task(self._look())
        # Others wait for the same look.
        return campaign_id in await asyncio.shield(self._next)

    async def _look(self) -> set[str]:
        async with self._looking:
            asked_for, self._asked_for, self._next = self._asked_for, set(), None
            try:
                return await asyncio.to_thread(
                    self._database.read, lambda session: campaigns.paused(session, asked_for)
                )
            except DatabaseReplacedError:
                # Nothing more is ordered; what is under way is saved by those who write it.
                return asked_for
