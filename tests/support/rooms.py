"""Four rooms that an operator may walk into, each with a past that fits together, the same each time.

`WEEK`: 60 campaigns over a week, three of them empty, with an outage of the service, crashes and a host that was off.
`LARGE`: 5,000 campaigns over a day. `EMPTY`: nothing at all. `FAILING`: 29 empty campaigns, and every replenish run of
a week failed.

`furnish` fills a database by playing the days in steps of ten minutes: consumers take what there is and are refused
the rest, a run orders up to ten, items expire. Demand stays in its minutes, which statements can add up.
"""

import json
import math
import random
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import (
    Alert,
    AlertUser,
    Campaign,
    CampaignResult,
    DemandMinute,
    LeaseRecord,
    NoStockEvent,
    Run,
    StockItem,
    SupplyRequest,
    table,
)

STEP = timedelta(minutes=10)
LIFE = timedelta(hours=48)
HOSTILE = "</script><img src=x onerror=alert(1)>"
NO_BALANCE = "the supply service refuses the request (402): the balance is used up"
UNKNOWN = "the supply service refuses the request (404): unknown campaign"
UNREACHABLE = "the supply service can't be reached: connection refused"
NOTHING_NEW = "the supply service supplied nothing new"
CRASHED = "the process died without recording an end"

_LAST_HOUR = 20  # the hour of the day at which a past ends, for how much is asked for
_NAMES = ("Spring sale", "Outdoor shoes", "Coffee machines", "春季促销", "Garden tools", HOSTILE, "Tea & biscuits")
_WATERMARK, _TARGET = 3, 10


@dataclass(frozen=True)
class Room:
    """What a room's past is made of; moments are hours before now.

    Attributes:
        campaigns: how many; the first has the id 1000, each fortieth is paused.
        days: how long the past is.
        busy: items an hour that consumers ask of the busiest campaign; the next ones are asked less and less.
        broken: by campaign, since how many hours its orders are refused, and with which error.
        outage: from when until when the service can't be reached.
        off: from when until when the host is off, and nobody asks for anything.
        crashes: hours of the replenish runs that died.
    """

    campaigns: int
    days: int
    busy: float = 4.0
    broken: Mapping[int, tuple[float, str]] = field(default_factory=dict)
    outage: tuple[float, float] = (0, 0)
    off: tuple[float, float] = (0, 0)
    crashes: tuple[float, ...] = ()


WEEK = Room(
    campaigns=60,
    days=7,
    broken={0: (30, NO_BALANCE), 1: (75, NO_BALANCE), 7: (50, UNKNOWN)},
    outage=(52, 48),
    off=(101, 94),
    crashes=(130.5, 30.5),
)
LARGE = Room(campaigns=5_000, days=1, busy=2.0, broken=dict.fromkeys(range(0, 5_000, 250), (30, UNKNOWN)))
EMPTY = Room(campaigns=0, days=0)
FAILING = Room(campaigns=29, days=7, busy=1.0, outage=(24 * 8, -1))


def furnish(database: Database, room: Room, now: datetime | None = None) -> datetime:
    """Fill an empty database with a room's past.

    Args:
        now: when the past ends; this moment if nothing is said.

    Returns:
        When the past ends.
    """
    now = now or datetime.now(UTC).replace(microsecond=0)
    past = _Past(room, now)
    past.play()
    with database.writing() as session:
        for model, rows in past.rows.items():
            session.connection().execute(insert(table(model)), [_unnumbered(model, row) for row in rows])
    return now


def _unnumbered(model: Any, row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is inserted: in this order it gets its number anyway, and a server goes on counting from there."""
    return row if model is Campaign else {name: value for name, value in row.items() if name != "id"}


class _Past:
    def __init__(self, room: Room, now: datetime) -> None:
        self.rows: dict[Any, list[dict[str, Any]]] = {}
        self._room = room
        self._now = now
        self._chance = random.Random(20)
        self._stock: list[deque[dict[str, Any]]] = [deque() for _ in range(room.campaigns)]
        self._errors: dict[int, str | None] = dict.fromkeys(range(room.campaigns))
        self._filled_at: dict[int, datetime | None] = dict.fromkeys(range(room.campaigns))
        self._numbers: dict[Any, int] = defaultdict(int)

    def play(self) -> None:
        """Let the days pass."""
        steps = self._room.days * 24 * 6
        self.rows[Campaign] = []
        for model in (Run, StockItem, SupplyRequest, CampaignResult, LeaseRecord):
            self.rows[model] = []
        for step in range(steps):
            began = self._now - STEP * (steps - step) + timedelta(minutes=1)
            if self._is_within(began, self._room.off):
                continue
            self._expire(began)
            self._demand(began)
            self._replenish(began + timedelta(minutes=5))
            self._other_jobs(began)
        if self._room.campaigns:
            self._held_leases()
            self._alerts()
        self.rows[Campaign].extend(self._campaign(index) for index in range(self._room.campaigns))
        self.rows = {model: rows for model, rows in self.rows.items() if rows}

    def _is_within(self, moment: datetime, hours: tuple[float, float]) -> bool:
        age = (self._now - moment) / timedelta(hours=1)
        return hours[1] <= age < hours[0]

    def _add(self, model: Any, **values: Any) -> dict[str, Any]:
        if model in {Run, StockItem, SupplyRequest, LeaseRecord, Alert}:
            self._numbers[model] += 1
            values["id"] = self._numbers[model]
        self.rows.setdefault(model, []).append(values)
        return values

    def _campaign(self, index: int) -> dict[str, Any]:
        return {
            "id": str(1000 + index),
            "user_id": f"user{index % 3}",
            "name": f"{_NAMES[index % len(_NAMES)]} {index}",
            "status": "paused" if index % 40 == 39 else "active",
            "created_at": self._now - timedelta(days=30),
            "low_watermark": _WATERMARK,
            "target_stock": _TARGET,
            "last_replenished_at": self._filled_at[index],
            "last_error": self._errors[index],
        }

    def _expire(self, moment: datetime) -> None:
        for stock in self._stock:
            while stock and stock[0]["expires_at"] <= moment:
                stock.popleft()["state"] = "expired"

    def _demand(self, began: datetime) -> None:
        # Counted back from the end, so that a room is the same at any time of the day.
        hour = (_LAST_HOUR - (self._now - began) // timedelta(hours=1)) % 24
        of_day = 0.4 + 1.2 * (8 <= hour < 20)
        for index in range(self._room.campaigns):
            asked = self._poisson(self._room.busy / (1 + index) ** 0.8 * of_day * STEP.seconds / 3600)
            if asked:
                self._ask(index, asked, began + timedelta(seconds=self._chance.randrange(240)))

    def _ask(self, index: int, asked: int, moment: datetime) -> None:
        campaign_id, stock = str(1000 + index), self._stock[index]
        taken = min(asked, len(stock))
        for _ in range(taken):
            item = stock.popleft()
            item |= {"state": "consumed", "consumed_at": moment + timedelta(seconds=30)}
            self._lease(campaign_id, item["id"], "confirmed", moment, closed_at=moment + timedelta(seconds=30))
        minute = int(moment.timestamp() // 60)
        counted = {"campaign_id": campaign_id, "minute": minute, "asker": ""}
        self._add(DemandMinute, **counted, taken=taken, refused=asked - taken)
        if asked > taken:
            self._add(NoStockEvent, campaign_id=campaign_id, happened_at=moment)

    def _lease(self, campaign_id: str, item_id: int, state: str, moment: datetime, **ends: Any) -> None:
        self._add(
            LeaseRecord,
            token=f"token-{self._numbers[LeaseRecord]}",
            campaign_id=campaign_id,
            item_id=item_id,
            state=state,
            key_index=0,
            leased_at=moment,
            expires_at=moment + timedelta(minutes=15),
            closed_at=ends.get("closed_at"),
        )

    def _replenish(self, began: datetime) -> None:
        run = self._run("stock_replenish", began)
        if any(abs((self._now - began) / timedelta(hours=1) - age) < 1 / 12 for age in self._room.crashes):
            run |= {"status": "crashed", "duration_ms": None, "error": CRASHED}
            return
        low = [index for index, stock in enumerate(self._stock) if index % 40 != 39 and len(stock) < _WATERMARK]
        is_down = self._is_within(began, self._room.outage)
        errors = {index: UNREACHABLE if is_down else self._refusal(index, began) for index in low}
        for index in low:
            self._fill(run["id"], index, began, errors[index])
        self._end(run, len(low), [error for error in errors.values() if error])

    def _refusal(self, index: int, moment: datetime) -> str | None:
        hours, error = self._room.broken.get(index, (0, ""))
        return error if self._is_within(moment, (hours, 0)) else None

    def _fill(self, run_id: int, index: int, began: datetime, error: str | None) -> None:
        campaign_id, before = str(1000 + index), len(self._stock[index])
        ordered, produced = _TARGET - before, 0 if error else _TARGET - before
        if produced and self._chance.random() < 1 / 25:
            produced, error = _WATERMARK - before, NOTHING_NEW
        ended = began + timedelta(seconds=self._chance.lognormvariate(0.5, 0.8))
        request = self._request(campaign_id, run_id, (ordered, produced), (began, ended), error)
        for _ in range(produced):
            item = self._add(
                StockItem,
                campaign_id=campaign_id,
                value=f"gclid={self._chance.getrandbits(96):024x}",
                state="available",
                created_at=ended,
                expires_at=ended + LIFE,
                consumed_at=None,
                supply_request_id=request,
            )
            self._stock[index].append(item)
        self._errors[index] = error
        self._filled_at[index] = ended if produced else self._filled_at[index]
        self._add(
            CampaignResult,
            run_id=run_id,
            campaign_id=campaign_id,
            status="succeeded" if error is None else "partial" if produced else "failed",
            available_before=before,
            watermark=_WATERMARK,
            target=_TARGET,
            ordered=ordered,
            produced=produced,
            available_after=before + produced,
            attempts=3 if error else 1,
            error=error,
        )

    def _request(
        self, campaign_id: str, run_id: int, items: tuple[int, int], at: tuple[datetime, datetime], error: str | None
    ) -> int:
        """A request that was answered or refused; one of an outage is cancelled, as no byte was sent."""
        number: int = self._add(
            SupplyRequest,
            key=f"key-{self._numbers[SupplyRequest]}",
            campaign_id=campaign_id,
            run_id=run_id,
            quantity=items[0],
            body=json.dumps({"campaign_id": campaign_id}),
            state="answered" if items[1] else "cancelled" if error == UNREACHABLE else "refused",
            created_at=at[0],
            finished_at=at[1],
            produced=items[1],
            duplicates=0,
            error=None if items[1] else error,
        )["id"]
        return number

    def _end(self, run: dict[str, Any], total: int, errors: list[str]) -> None:
        status = "succeeded" if not errors else "failed" if len(errors) == total else "partial"
        figures = {"total": total, "succeeded": total - len(errors), "failed": len(errors), "partial": 0}
        error = f"{len(errors)} of {total} campaigns failed, the first: {errors[0]}" if errors else None
        run |= {"status": status, "error": error, "figures": figures | {"skipped": 0, "not_served": 0}}

    def _run(self, job: str, began: datetime) -> dict[str, Any]:
        usual = {"stock_replenish": 20_000, "lease_recovery": 120, "monitoring_alert": 400}[job]
        duration_ms = int(usual * self._chance.lognormvariate(0, 0.6))
        return self._add(
            Run,
            job=job,
            trigger="timer",
            host="host-1",
            pid=1,
            status="succeeded",
            started_at=began,
            heartbeat_at=began,
            finished_at=began + timedelta(milliseconds=duration_ms),
            duration_ms=duration_ms,
            figures={},
            error=None,
        )

    def _other_jobs(self, began: datetime) -> None:
        for job, minutes in (("lease_recovery", 2), ("lease_recovery", 7), ("monitoring_alert", 4)):
            self._run(job, began + timedelta(minutes=minutes))

    def _held_leases(self) -> None:
        """A few that consumers hold, one of them past its deadline."""
        for index, stock in enumerate(self._stock[:40]):
            if index % 8 == 5 and stock:
                item = stock.popleft()
                item["state"] = "leased"
                age = timedelta(minutes=17 if index == 5 else 3)
                moment = self._now - age
                self._lease(str(1000 + index), item["id"], "active", moment)
                minute = int(moment.timestamp() // 60)
                self._add(DemandMinute, campaign_id=str(1000 + index), minute=minute, asker="held", taken=1, refused=0)

    def _alerts(self) -> None:
        empty = [index for index, stock in enumerate(self._stock) if not stock and index % 40 != 39]
        failed = [index for index, error in self._errors.items() if error]
        if empty:
            self._alert("LOW_STOCK", f"{len(empty)} campaigns are empty", 75, empty)
        if failed:
            self._alert("STOCK_REPLENISH_FAILED", f"{len(failed)} campaigns could not be filled", 50, failed)
        self._alert("SYSTEM_HEALTH", f"a run died {HOSTILE}", 130, [], resolved=True)

    def _alert(self, type_: str, title: str, hours: float, about: Iterable[int], *, resolved: bool = False) -> None:
        seen = self._now - timedelta(hours=hours)
        alert = self._add(
            Alert,
            type=type_,
            level="ERROR" if type_ == "STOCK_REPLENISH_FAILED" else "WARNING",
            state="resolved" if resolved else "open",
            fingerprint=type_,
            title=title,
            message=title,
            metadata={},
            count=12,
            first_seen_at=seen,
            last_seen_at=self._now - timedelta(minutes=4),
            resolved_at=seen + timedelta(hours=1) if resolved else None,
            announced=True,
        )
        for user in sorted({index % 3 for index in about}):
            self._add(AlertUser, alert_id=alert["id"], user_id=f"user{user}")

    def _poisson(self, mean: float) -> int:
        limit, product, number = math.exp(-mean), self._chance.random(), 0
        while product > limit:
            product *= self._chance.random()
            number += 1
        return number
