"""The settings: a field says all there is to say of one: name, type, limits, default, help, and whether it is secret.

A field `proxy_api_url` is set by the name `PROXY_API_URL`. Where values come from is `settings/loading.py`.
"""

import socket
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from kylink_cli.language import Language, preferred, tr
from kylink_cli.places import default_database_url, is_on_server, watched_bell
from kylink_cli.rules.leases import TTL_LIMIT_MINUTES
from kylink_cli.rules.vocabulary import AlertLevel, ReplenishRule
from kylink_cli.settings import addresses

if TYPE_CHECKING:
    from kylink_cli.rules.check_facts import Thresholds
    from kylink_cli.rules.order_limits import OrderLimits
    from kylink_cli.rules.replenishment import Policy

# So soon after a take that rings a run looks at the stock.
_BELL_MINUTES = 0.1


class Settings(BaseModel):
    """Everything that can be configured, checked and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str = Field(
        default_factory=default_database_url,
        description="Where campaigns, stock and runs are kept: sqlite:///FILE (four slashes for an absolute path), or "
        "postgresql://USER@HOST/NAME (needs the extra 'postgres'; several hosts may share it; the password is "
        "better kept in ~/.pgpass). Default: kylink.db in $STATE_DIRECTORY, else in ~/.local/state/kylink.",
    )
    enable_auto_cron: bool = Field(
        default=False, description="Scheduled runs (--scheduled) do nothing unless this is true."
    )
    replenish_interval_minutes: int = Field(
        default=10, ge=1, le=1440, description="How often the timer starts 'kylink replenish'; minutes."
    )
    lease_recovery_interval_minutes: int = Field(
        default=5, ge=1, le=1440, description="How often the timer starts 'kylink recover-leases'; minutes."
    )
    alert_check_interval_minutes: int = Field(
        default=10, ge=1, le=1440, description="How often the timer starts 'kylink alert-check'; minutes."
    )
    replenish_retry_times: int = Field(
        default=3, ge=1, le=10, description="Tries in all for a campaign whose supply fails."
    )
    replenish_retry_delay_ms: int = Field(
        default=60_000, ge=0, le=3_600_000, description="Wait before a try is repeated; milliseconds."
    )
    replenish_retry_backoff: Literal["fixed", "exponential"] = Field(
        default="fixed", description="'fixed' waits the same each time; 'exponential' doubles, with jitter."
    )
    replenish_deadline_seconds: int | None = Field(
        default=None,
        ge=1,
        le=86_400,
        description="Longest a replenish run may take; seconds. Default: the interval minus 60 s, at least half of it.",
    )
    campaign_concurrency: int = Field(default=3, ge=1, le=1000, description="Campaigns that are filled at once.")
    stock_concurrency: int = Field(default=5, ge=1, le=1000, description="Calls at once for one campaign.")
    stock_batch_size: int = Field(
        default=10,
        ge=1,
        le=10_000,
        description="Smallest level to fill up to; items. With the rule 'forecast' only of campaigns younger than 24 h "
        "without demand.",
    )
    stock_ttl_hours: int = Field(default=48, ge=1, le=8760, description="How long an item may be used; hours.")
    item_retention_days: int = Field(
        default=30, ge=1, le=3650, description="How long spent items and closed leases are kept; days."
    )
    lease_ttl_minutes: int = Field(
        default=15,
        ge=1,
        le=TTL_LIMIT_MINUTES,
        description="How long a lease lasts unless the consumer says otherwise; minutes.",
    )
    lease_max_expirations: int = Field(
        default=5, ge=1, le=1000, description="An item is discarded when this many leases on it have expired."
    )
    replenish_rule: ReplenishRule = Field(
        default=ReplenishRule.FORECAST,
        description="When to order and how much: 'forecast' by the demand that is to be expected, 'cover' by the "
        "consumption of the last day.",
    )
    service_level: float = Field(
        default=0.9,
        ge=0.5,
        le=0.9999,
        description="How certain it is that the stock lasts for COVER_MINUTES: more means fewer refusals and more "
        "items that expire unused. Read by the rule 'forecast' only.",
    )
    cover_minutes: int = Field(
        default=90,
        ge=0,
        le=1440,
        description="How long the supply may fail without a campaign running dry; minutes. Read by the rule "
        "'forecast' only.",
    )
    serve_requests_per_second: int = Field(
        default=200,
        ge=1,
        le=1_000_000,
        description="Requests that 'kylink serve' lets one key make in the long run; twice as many may come at once.",
    )
    order_limit_per_day: int = Field(
        default=0,
        ge=0,
        le=1_000_000_000,
        description="Items ordered in 24 h for all campaigns together; 0 is no limit.",
    )
    campaign_order_limit_per_day: int = Field(
        default=0, ge=0, le=1_000_000_000, description="Items ordered in 24 h for each campaign; 0 is no limit."
    )
    watermark_min: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Lowest dynamic watermark; items. Default: 1 with the rule 'forecast', 3 with 'cover'.",
    )
    watermark_max: int = Field(
        default=20, ge=1, le=10_000, description="Highest dynamic watermark; items. Read by the rule 'cover' only."
    )
    watermark_default: int = Field(
        default=5, ge=1, le=10_000, description="Watermark of a campaign younger than 24 h without demand; items."
    )
    watermark_cover_hours: float = Field(
        default=2,
        gt=0,
        le=168,
        description="Hours of consumption that the dynamic watermark covers. Read by the rule 'cover' only.",
    )
    bell: Literal["auto", "path", "spawn", "off"] = Field(
        default="auto",
        description="What answers a take that leaves a campaign below its reorder point: 'path' systemd's "
        "kylink-bell.path, 'spawn' a process that the take starts, 'off' nothing; 'auto' is 'path' where that unit "
        "is installed. Whatever it is, the next run serves what was rung for first.",
    )
    proxy_api_url: str | None = Field(
        default=None,
        description="The supply service: https://… or http://…, exec:/path/to/program, file:/path/to/values.",
    )
    proxy_api_key: SecretStr | None = Field(
        default=None,
        description="Bearer token for the supply service, if it asks for one; or in credential file proxy_api_key.",
    )
    proxy_max_per_call: int = Field(default=1, ge=1, le=1000, description="Items asked for in one call.")
    proxy_timeout_seconds: float = Field(default=30, gt=0, le=600, description="Limit for one whole call; seconds.")
    alert_notify_urls: SecretStr | None = Field(
        default=None,
        description="Where alerts are sent: addresses separated by blanks, as in mailto://…, slack://…; each may "
        "end in min_level=WARNING or min_level=ERROR.",
    )
    alert_webhook_url: SecretStr | None = Field(
        default=None, description="Gets alerts as JSON by POST; it may end in min_level=WARNING or min_level=ERROR."
    )
    alert_webhook_secret: SecretStr | None = Field(
        default=None, description="Signs what the webhook gets, with HMAC-SHA256; any text."
    )
    alert_min_level: AlertLevel = Field(
        default=AlertLevel.INFO,
        description="Alerts below this level are not sent, unless an address says otherwise.",
    )
    alert_repeat_minutes: int = Field(
        default=240,
        ge=1,
        le=10_080,
        description="How often an unacknowledged alert is sent again; minutes.",
    )
    alert_flap_minutes: int = Field(
        default=60,
        ge=0,
        le=10_080,
        description="A condition that comes and goes is sent at most once in this time; minutes.",
    )
    alert_retention_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="How long resolved alerts, ended silences and notifications are kept; days.",
    )
    run_retention_days: int = Field(
        default=30, ge=2, le=3650, description="How long finished runs and supply requests are kept; days."
    )
    alert_low_stock_warning: int = Field(
        default=3, ge=1, le=1_000_000, description="LOW_STOCK is a WARNING from this many low campaigns."
    )
    alert_low_stock_error: int = Field(
        default=6, ge=1, le=1_000_000, description="LOW_STOCK is an ERROR from this many low campaigns."
    )
    alert_lease_warning_minutes: int = Field(
        default=10, ge=1, le=10_080, description="LEASE_TIMEOUT warns of an active lease of this age; minutes."
    )
    alert_failure_rate_warning_percent: float = Field(
        default=10,
        gt=0,
        le=100,
        description="HIGH_FAILURE_RATE is a WARNING from this share of failed leases; percent.",
    )
    alert_failure_rate_error_percent: float = Field(
        default=20,
        gt=0,
        le=100,
        description="HIGH_FAILURE_RATE is an ERROR from this share of failed leases; percent.",
    )
    alert_no_stock_warning: int = Field(
        default=10, ge=1, le=1_000_000_000, description="NO_STOCK_FREQUENT is a WARNING from this many events in 24 h."
    )
    alert_no_stock_error: int = Field(
        default=50, ge=1, le=1_000_000_000, description="NO_STOCK_FREQUENT is an ERROR from this many events in 24 h."
    )
    alert_overdue_intervals: float = Field(
        default=2, gt=0, le=1000, description="A job that its timer has not started for more intervals is overdue."
    )
    alert_crash_window_minutes: int = Field(
        default=60, ge=1, le=10_080, description="How long SYSTEM_HEALTH reports a crashed run; minutes."
    )
    alert_supply_warning_percent: float = Field(
        default=90, gt=0, le=100, description="SYSTEM_HEALTH warns when fewer supply requests are answered; percent."
    )
    alert_supply_error_percent: float = Field(
        default=50, gt=0, le=100, description="It is an ERROR when fewer supply requests are answered; percent."
    )
    alert_disk_warning_percent: float = Field(
        default=90, gt=0, le=100, description="SYSTEM_HEALTH warns when the database's disk is this full; percent."
    )
    alert_disk_error_percent: float = Field(
        default=95, gt=0, le=100, description="It is an ERROR when the database's disk is this full; percent."
    )
    alert_smallest_sample: int = Field(
        default=1, ge=1, le=1_000_000, description="A rate of fewer leases or supply requests in an hour is not judged."
    )
    heartbeat_url_replenish: SecretStr | None = Field(
        default=None,
        description="Pinged by 'kylink replenish': URL/start, URL on success, URL/fail; "
        "{state} and {message} in it are replaced.",
    )
    heartbeat_url_recover_leases: SecretStr | None = Field(
        default=None,
        description="Pinged by 'kylink recover-leases': URL/start, URL on success, URL/fail; "
        "{state} and {message} in it are replaced.",
    )
    heartbeat_url_alert_check: SecretStr | None = Field(
        default=None,
        description="Pinged by 'kylink alert-check': URL/start, URL on success, URL/fail; "
        "{state} and {message} in it are replaced.",
    )
    kylink_lang: Language = Field(
        default_factory=preferred,
        description="The language of messages, tables and alerts: en or zh. Default: the locale's, else en; --help "
        "knows this name from the environment only.",
    )
    kylink_host_name: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        max_length=255,
        description="The name of this host in runs and locks; hosts that share a database need different names. "
        "Default: the machine's own name.",
    )
    kylink_lock_url: str | None = Field(
        default=None,
        description="Where jobs are locked: file:/path/of/a/folder (one run on this host), database: (PostgreSQL: one "
        "run on all hosts) or redis://HOST/0 (the same, needs the extra 'redis'). Default: files beside an embedded "
        "database, else in the state directory.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def strip(cls, value: Any) -> Any:
        """Blanks around a value are never meant."""
        return value.strip() if isinstance(value, str) else value

    check_database_url = field_validator("database_url")(addresses.check_database_url)
    check_proxy_api_url = field_validator("proxy_api_url")(addresses.check_supply_url)
    check_proxy_api_key = field_validator("proxy_api_key")(addresses.check_key)
    check_notify_urls = field_validator("alert_notify_urls")(addresses.check_channel_urls)
    check_webhook_url = field_validator("alert_webhook_url")(addresses.check_webhook_url)
    check_heartbeat_urls = field_validator(
        "heartbeat_url_replenish", "heartbeat_url_recover_leases", "heartbeat_url_alert_check"
    )(addresses.check_web_address)
    check_lock_url = field_validator("kylink_lock_url")(addresses.check_lock_url)

    @model_validator(mode="after")
    def lock_in_the_database_only_on_a_server(self) -> "Settings":
        """An embedded database keeps no locks."""
        if self.kylink_lock_url == "database:" and not is_on_server(self.database_url):
            raise ValueError(
                tr("KYLINK_LOCK_URL is database:, which needs a DATABASE_URL of postgresql://USER@HOST/NAME")
            )
        return self

    @model_validator(mode="after")
    def watermarks_in_order(self) -> "Settings":
        """The lowest watermark cannot be above the highest, where there is a highest."""
        if self.replenish_rule == ReplenishRule.COVER and self.lowest_watermark > self.watermark_max:
            raise ValueError(
                tr(
                    "WATERMARK_MIN ({watermark_min}) must not be above WATERMARK_MAX ({watermark_max})",
                    watermark_min=self.lowest_watermark,
                    watermark_max=self.watermark_max,
                )
            )
        return self

    @property
    def deadline_seconds(self) -> int:
        """The longest that a replenish run may take, seconds."""
        if self.replenish_deadline_seconds is not None:
            return self.replenish_deadline_seconds
        interval = self.replenish_interval_minutes * 60
        return max(interval - 60, interval // 2)

    @property
    def thresholds(self) -> "Thresholds":
        """The settings that decide when a check raises an alert: `alert_…` before the threshold's own name."""
        from kylink_cli.rules.check_facts import Thresholds

        return Thresholds(**{field.name: getattr(self, f"alert_{field.name}") for field in fields(Thresholds)})

    @property
    def order_limits(self) -> "OrderLimits":
        """What may be ordered in 24 hours."""
        from kylink_cli.rules.order_limits import OrderLimits

        return OrderLimits(self.order_limit_per_day, self.campaign_order_limit_per_day)

    @property
    def lowest_watermark(self) -> int:
        """The lowest dynamic watermark, items."""
        if self.watermark_min is not None:
            return self.watermark_min
        return 3 if self.replenish_rule == ReplenishRule.COVER else 1

    @property
    def is_bell_heard(self) -> bool:
        """Whether a run of this host answers a take that rings; else only the timer looks at the stock."""
        if not self.enable_auto_cron or self.bell == "off":
            return False
        return self.bell != "auto" or watched_bell() is not None

    @property
    def policy(self) -> "Policy":
        """The settings that decide how much is kept in stock."""
        from kylink_cli.rules.replenishment import Policy

        return Policy(
            watermark_min=self.lowest_watermark,
            watermark_max=self.watermark_max,
            watermark_default=self.watermark_default,
            cover_hours=self.watermark_cover_hours,
            batch_size=self.stock_batch_size,
            rule=self.replenish_rule,
            service_level=self.service_level,
            cover_minutes=self.cover_minutes,
            look_minutes=_BELL_MINUTES if self.is_bell_heard else self.replenish_interval_minutes,
            life_minutes=self.stock_ttl_hours * 60,
        )


def is_secret(field: str) -> bool:
    """Whether a setting's value must never be shown."""
    return SecretStr in get_args(Settings.model_fields[field].annotation)
