"""The tables, as SQLModel classes; `table` gives the same ones to statements. Their indexes are in `indexes.py`.

Changing one needs a migration beside it, in `migrations/versions/`.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Enum,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    case,
    false,
    literal,
    literal_column,
    text,
)
from sqlmodel import Field, SQLModel

from kylink_cli.rules.vocabulary import (
    AlertLevel,
    AlertState,
    CampaignStatus,
    ItemState,
    LeaseState,
    RequestState,
    ResultStatus,
    RunStatus,
    Trigger,
)

# SQLite counts rows in 64 bits only under the name INTEGER.
_BIG = BigInteger().with_variant(Integer, "sqlite")


def utc_text(moment: datetime | None) -> str | None:
    """A moment as SQLite keeps it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in Python, a timestamp with time zone on PostgreSQL, UTC text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Hand the database UTC."""
        return None if value is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Any:
        """SQLite is handed text without a zone at once; by way of SQLAlchemy's own type that takes thrice as long."""
        return utc_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give Python an aware moment."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def _choice(words: type[StrEnum], name: str) -> Enum:
    """A text column that holds one of these words, checked by the database."""
    return Enum(*[word.value for word in words], name=name, native_enum=False, create_constraint=True, length=16)


class Campaign(SQLModel, table=True):
    """What consumes stock."""

    __tablename__ = "campaigns"

    id: str = Field(sa_column=Column(String(200), primary_key=True))
    user_id: str = Field(sa_column=Column(String(200), nullable=False, index=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(
        default=CampaignStatus.ACTIVE, sa_column=Column(_choice(CampaignStatus, "campaign_status"), nullable=False)
    )
    country: str | None = Field(default=None, sa_column=Column(String(100)))
    source_url: str | None = Field(default=None, sa_column=Column(Text))
    low_watermark: int | None = Field(default=None, sa_column=Column(Integer))
    target_stock: int | None = Field(default=None, sa_column=Column(Integer))
    order_limit: int | None = Field(default=None, sa_column=Column(Integer))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    last_replenished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    last_error: str | None = Field(default=None, sa_column=Column(Text))


class StockItem(SQLModel, table=True):
    """One single-use value of one campaign."""

    __tablename__ = "stock_items"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("campaign_id", "value", name="uq_stock_items_campaign_id_value").ddl_if(dialect="sqlite"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True))
    campaign_id: str = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False))
    value: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(default=ItemState.AVAILABLE, sa_column=Column(_choice(ItemState, "item_state"), nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    consumed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    supply_request_id: int | None = Field(default=None, sa_column=Column(_BIG))
    expirations: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    reason: str | None = Field(default=None, sa_column=Column(Text))  # why it was discarded, if not for its leases


class LeaseRecord(SQLModel, table=True):
    """A time-limited, exclusive hold on one item by one consumer, named by a secret token."""

    __tablename__ = "leases"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("campaign_id", "idempotency_key", "key_index", name="uq_leases_idempotency_key"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True))
    token: str = Field(sa_column=Column(String(64), nullable=False, unique=True))
    campaign_id: str = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False))
    item_id: int = Field(sa_column=Column(ForeignKey("stock_items.id", ondelete="CASCADE"), nullable=False))
    holder: str | None = Field(default=None, sa_column=Column(String(200)))
    idempotency_key: str | None = Field(default=None, sa_column=Column(String(200)))
    key_index: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    state: str = Field(default=LeaseState.ACTIVE, sa_column=Column(_choice(LeaseState, "lease_state"), nullable=False))
    leased_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    closed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    error: str | None = Field(default=None, sa_column=Column(Text))


class NoStockEvent(SQLModel, table=True):
    """A consumer asked for an item, and the campaign had none."""

    __tablename__ = "no_stock_events"
    id: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True))
    campaign_id: str = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False))
    happened_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class DemandMinute(SQLModel, table=True):
    """What consumers asked of a campaign in one minute, until it is folded into the campaign's hours.

    `asker` is empty, but for refusals of a consumer that gave a name, which counts once a minute.
    """

    __tablename__ = "demand_minutes"
    __table_args__: ClassVar[Any] = {"sqlite_with_rowid": False}

    campaign_id: str = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True))
    minute: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    asker: str = Field(default="", sa_column=Column(String(200), primary_key=True, default=""))
    taken: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    refused: int = Field(default=0, sa_column=Column(Integer, nullable=False))


class DemandHours(SQLModel, table=True):
    """What consumers asked of a campaign by the hour, four weeks of it in one value: `demand_hours.py` packs it."""

    __tablename__ = "demand_hours"

    campaign_id: str = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True))
    last_hour: int = Field(sa_column=Column(Integer, nullable=False))
    packed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ReorderPoint(SQLModel, table=True):
    """The stock below which a campaign is to be refilled, as a run last saw it, and when to look again."""

    __tablename__ = "reorder_points"

    campaign_id: str = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True))
    items: int = Field(sa_column=Column(Integer, nullable=False))
    due_minute: int = Field(sa_column=Column(Integer, nullable=False))
    rule: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))


class Ring(SQLModel, table=True):
    """A campaign's bell: since when it rings (until a run takes the campaign up), and when a run failed with it."""

    __tablename__ = "rings"

    campaign_id: str = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True))
    rung_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    failed_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class SupplyOutage(SQLModel, table=True):
    """The supply service did not answer anybody when it was last asked; no row if it did."""

    __tablename__ = "supply_outages"

    id: int = Field(default=1, sa_column=Column(Integer, primary_key=True, autoincrement=False))
    noticed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Waiter(SQLModel, table=True):
    """A consumer who waits for items that are not there yet, in the order of coming."""

    __tablename__ = "waiters"
    __table_args__: ClassVar[Any] = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True))
    campaign_id: str = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False))
    wanted: int = Field(sa_column=Column(Integer, nullable=False))
    until: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class SupplyRequest(SQLModel, table=True):
    """One call to the supply service, recorded before it is sent, with the exact body that belongs to its key."""

    __tablename__ = "supply_requests"
    __table_args__: ClassVar[Any] = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True))
    key: str = Field(sa_column=Column(String(36), nullable=False, unique=True))
    campaign_id: str = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), nullable=False))
    run_id: int | None = Field(default=None, sa_column=Column(ForeignKey("runs.id", ondelete="SET NULL")))
    quantity: int = Field(sa_column=Column(Integer, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    state: str = Field(
        default=RequestState.OPEN, sa_column=Column(_choice(RequestState, "request_state"), nullable=False)
    )
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    produced: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    duplicates: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    error: str | None = Field(default=None, sa_column=Column(Text))
    # Runs that asked in vain since something came, and when the last of them did.
    unanswered_runs: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    asked_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    # The operator who found out what became of it.
    settled_by: str | None = Field(default=None, sa_column=Column(String(255)))
    # It is older than a backup that was restored: what it brings may have been used since.
    is_restored: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))


class Run(SQLModel, table=True):
    """One execution of a job, recorded from start to end."""

    __tablename__ = "runs"
    __table_args__: ClassVar[Any] = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    job: str = Field(sa_column=Column(String(40), nullable=False))
    trigger: str = Field(sa_column=Column(_choice(Trigger, "run_trigger"), nullable=False))
    host: str = Field(sa_column=Column(String(255), nullable=False))
    pid: int = Field(sa_column=Column(Integer, nullable=False))
    invocation_id: str | None = Field(default=None, sa_column=Column(String(32)))
    status: str = Field(sa_column=Column(_choice(RunStatus, "run_status"), nullable=False))
    started_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    heartbeat_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    duration_ms: int | None = Field(default=None, sa_column=Column(Integer))
    figures: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    error: str | None = Field(default=None, sa_column=Column(Text))


class CampaignResult(SQLModel, table=True):
    """How one campaign fared in one run."""

    __tablename__ = "campaign_results"

    run_id: int = Field(sa_column=Column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True))
    campaign_id: str = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True))
    status: str = Field(sa_column=Column(_choice(ResultStatus, "result_status"), nullable=False))
    available_before: int = Field(sa_column=Column(Integer, nullable=False))
    watermark: int = Field(sa_column=Column(Integer, nullable=False))
    target: int = Field(sa_column=Column(Integer, nullable=False))
    ordered: int = Field(sa_column=Column(Integer, nullable=False))
    produced: int = Field(sa_column=Column(Integer, nullable=False))
    available_after: int = Field(sa_column=Column(Integer, nullable=False))
    attempts: int = Field(sa_column=Column(Integer, nullable=False))
    error: str | None = Field(default=None, sa_column=Column(Text))


class CampaignClaim(SQLModel, table=True):
    """Which run may order for a campaign; the epoch grows with every claim."""

    __tablename__ = "campaign_claims"

    campaign_id: str = Field(sa_column=Column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True))
    run_id: int | None = Field(default=None, sa_column=Column(ForeignKey("runs.id", ondelete="SET NULL")))
    epoch: int = Field(sa_column=Column(Integer, nullable=False))
    claimed_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    # How its last runs went, in a row: those that failed, and those that brought nothing but duplicates.
    failed_runs: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    barren_runs: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    rests_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class MetricSum(SQLModel, table=True):
    """What has happened up to the mark, added up for counters that only grow; the rows behind it may be deleted."""

    __tablename__ = "metric_sums"

    what: str = Field(sa_column=Column(String(40), primary_key=True))
    subject: str = Field(sa_column=Column(String(40), primary_key=True))
    how: str = Field(sa_column=Column(String(40), primary_key=True))
    number: int = Field(sa_column=Column(BigInteger, nullable=False))
    seconds: float = Field(sa_column=Column(Float, nullable=False))
    within: list[int] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class MetricMark(SQLModel, table=True):
    """Up to when what has happened is in the sums; no row before they were first made."""

    __tablename__ = "metric_marks"

    id: int = Field(default=1, sa_column=Column(Integer, primary_key=True, autoincrement=False))
    counted_until: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class PausedJob(SQLModel, table=True):
    """A job whose scheduled runs do nothing until it is resumed."""

    __tablename__ = "paused_jobs"

    job: str = Field(sa_column=Column(String(40), primary_key=True))
    paused_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Alert(SQLModel, table=True):
    """A condition that a person should know of; at most one that is not resolved per fingerprint."""

    __tablename__ = "alerts"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("count >= 1", name="ck_alerts_count"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    type: str = Field(sa_column=Column(String(40), nullable=False))
    level: str = Field(sa_column=Column(_choice(AlertLevel, "alert_level"), nullable=False))
    state: str = Field(default=AlertState.OPEN, sa_column=Column(_choice(AlertState, "alert_state"), nullable=False))
    fingerprint: str = Field(sa_column=Column(String(200), nullable=False))
    title: str = Field(sa_column=Column(Text, nullable=False))
    message: str = Field(sa_column=Column(Text, nullable=False))
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column("metadata", JSON, nullable=False))
    count: int = Field(default=1, sa_column=Column(Integer, nullable=False))
    first_seen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    last_seen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    acknowledged_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    resolved_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    announced: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    told_level: str | None = Field(default=None, sa_column=Column(String(16)))
    told_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    silenced_until: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class AlertUser(SQLModel, table=True):
    """A user whose campaigns an alert is about."""

    __tablename__ = "alert_users"

    alert_id: int = Field(sa_column=Column(ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True))
    user_id: str = Field(sa_column=Column(String(200), primary_key=True))


class SilenceRecord(SQLModel, table=True):
    """Which alerts are muted, until when and why; what is not named fits everything."""

    __tablename__ = "silences"
    __table_args__: ClassVar[Any] = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    type: str | None = Field(default=None, sa_column=Column(String(40)))
    campaign_id: str | None = Field(default=None, sa_column=Column(String(200)))
    user_id: str | None = Field(default=None, sa_column=Column(String(200)))
    reason: str | None = Field(default=None, sa_column=Column(Text))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    until: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class Notification(SQLModel, table=True):
    """A message to one channel, written with the alerts that it tells of and kept until it is sent or given up."""

    __tablename__ = "notifications"
    __table_args__: ClassVar[Any] = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    key: str = Field(sa_column=Column(String(36), nullable=False, unique=True))
    channel: str = Field(sa_column=Column(String(60), nullable=False))
    level: str = Field(sa_column=Column(String(16), nullable=False))
    title: str = Field(sa_column=Column(Text, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    document: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    attempts: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    next_try_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    claimed_by: int | None = Field(default=None, sa_column=Column(ForeignKey("runs.id", ondelete="SET NULL")))
    sent_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    given_up_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    error: str | None = Field(default=None, sa_column=Column(Text))


class HttpKey(SQLModel, table=True):
    """A key of the HTTP face; of its secret, only the hash is kept."""

    __tablename__ = "http_keys"

    name: str = Field(sa_column=Column(String(100), primary_key=True))
    public_id: str = Field(sa_column=Column(String(16), nullable=False, unique=True))
    secret_hash: str = Field(sa_column=Column(String(64), nullable=False))
    # Whose campaigns it is for; NULL for everybody's.
    user_id: str | None = Field(default=None, sa_column=Column(String(200)))
    abilities: str = Field(sa_column=Column(String(100), nullable=False))
    created_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    rotated_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    last_used_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class ActRecord(SQLModel, table=True):
    """What somebody has done by hand or by a key, for the audit trail; what it was done to may be long gone."""

    __tablename__ = "acts"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, sa_column=Column(_BIG, primary_key=True))
    at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    who: str = Field(sa_column=Column(String(200), nullable=False))
    # A word of `Act`, or of a later version's.
    act: str = Field(sa_column=Column(String(40), nullable=False))
    subject: str = Field(sa_column=Column(String(200), nullable=False))
    detail: str | None = Field(default=None, sa_column=Column(String(500)))


class FileValue(SQLModel, table=True):
    """A line of a `file:` supply that was handed out, and to which supply request."""

    __tablename__ = "file_values"

    source: str = Field(sa_column=Column(Text, primary_key=True))
    value: str = Field(sa_column=Column(Text, primary_key=True))
    request_key: str = Field(sa_column=Column(String(36), nullable=False))


def table(model: type[SQLModel]) -> Table:
    """The table behind a model, for statements that are written column by column."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def in_state(rows: Table, state: StrEnum) -> ColumnElement[bool]:
    """The condition that rows are in a state; a literal, since SQLite uses a partial index for no parameter."""
    return rows.c.state == literal_column(f"'{state}'")


def not_before(began: Column[Any], moment: Any) -> ColumnElement[datetime]:
    """A moment, or that of the beginning where a clock that was set back makes the end seem earlier.

    Args:
        began: the column that says when it began.
        moment: when it ended; NULL stays NULL.
    """
    ended = moment if isinstance(moment, ColumnElement) else literal(moment, began.type)
    return case((began > ended, began), else_=ended)
