"""What the checks look at: figures by campaign, and the thresholds they are held against."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kylink_cli.rules.alerts import NAME_LENGTH, Concern
from kylink_cli.rules.text import one_line


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on a check raises an alert; each is a setting.

    Attributes:
        low_stock_warning: campaigns below their watermark.
        low_stock_error: the same.
        lease_warning_minutes: age of the oldest active lease, minutes.
        failure_rate_warning_percent: leases that failed among those closed in an hour, percent.
        failure_rate_error_percent: the same.
        no_stock_warning: times in 24 hours that consumers found no stock.
        no_stock_error: the same.
        overdue_intervals: intervals without a start after which a job is overdue.
        crash_window_minutes: how long a crashed run is spoken of, minutes.
        supply_warning_percent: below it, requests answered by the supply service in an hour, percent.
        supply_error_percent: the same.
        disk_warning_percent: used part of the database's disk, percent.
        disk_error_percent: the same.
        smallest_sample: a rate of fewer leases or requests says nothing.
    """

    low_stock_warning: int
    low_stock_error: int
    lease_warning_minutes: int
    failure_rate_warning_percent: float
    failure_rate_error_percent: float
    no_stock_warning: int
    no_stock_error: int
    overdue_intervals: float
    crash_window_minutes: int
    supply_warning_percent: float
    supply_error_percent: float
    disk_warning_percent: float
    disk_error_percent: float
    smallest_sample: int


@dataclass(frozen=True, slots=True)
class Subject:
    """A campaign of which a check has figures.

    Attributes:
        campaign_id: the campaign.
        user_id: whose campaign it is.
        name: what people call it.
    """

    campaign_id: str
    user_id: str
    name: str

    @property
    def concern(self) -> Concern:
        """The campaign as alerts and silences name it."""
        return Concern(self.campaign_id, self.user_id)

    def document(self, **figures: int) -> dict[str, Any]:
        """The campaign with its figures, as metadata hold it."""
        name = one_line(self.name, NAME_LENGTH)
        return {"campaignId": self.campaign_id, "campaignName": name, "userId": self.user_id, **figures}


@dataclass(frozen=True, slots=True)
class LowCampaign:
    """A campaign below its watermark.

    Attributes:
        subject: the campaign.
        available: items that can be leased.
        watermark: items it should have at least.
    """

    subject: Subject
    available: int
    watermark: int


@dataclass(frozen=True, slots=True)
class HeldLeases:
    """The active leases of a campaign that are old, or past their deadline.

    Attributes:
        subject: the campaign.
        leases: how many.
        overdue: those past their deadline.
        oldest: when the oldest was taken.
    """

    subject: Subject
    leases: int
    overdue: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """How many of a campaign's leases failed, or how often its consumers found no stock.

    Attributes:
        subject: the campaign.
        number: how many.
        of: of how many.
    """

    subject: Subject
    number: int
    of: int = 0


@dataclass(frozen=True, slots=True)
class JobStart:
    """When a timer last started a job.

    Attributes:
        job: its name.
        interval_minutes: how often it is to start, minutes.
        started_at: the last start by the timer; None if there was none, or if none is expected.
    """

    job: str
    interval_minutes: int
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class CrashedRun:
    """A run that died without an end.

    Attributes:
        run_id: the run.
        job: its job.
        host: where it ran.
    """

    run_id: int
    job: str
    host: str


@dataclass(frozen=True, slots=True)
class SupplyRate:
    """How the supply service answered.

    Attributes:
        answered: requests that it answered.
        failed: requests that it refused or left open with an error.
    """

    answered: int
    failed: int


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that holds the database.

    Attributes:
        total: its size, bytes.
        free: what kylink may still write, bytes.
    """

    total: int
    free: int
