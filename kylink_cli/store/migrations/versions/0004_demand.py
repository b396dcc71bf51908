"""What consumers ask for, by the minute and by the hour, beginning with what leases and items tell; reorder points.

Revision ID: 0004
Revises: 0003
"""

import struct
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_KEPT_HOURS = 28 * 24
_AT_ONCE = 1_000
# Hours before the last one, items taken, items refused: as `store/demand_hours.py` reads it.
_PACKED = struct.Struct("<HII")
_HOUR = {
    "sqlite": "CAST(strftime('%s', substr({0}, 1, 19)) AS INTEGER) / 3600",
    "postgresql": "CAST(floor(extract(epoch FROM {0}) / 3600) AS INTEGER)",
}
# Who was refused is not known any more: who asks again within the minute counts once.
_MINUTE = {
    "sqlite": "CAST(strftime('%s', substr({0}, 1, 19)) AS INTEGER) / 60",
    "postgresql": "CAST(floor(extract(epoch FROM {0}) / 60) AS INTEGER)",
}
_DEMAND = """
SELECT campaign_id, hour, sum(taken) AS taken, sum(refused) AS refused FROM (
    SELECT campaign_id, {leased_hour} AS hour, 1 AS taken, 0 AS refused FROM leases
    WHERE state IN ('active', 'confirmed') AND leased_at > :since
    UNION ALL
    SELECT campaign_id, {consumed_hour}, 1, 0 FROM stock_items WHERE state = 'consumed' AND consumed_at > :since
    AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.item_id = stock_items.id)
    UNION ALL
    SELECT campaign_id, minute / 60, 0, 1 FROM (
        SELECT DISTINCT campaign_id, {refused_minute} AS minute FROM no_stock_events WHERE happened_at > :since
    ) refusals
) asked GROUP BY campaign_id, hour ORDER BY campaign_id, hour
"""


def _of_campaign() -> list[sa.Column[object] | sa.ForeignKeyConstraint]:
    return [
        sa.Column("campaign_id", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE"),
    ]


def upgrade() -> None:
    op.create_table(
        "demand_minutes",
        *_of_campaign(),
        sa.Column("minute", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asker", sa.String(length=200), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "minute", "asker"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "demand_hours",
        *_of_campaign(),
        sa.Column("last_hour", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id"),
    )
    op.create_index("ix_demand_hours_last_hour", "demand_hours", ["last_hour"])
    op.create_table(
        "reorder_points",
        *_of_campaign(),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("due_minute", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id"),
    )
    op.create_index("ix_reorder_points_due_minute", "reorder_points", ["due_minute"])
    _begin_with_history()


def _begin_with_history() -> None:
    connection = op.get_bind()
    dialect = connection.dialect.name
    statement = _DEMAND.format(
        leased_hour=_HOUR[dialect].format("leased_at"),
        consumed_hour=_HOUR[dialect].format("consumed_at"),
        refused_minute=_MINUTE[dialect].format("happened_at"),
    )
    asked: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    since = sa.bindparam("since", datetime.now(UTC) - timedelta(hours=_KEPT_HOURS), sa.DateTime(timezone=True))
    for campaign_id, *counts in connection.execute(sa.text(statement).bindparams(since)):
        asked[campaign_id].append((int(counts[0]), int(counts[1]), int(counts[2])))
    rows = ({"id": key, "last": hours[-1][0], "packed": _packed(hours)} for key, hours in asked.items())
    insert = sa.text("INSERT INTO demand_hours (campaign_id, last_hour, packed) VALUES (:id, :last, :packed)")
    while batch := list(islice(rows, _AT_ONCE)):
        connection.execute(insert, batch)


def _packed(hours: list[tuple[int, int, int]]) -> bytes:
    last = hours[-1][0]
    return b"".join(_PACKED.pack(last - hour, *counts) for hour, *counts in hours if hour > last - _KEPT_HOURS)


def downgrade() -> None:
    raise NotImplementedError("kylink migrates upwards only: restore a backup instead")
