"""The only place that builds concrete objects from settings.

What only a job needs is imported where it is built: a consumer that leases an item loads no job.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kylink_cli.errors import ConfigError, DatabaseMissingError, KylinkError
from kylink_cli.language import tr
from kylink_cli.places import is_on_server, sqlite_path, state_directory
from kylink_cli.store.engine.database import Database, create_database, open_database
from kylink_cli.store.engine.lineage import adopt, follow
from kylink_cli.store.engine.schema import read_schema, require_current, require_tables, upgrade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kylink_cli.alerting.delivery import PostOffice
    from kylink_cli.alerting.posting import Alerting
    from kylink_cli.jobs.alert_check import Watch
    from kylink_cli.jobs.assignment import Assignment
    from kylink_cli.jobs.recover_leases import RecoveryLimits
    from kylink_cli.leasing import Bell
    from kylink_cli.locks.base import Locks
    from kylink_cli.notify.base import Channel
    from kylink_cli.rules.replenishment import Demand
    from kylink_cli.running.events import Observer
    from kylink_cli.running.run import LiveRun, Ping, RunRequest
    from kylink_cli.scheduling.bell import HostBell
    from kylink_cli.settings.fields import Settings
    from kylink_cli.store.levels import Scope
    from kylink_cli.supply.base import Supplier
    from kylink_cli.supply.registry import SupplierOptions


def existing_database(
    settings: Settings,
    *,
    scheduled: bool = False,
    may_rest: bool = False,
    patience_seconds: float | None = None,
) -> Database:
    """The database, which must exist; an embedded one of an older kylink is upgraded, unless a timer's run asks.

    One on a server is upgraded only by `kylink db upgrade`: other hosts may work with it.

    Args:
        may_rest: whether it may be a backup, or have been moved elsewhere, since it is only looked at.
        patience_seconds: how long to wait for a server that was lost; None for as long as a run waits.

    Raises:
        DatabaseUnfitError: it is missing, empty, unreadable, newer than the program, older and not upgraded, or went
            back in time.
        DatabaseError: it failed.
    """
    with _closed_if_unfit(database_at(settings.database_url, patience_seconds=patience_seconds)) as database:
        if database.path is not None and not scheduled and read_schema(database).current is not None:
            upgrade(database)
        require_current(database)
        follow(database, may_rest=may_rest)
    return database


def unchanged_database(settings: Settings) -> Database:
    """The database at whatever revision it is, which must exist and be kylink's.

    Raises:
        DatabaseUnfitError: it is missing, empty, unreadable, or newer than the program.
        DatabaseError: it failed.
    """
    with _closed_if_unfit(database_at(settings.database_url)) as database:
        require_tables(database)
    return database


def created_database(settings: Settings) -> Database:
    """The database at whatever revision it is; a new one holds no tables yet. One on a server must be there.

    Raises:
        DatabaseUnfitError: it can't be created.
    """
    return database_at(settings.database_url, create=True)


def new_database(settings: Settings) -> Database:
    """The database; an embedded one is created and upgraded if need be.

    Raises:
        DatabaseUnfitError: it can't be created, or is newer than the program, or not ready on its server.
        DatabaseError: it failed.
    """
    if is_on_server(settings.database_url):
        return existing_database(settings)
    with _closed_if_unfit(created_database(settings)) as database:
        if upgrade(database).current is None:
            adopt(database)
        follow(database)
    return database


@contextmanager
def _closed_if_unfit(database: Database) -> Iterator[Database]:
    try:
        yield database
    except KylinkError:
        database.close()
        raise


def database_at(url: str, *, create: bool = False, patience_seconds: float | None = None) -> Database:
    """The database behind a URL, at whatever revision it is.

    Args:
        url: `sqlite:///…` or `postgresql://…`.
        create: whether to create an embedded one; one on a server must be there.
        patience_seconds: as for `existing_database`.

    Raises:
        DatabaseError: it is missing, unfit, or can't be reached.
    """
    if is_on_server(url):
        from kylink_cli.store.engine.postgresql import PATIENCE_SECONDS, open_server

        return open_server(url, PATIENCE_SECONDS if patience_seconds is None else patience_seconds)
    return create_database(sqlite_path(url)) if create else open_database(sqlite_path(url))


def check_database_address(url: str) -> None:
    """See whether there can be a database behind a URL; none is opened.

    Raises:
        ConfigError: there can't.
    """
    if is_on_server(url):
        from kylink_cli.store.engine.address import parse

        parse(url)
    elif sqlite_path(url).is_dir():
        raise ConfigError(tr("DATABASE_URL names the folder {path}: it must be a file", path=sqlite_path(url)))


def own_files(settings: Settings) -> tuple[Path | None, Path]:
    """The file of an embedded database, and the folder of the locks of this host.

    They are beside the database, or in the state directory, unless the settings name another folder.
    """
    database = None if is_on_server(settings.database_url) else sqlite_path(settings.database_url)
    kind, _, place = (settings.kylink_lock_url or "").partition(":")
    if kind == "file":
        return database, Path(place)
    return database, state_directory() / "locks" if database is None else database.with_name(f"{database.name}.lock")


def bell(settings: Settings, env_file: Path | None) -> Bell:
    """What a take rings.

    Args:
        env_file: where the settings were read, for the run that answers.
    """
    delay = timedelta(milliseconds=settings.replenish_retry_delay_ms)
    from kylink_cli.leasing import Bell

    return Bell(host_bell(settings, env_file).ring, delay, settings.watermark_default)


def host_bell(settings: Settings, env_file: Path | None = None) -> HostBell:
    """Where the bell of this host hangs: beside an embedded database, or in the state directory."""
    from kylink_cli.scheduling.bell import answer_command, hang

    database = None if is_on_server(settings.database_url) else sqlite_path(settings.database_url)
    return hang(
        settings.bell if settings.enable_auto_cron else "off",
        state_directory() / "bell" if database is None else database.with_name(f"{database.name}.bell"),
        answer_command(env_file),
        settings.replenish_retry_delay_ms / 1000,
    )


def database_if_any(settings: Settings) -> Database | None:
    """The database, None if there is none yet, for what may create one but must not do so for bad input.

    Raises:
        DatabaseUnfitError: it is unreadable, or newer than the program.
        DatabaseError: it failed.
    """
    try:
        return existing_database(settings)
    except DatabaseMissingError:
        return None


def locks(settings: Settings) -> Locks:
    """Where locks are kept: here every kind of lock is built.

    Raises:
        ConfigError: what the kind needs is not installed.
    """
    from kylink_cli.locks.file import FileLocks

    of_host = FileLocks(own_files(settings)[1], settings.kylink_host_name)
    url = settings.kylink_lock_url or "file:"
    match url.partition(":")[0]:
        case "redis" | "rediss":
            from kylink_cli.locks.redis import RedisLocks

            return RedisLocks(url, of_host)
        case "database":
            from kylink_cli.locks.database import DatabaseLocks
            from kylink_cli.store.engine.lock_connection import LockConnection

            return DatabaseLocks(partial(LockConnection, settings.database_url), of_host)
        case _:
            return of_host


def live_run(settings: Settings, database: Database, observe: Observer, request: RunRequest) -> LiveRun:
    """The handle of a run, which has not begun yet."""
    from kylink_cli.running.events import Warned
    from kylink_cli.running.run import LiveRun

    database.tell_outages(lambda text: observe(Warned(text)))
    return LiveRun(
        request,
        database,
        locks(settings),
        observe,
        alerting(settings),
        clock=database.now,
        ping=_heartbeat(settings, request.job, lambda text: observe(Warned(text))),
    )


def post_office(settings: Settings, database: Database, observe: Observer) -> PostOffice:
    """What sends notifications outside of a run."""
    from kylink_cli.alerting.delivery import PostOffice

    return PostOffice(database, locks(settings), alerting(settings), observe, database.now)


def _heartbeat(settings: Settings, name: str, warn: Callable[[str], None]) -> Ping | None:
    from kylink_cli.scheduling.jobs import JOBS

    [setting] = [job.heartbeat_setting for job in JOBS if job.name == name]
    url = getattr(settings, setting)
    if url is None:
        return None
    from kylink_cli.notify.heartbeat import Heartbeat

    return Heartbeat(url.get_secret_value(), warn).ping


def supplier(settings: Settings, database: Database | None) -> Supplier:
    """Where items come from.

    Args:
        settings: name it, by the scheme of PROXY_API_URL.
        database: remembers what a file of values has given out; None where nothing is ordered.

    Raises:
        ConfigError: it is not named, or its kind is unknown.
    """
    from kylink_cli.supply.registry import SupplierOptions, build_plugin

    url = settings.proxy_api_url
    if url is None:
        raise ConfigError(tr("PROXY_API_URL is not set: it names the supply service"))
    key = None if settings.proxy_api_key is None else settings.proxy_api_key.get_secret_value()
    options = SupplierOptions(url, key, settings.proxy_timeout_seconds)
    kind = url.partition(":")[0].lower()
    build = SUPPLIERS.get(kind)
    return build_plugin(kind, options, SUPPLIERS) if build is None else build(options, database)


def _http(options: SupplierOptions, _: Database | None) -> Supplier:
    from kylink_cli.supply.http import HttpSupplier

    return HttpSupplier(options.url, options.key, options.timeout_seconds)


def _exec(options: SupplierOptions, _: Database | None) -> Supplier:
    from kylink_cli.supply.exec import ExecSupplier

    return ExecSupplier(options.place, options.key, options.timeout_seconds)


def _file(options: SupplierOptions, database: Database | None) -> Supplier:
    from kylink_cli.store.file_values import FileValues
    from kylink_cli.supply.file import FileSupplier, Forgetful

    return FileSupplier(Path(options.place), Forgetful() if database is None else FileValues(database))


# A new kind of supplier is one more line, and the function that builds it.
SUPPLIERS: dict[str, Callable[[SupplierOptions, Database | None], Supplier]] = {
    "https": _http,
    "http": _http,
    "exec": _exec,
    "file": _file,
}


def watch(settings: Settings) -> Watch:
    """What the alert check watches."""
    from kylink_cli.jobs.alert_check import Watch
    from kylink_cli.scheduling.jobs import JOBS

    return Watch(
        thresholds=settings.thresholds,
        policy=settings.policy,
        orders=settings.order_limits,
        intervals={job.name: job.interval_minutes(settings) for job in JOBS},
        scheduling=settings.enable_auto_cron,
        alert_retention=timedelta(days=settings.alert_retention_days),
        run_retention=timedelta(days=settings.run_retention_days),
    )


def alerting(settings: Settings) -> Alerting:
    """Whom runs tell of alerts, and when."""
    from kylink_cli.alerting.posting import Alerting
    from kylink_cli.rules.alert_book import BookRules

    rules = BookRules(timedelta(minutes=settings.alert_repeat_minutes), timedelta(minutes=settings.alert_flap_minutes))
    return Alerting(rules, channels(settings))


def channels(settings: Settings) -> list[Channel]:
    """How people are notified of alerts."""
    from kylink_cli.notify.registry import build_channels
    from kylink_cli.notify.webhook import Webhook
    from kylink_cli.rules.channel_urls import parse_channel_urls

    lowest, urls, hook = settings.alert_min_level, settings.alert_notify_urls, settings.alert_webhook_url
    addresses = [] if urls is None else parse_channel_urls(urls.get_secret_value(), lowest)
    built = build_channels(addresses)
    if hook is not None:
        [address] = parse_channel_urls(hook.get_secret_value(), lowest)
        secret = settings.alert_webhook_secret
        built.append(Webhook(address.url, secret.get_secret_value() if secret else None, address.lowest))
    return built


def recovery_limits(settings: Settings) -> RecoveryLimits:
    """What bounds a recovery of leases."""
    from kylink_cli.jobs.recover_leases import RecoveryLimits

    return RecoveryLimits(
        max_expirations=settings.lease_max_expirations,
        retention=timedelta(days=settings.item_retention_days),
    )


def assignment(
    settings: Settings, scope: Scope, demand: Demand, wait_seconds: float, *, is_rung: bool = False
) -> Assignment:
    """What a replenish run is to do."""
    from kylink_cli.jobs.assignment import Assignment, FillLimits
    from kylink_cli.supply.retry import RetryPolicy

    return Assignment(
        scope=scope,
        policy=settings.policy,
        demand=demand,
        limits=FillLimits(
            campaigns_in_flight=settings.campaign_concurrency,
            calls_in_flight=settings.stock_concurrency,
            max_per_call=settings.proxy_max_per_call,
            item_ttl=timedelta(hours=settings.stock_ttl_hours),
            retry=RetryPolicy(
                # The bell itself asks again, and others that it rings for do not wait for it.
                tries=1 if is_rung else settings.replenish_retry_times,
                delay_seconds=settings.replenish_retry_delay_ms / 1000,
                backoff=settings.replenish_retry_backoff,
            ),
            orders=settings.order_limits,
        ),
        deadline_seconds=settings.deadline_seconds,
        wait_seconds=wait_seconds,
        is_rung=is_rung,
    )
