"""The words of kylink's states, levels and types, each once: tables, options, metrics, report and texts take them here.

They are stored, and programs read them: a word may be added, never changed or taken away.
"""

from enum import StrEnum
from typing import Final


class JobName(StrEnum):
    """The jobs that timers start, as the database and JSON name them."""

    REPLENISH = "stock_replenish"
    RECOVER_LEASES = "lease_recovery"
    ALERT_CHECK = "monitoring_alert"


class JobWord(StrEnum):
    """What people call a job: by its command, or by its name in tables and documents."""

    REPLENISH = "replenish"
    RECOVER_LEASES = "recover-leases"
    ALERT_CHECK = "alert-check"
    STOCK_REPLENISH = JobName.REPLENISH.value
    LEASE_RECOVERY = JobName.RECOVER_LEASES.value
    MONITORING_ALERT = JobName.ALERT_CHECK.value


class JobState(StrEnum):
    """How a job is: its timer starts it, or why not; shown, never stored."""

    RUNNING = "running"
    OVERDUE = "overdue"
    PAUSED = "paused"
    ON = "on"
    OFF = "off"


class Ability(StrEnum):
    """What a key of the HTTP face may do: take and close leases, act as an operator, look."""

    CONSUME = "consume"
    OPERATE = "operate"
    READ = "read"


class Act(StrEnum):
    """What people and keys have done, as the audit trail names it."""

    CAMPAIGN_ADDED = "campaign_added"
    CAMPAIGN_CHANGED = "campaign_changed"
    CAMPAIGNS_IMPORTED = "campaigns_imported"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_RESUMED = "campaign_resumed"
    CAMPAIGN_REMOVED = "campaign_removed"
    STOCK_IMPORTED = "stock_imported"
    STOCK_DISCARDED = "stock_discarded"
    JOB_PAUSED = "job_paused"
    JOB_RESUMED = "job_resumed"
    RUN_FORCED = "run_forced"
    RUN_STARTED = "run_started"
    REQUEST_SETTLED = "request_settled"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    ALERT_RESOLVED = "alert_resolved"
    ALERT_SILENCED = "alert_silenced"
    SILENCE_ENDED = "silence_ended"
    ALERTS_PURGED = "alerts_purged"
    KEY_ADDED = "key_added"
    KEY_ROTATED = "key_rotated"
    KEY_REVOKED = "key_revoked"
    DATABASE_RESTORED = "database_restored"


class CampaignStatus(StrEnum):
    """Whether a campaign's stock is kept filled."""

    ACTIVE = "active"
    PAUSED = "paused"


class ItemState(StrEnum):
    """What has become of a stock item."""

    AVAILABLE = "available"
    LEASED = "leased"
    CONSUMED = "consumed"
    EXPIRED = "expired"
    DISCARDED = "discarded"


class LeaseState(StrEnum):
    """What has become of a lease; all but the first are ends."""

    ACTIVE = "active"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    EXPIRED = "expired"


class RequestState(StrEnum):
    """What is known of a supply request; all but the first are ends."""

    OPEN = "open"
    ANSWERED = "answered"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    IN_DOUBT = "in_doubt"


class RunStatus(StrEnum):
    """How a run goes or went."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CRASHED = "crashed"


class ResultStatus(StrEnum):
    """How a campaign fared in a replenish run."""

    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_SERVED = "not_served"


class Trigger(StrEnum):
    """What started a run."""

    TIMER = "timer"
    MANUAL = "manual"


class AlertType(StrEnum):
    """The kinds of conditions that a person should know of."""

    STOCK_REPLENISH_FAILED = "STOCK_REPLENISH_FAILED"
    LOW_STOCK = "LOW_STOCK"
    LEASE_TIMEOUT = "LEASE_TIMEOUT"
    HIGH_FAILURE_RATE = "HIGH_FAILURE_RATE"
    NO_STOCK_FREQUENT = "NO_STOCK_FREQUENT"
    ORDER_LIMIT = "ORDER_LIMIT"
    FORECAST_MISS = "FORECAST_MISS"
    SYSTEM_HEALTH = "SYSTEM_HEALTH"


class AlertLevel(StrEnum):
    """How bad a condition is, from the least to the worst."""

    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class AlertState(StrEnum):
    """What has become of an alert."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class ReplenishRule(StrEnum):
    """By what it is decided when to order and how much."""

    FORECAST = "forecast"
    COVER = "cover"


class WatermarkSource(StrEnum):
    """Where a campaign's watermark comes from."""

    OWN = "own"
    DYNAMIC = "dynamic"
    DEFAULT = "default"


class LimitSource(StrEnum):
    """Whose limit on orders is reached: the campaign's own, that of each campaign, or that of all together."""

    OWN = "own"
    CAMPAIGN = "campaign"
    ALL = "all"


class Sorting(StrEnum):
    """What is shown first: the shortest runway, the emptiest stock, or the first name."""

    RUNWAY = "runway"
    AVAILABLE = "available"
    NAME = "name"


LEVELS: Final = tuple(AlertLevel)
# Runs that have brought what they were for, or a part of it.
SUCCESSES: Final = (RunStatus.SUCCEEDED, RunStatus.PARTIAL)
