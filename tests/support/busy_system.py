"""A kylink with a past: campaigns, items, runs, supply requests, leases and alerts of a week."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, insert

from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import Alert, AlertUser, Campaign, LeaseRecord, Run, StockItem, SupplyRequest, table
from tests.support.database import LONG_AGO

HOSTILE = "</script><img src=x onerror=alert(1)>"
_JOBS = (("stock_replenish", 10, 90_000), ("lease_recovery", 5, 120), ("monitoring_alert", 10, 400))
_NAMES = ("Spring sale", "Outdoor shoes", "Coffee machines", "春季促销", "Garden tools", HOSTILE, "Tea & biscuits")


def fill(database: Database, *, campaigns: int = 40, days: int = 7, now: datetime | None = None) -> datetime:
    """Fill an empty database with a week of work, the same each time.

    Args:
        database: the database.
        campaigns: how many; each seventh has a hostile name, each fortieth is paused.
        days: how long the past is.
        now: when the past ends; this moment if nothing is said.

    Returns:
        When the past ends.
    """
    chance, now = random.Random(7), now or datetime.now(UTC).replace(microsecond=0)
    _insert(database, Campaign, _campaigns(campaigns, now))
    _insert(database, StockItem, _items(chance, campaigns, days, now))
    _insert(database, Run, _runs(chance, days, now))
    _insert(database, SupplyRequest, _requests(chance, campaigns, days, now))
    _insert(database, LeaseRecord, _leases(now))
    _insert(database, Alert, _alerts(chance, days, now))
    _insert(database, AlertUser, ({"alert_id": number, "user_id": f"user{number % 3}"} for number in range(1, 21)))
    return now


def _insert(database: Database, model: Any, rows: Iterator[dict[str, Any]]) -> None:
    target: Table = table(model)
    with database.writing() as session:
        session.connection().execute(insert(target), list(rows))


def _campaigns(number: int, now: datetime) -> Iterator[dict[str, Any]]:
    for index in range(number):
        yield {
            "id": str(1000 + index),
            "user_id": f"user{index % 3}",
            "name": f"{_NAMES[index % len(_NAMES)]} {index}",
            "status": "paused" if index % 40 == 39 else "active",
            "created_at": LONG_AGO,
            "last_replenished_at": now,
        }


def _items(chance: random.Random, campaigns: int, days: int, now: datetime) -> Iterator[dict[str, Any]]:
    for index in range(campaigns):
        campaign_id = str(1000 + index)
        for _ in range(min(chance.randrange(0, 31), index // 2)):
            yield _item(campaign_id, chance, now + timedelta(hours=24), None)
    for hour in range(days * 24):
        moment = now - timedelta(hours=hour, minutes=20)
        for _ in range(
            int(4 + 12 * (8 <= moment.hour < 20) * (1 if moment.weekday() < 5 else 0.4) + chance.random() * 4)
        ):
            yield _item(str(1000 + chance.randrange(0, campaigns)), chance, now, moment)


def _item(
    campaign_id: str, chance: random.Random, expires_at: datetime, consumed_at: datetime | None
) -> dict[str, Any]:
    return {
        "campaign_id": campaign_id,
        "value": f"gclid={chance.getrandbits(96):024x}",
        "state": "available" if consumed_at is None else "consumed",
        "created_at": expires_at - timedelta(hours=48),
        "expires_at": expires_at,
        "consumed_at": consumed_at,
        "expirations": 0,
    }


def _runs(chance: random.Random, days: int, now: datetime) -> Iterator[dict[str, Any]]:
    for job, minutes, usual_ms in _JOBS:
        for index in reversed(range(days * 24 * 60 // minutes)):
            started_at = now - timedelta(minutes=minutes * index + 3)
            status = chance.choices(("succeeded", "partial", "failed", "crashed"), (90, 7, 2, 1))[0]
            duration_ms = int(usual_ms * chance.lognormvariate(0, 0.6))
            yield {
                "job": job,
                "trigger": "timer",
                "host": "host-1",
                "pid": 1,
                "status": status,
                "started_at": started_at,
                "heartbeat_at": started_at,
                "finished_at": started_at + timedelta(milliseconds=duration_ms),
                "duration_ms": None if status == "crashed" else duration_ms,
                "figures": {},
            }


def _requests(chance: random.Random, campaigns: int, days: int, now: datetime) -> Iterator[dict[str, Any]]:
    for index in range(days * 24 * 12):
        created_at = now - timedelta(minutes=5 * index + 1)
        state = chance.choices(("answered", "refused", "in_doubt"), (95, 4, 1))[0]
        yield {
            "key": f"key-{index}",
            "campaign_id": str(1000 + index % campaigns),
            "quantity": 1,
            "body": json.dumps({}),
            "state": state,
            "created_at": created_at,
            "finished_at": created_at + timedelta(seconds=chance.lognormvariate(-0.5, 0.8)),
            "produced": int(state == "answered"),
            "duplicates": 0,
        }


def _leases(now: datetime) -> Iterator[dict[str, Any]]:
    states = ("active", "confirmed", "confirmed", "released", "expired")
    for index in range(25):
        state = states[index % len(states)]
        yield {
            "token": f"token-{index}",
            "campaign_id": "1000",
            "item_id": index + 1,
            "state": state,
            "key_index": 0,
            "leased_at": now - timedelta(minutes=20),
            "expires_at": now + timedelta(minutes=5 if index else -5),
            "closed_at": None if state == "active" else now - timedelta(minutes=2),
        }


def _alerts(chance: random.Random, days: int, now: datetime) -> Iterator[dict[str, Any]]:
    types = ("STOCK_REPLENISH_FAILED", "LOW_STOCK", "HIGH_FAILURE_RATE", "SYSTEM_HEALTH")
    for index in range(20):
        seen = now - timedelta(hours=chance.randrange(0, days * 24))
        is_over = index > 4
        yield {
            "type": types[index % len(types)],
            "level": ("INFO", "WARNING", "ERROR")[index % 3],
            "state": "resolved" if is_over else "open",
            "fingerprint": f"{types[index % len(types)]}:{index}",
            "title": f"{index + 1} campaigns are below their watermark {HOSTILE if index == 1 else ''}".strip(),
            "message": "a message",
            "metadata": {},
            "count": index + 1,
            "first_seen_at": seen,
            "last_seen_at": now,
            "resolved_at": now if is_over else None,
            "announced": False,
        }
