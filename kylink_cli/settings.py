"""The settings: a field says all there is to say of one: name, type, limits, default, help, and whether it is secret.

A field `proxy_api_url` is set by the name `PROXY_API_URL`. Where values come from is `settings_loading.py`.
"""

import os
import re
import socket
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from kylink_cli.rules.leases import TTL_LIMIT_MINUTES
from kylink_cli.rules.replenishment import Policy

_URL_KIND = re.compile(r"[a-z][a-z0-9+.-]*:.", re.IGNORECASE)


def state_directory() -> Path:
    """Where a host keeps what is its own: systemd's state directory, else the user's."""
    state = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if state:
        return Path(state)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "kylink"


def _default_database_url() -> str:
    return f"sqlite:///{state_directory() / 'kylink.db'}"


def _require_port(parts: SplitResult) -> None:
    try:
        parts.port  # noqa: B018  (reading it is the check)
    except ValueError:
        raise ValueError("must have a port from 0 to 65535, if any") from None


class Settings(BaseModel):
    """Everything that can be configured, checked and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str = Field(
        default_factory=_default_database_url,
        description="Where campaigns, stock and runs are kept: sqlite:///FILE (four slashes for an absolute path), or "
        "postgresql://USER@HOST/NAME (needs kylink-cli[postgres]; several hosts may share it; the password is "
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
    stock_batch_size: int = Field(default=10, ge=1, le=10_000, description="Smallest level to fill up to; items.")
    stock_ttl_hours: int = Field(default=48, ge=1, le=8760, description="How long an item may be used; hours.")
    item_retention_days: int = Field(
        default=30, ge=1, le=3650, description="How long spent items and closed leases are kept; days."
    )
    lease_ttl_minutes: int = Field(
        default=15, ge=1, le=TTL_LIMIT_MINUTES, description="How long a lease lasts unless its taker says; minutes."
    )
    lease_max_expirations: int = Field(
        default=5, ge=1, le=1000, description="An item is discarded when so many leases on it have expired."
    )
    watermark_min: int = Field(default=3, ge=1, le=10_000, description="Lowest dynamic watermark; items.")
    watermark_max: int = Field(default=20, ge=1, le=10_000, description="Highest dynamic watermark; items.")
    watermark_default: int = Field(
        default=5, ge=1, le=10_000, description="Watermark of a campaign younger than 24 h without consumption; items."
    )
    watermark_cover_hours: float = Field(
        default=2, gt=0, le=168, description="Hours of consumption that the dynamic watermark covers."
    )
    proxy_api_url: str | None = Field(
        default=None,
        description="The supply service: https://… or http://…, exec:/path/to/program, file:/path/to/values.",
    )
    proxy_api_key: SecretStr | None = Field(
        default=None,
        description="Key of the supply service, sent as a bearer token; also read from credential file proxy_api_key.",
    )
    proxy_max_per_call: int = Field(default=1, ge=1, le=1000, description="Items asked for in one call.")
    proxy_timeout_seconds: float = Field(default=30, gt=0, le=600, description="Limit for one whole call; seconds.")
    heartbeat_url_replenish: SecretStr | None = Field(
        default=None, description="Pinged by 'kylink replenish': URL/start, URL on success, URL/fail."
    )
    heartbeat_url_recover_leases: SecretStr | None = Field(
        default=None, description="Pinged by 'kylink recover-leases': URL/start, URL on success, URL/fail."
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
        "run on all hosts) or redis://HOST/0 (the same, needs kylink-cli[redis]). Default: files beside an embedded "
        "database, else in the state directory.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def strip(cls, value: Any) -> Any:
        """Blanks around a value are never meant."""
        return value.strip() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def check_database_url(cls, value: str) -> str:
        """A file, or a database on a server."""
        if value.startswith("sqlite:///") and value != "sqlite:///":
            return value
        if not value.startswith("postgresql://") or not urlsplit(value).path.strip("/"):
            raise ValueError("must be sqlite:///FILE or postgresql://USER@HOST/NAME")
        _require_port(urlsplit(value))
        return value

    @field_validator("proxy_api_url")
    @classmethod
    def check_proxy_api_url(cls, value: str) -> str:
        """A URL that names a kind; over HTTP with a host, and without a password that could reach a log."""
        if not _URL_KIND.match(value):
            raise ValueError("must be https://…, http://…, exec:/path/to/program or file:/path/to/values")
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"}:
            return value
        if not parts.hostname:
            raise ValueError("must name a host, as in https://supply.example/v1/items")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not hold a user or password: the key belongs into PROXY_API_KEY")
        _require_port(parts)
        return value

    @field_validator("proxy_api_key")
    @classmethod
    def check_proxy_api_key(cls, value: SecretStr) -> SecretStr:
        """A key that can be sent in an HTTP header."""
        if not value.get_secret_value().isascii() or not value.get_secret_value().isprintable():
            raise ValueError("must be printable ASCII, since it is sent in an HTTP header")
        return value

    @field_validator("heartbeat_url_replenish", "heartbeat_url_recover_leases")
    @classmethod
    def check_heartbeat_url(cls, value: SecretStr) -> SecretStr:
        """An address that can be pinged."""
        parts = urlsplit(value.get_secret_value())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an https:// or http:// address")
        return value

    @field_validator("kylink_lock_url")
    @classmethod
    def check_lock_url(cls, value: str) -> str:
        """A folder, the shared database, or a Redis server."""
        if not value.startswith(("file:/", "redis://", "rediss://")) and value != "database:":
            raise ValueError("must be file:/absolute/path/of/a/folder, database: or redis://HOST")
        return value

    @model_validator(mode="after")
    def lock_in_the_database_only_on_a_server(self) -> "Settings":
        """An embedded database keeps no locks."""
        if self.kylink_lock_url == "database:" and not self.database_url.startswith("postgresql:"):
            raise ValueError("KYLINK_LOCK_URL is database:, which needs a DATABASE_URL of postgresql://USER@HOST/NAME")
        return self

    @model_validator(mode="after")
    def watermarks_in_order(self) -> "Settings":
        """The lowest watermark cannot be above the highest."""
        if self.watermark_min > self.watermark_max:
            raise ValueError(
                f"WATERMARK_MIN ({self.watermark_min}) must not be above WATERMARK_MAX ({self.watermark_max})"
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
    def policy(self) -> Policy:
        """The settings that decide how much is kept in stock."""
        return Policy(
            watermark_min=self.watermark_min,
            watermark_max=self.watermark_max,
            watermark_default=self.watermark_default,
            cover_hours=self.watermark_cover_hours,
            batch_size=self.stock_batch_size,
        )
