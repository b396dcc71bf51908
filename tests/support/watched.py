"""A live view without a terminal: a desk of its own with a fixed scene, and what is to be seen of it."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from unittest import mock

from textual.pilot import Pilot

from kylink_cli.console.sparkline import BLOCKS
from kylink_cli.console.watch.app import WatchApp
from kylink_cli.console.watch.desk import Desk
from kylink_cli.overview.campaign import CampaignDetail
from kylink_cli.overview.watching import Filling, OpenAlert, Scene, Seen
from kylink_cli.rules.demand import Asked, DemandHistory
from kylink_cli.rules.replenishment import Level, Need, Watermark
from kylink_cli.rules.vocabulary import ItemState, WatermarkSource
from kylink_cli.store.campaign_results import PastResult
from kylink_cli.store.figures.campaign_stock import CampaignStock

INTERVAL_SECONDS = 60
NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
HOSTILE = "[red]\x1b[2Jevil[/nope]"
ARABIC = "\u062d\u0645\u0644\u0629 \u0627\u0644\u0634\u062a\u0627\u0621"


def need(campaign_id: str, available: int, name: str, *, active: bool = True, asked: int = 2) -> Need:
    """What a campaign needs that asks for so many items an hour; watermark 3, target 10."""
    hour = int(NOW.timestamp()) // 3600
    history = DemandHistory({hour - age: Asked(asked, 0) for age in range(1, 25)})
    level = Level(
        campaign_id, "u1", name, None, None, NOW, own_watermark=3, own_target=10, available=available, consumed_24h=0,
        active=active, history=history,
    )  # fmt: skip
    order = 10 - available if active and available < 3 else 0
    return Need(level, Watermark(3, WatermarkSource.OWN), 10, order, level.foresee(NOW))


def scene(number: int = 30) -> Scene:
    """So many campaigns, the first without stock and failing; an alert, and a run that fills two of them."""
    named = {0: "Spring sale", 1: HOSTILE, 2: ARABIC, 3: "\u6625\u5b63\u4fc3\u9500", 4: "x" * 5000}
    needs = [need(f"c{at:02}", at % 11, named.get(at, f"Winter {at}"), active=at != 5) for at in range(number)]
    campaigns = [Seen(one, "unknown campaign" if at == 0 else None) for at, one in enumerate(needs)]
    alerts = [OpenAlert(7, "WARNING", "open", "1 campaign is empty", NOW - timedelta(minutes=5))]
    return Scene(NOW, True, [], MappingProxyType({}), [], campaigns, alerts if number else [])


@dataclass
class Office:
    """A desk that shows one scene, and notes what it is told to do."""

    scene: Scene = field(default_factory=scene)
    error: Exception | None = None
    done: list[tuple[str, object]] = field(default_factory=list)
    looks: int = 0

    def desk(self) -> Desk:
        """The desk."""
        return Desk(self._look, self._look_at, self._replenish, self._set_paused, self._acknowledge)

    def _look(self) -> Scene:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return self.scene

    def _look_at(self, campaign_id: str) -> CampaignDetail | None:
        [seen] = [one for one in self.scene.campaigns if one.campaign_id == campaign_id]
        stock = CampaignStock(seen.need.level, 1, NOW - timedelta(hours=2), seen.last_error)
        run = PastResult(12, NOW - timedelta(minutes=12), "failed", 10, 0, "unknown campaign")
        items: dict[str, int] = dict.fromkeys(ItemState, 0)
        return CampaignDetail(NOW, stock, seen.need, items, 0, 0, [1] * 24, [run], [])

    def _replenish(self, campaign_id: str) -> "Ended":
        self.done.append(("replenish", campaign_id))
        return Ended()

    def _set_paused(self, campaign_id: str, paused: bool) -> None:
        self.done.append(("pause" if paused else "resume", campaign_id))

    def _acknowledge(self, alert_id: int) -> str:
        self.done.append(("acknowledge", alert_id))
        self.scene = replace(self.scene, alerts=[])
        return "alert 7: acknowledged"


class Ended:
    """A replenishment that is over."""

    def ended(self) -> str:
        """What came of it."""
        return "campaign c00: 10 items"


FILLING = (Filling("c00", "Spring sale", 4, 10), Filling("c01", HOSTILE, 0, 9))


def lines(app: WatchApp) -> list[str]:
    """What is to be seen, a row each."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


def watched(
    office: Office,
    size: tuple[int, int],
    keys: Sequence[str] = (),
    then: Callable[[Pilot[None]], Awaitable[None]] | None = None,
) -> list[str]:
    """What is to be seen after keys, or after something else that a person does.

    Args:
        size: columns and rows.
    """

    async def run() -> list[str]:
        app = WatchApp(office.desk(), INTERVAL_SECONDS, BLOCKS)
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            for key in keys:
                await pilot.press(key)
                await settled(pilot)
            if then is not None:
                await then(pilot)
                await settled(pilot)
            return lines(app)

    with in_utc():
        return asyncio.run(run())


@contextmanager
def in_utc() -> Iterator[None]:
    """See moments as in UTC, wherever the tester is."""
    with mock.patch.dict(os.environ, {"TZ": "UTC"}):
        time.tzset()
        yield
    time.tzset()


async def settled(pilot: Pilot[None]) -> None:
    """Wait until nothing is read or drawn any more."""
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()
