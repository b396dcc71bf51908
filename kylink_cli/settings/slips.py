"""What settings say otherwise than was probably meant: no mistakes in themselves, and still seldom right."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from kylink_cli.errors import ConfigError
from kylink_cli.language import tr
from kylink_cli.places import is_on_server
from kylink_cli.rules import counted
from kylink_cli.settings.env_files import bindings, choose
from kylink_cli.settings.fields import Settings, is_secret
from kylink_cli.settings.loading import Loaded, unknown_names
from kylink_cli.settings.messages import ADDRESSES

_CUT = re.compile(r"[^=]*=\s*[^\s'\"#].*?\s#")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_FILLED_IN = {"state", "message"}
_HEARTBEATS = ("heartbeat_url_replenish", "heartbeat_url_recover_leases", "heartbeat_url_alert_check")
_WEB_ADDRESSES = ("proxy_api_url", "alert_webhook_url", *_HEARTBEATS)
# So many connections are beyond what services take, and what processes may open.
_MANY_CALLS = 1000
# Below which level an alert is a warning, and from which it is an error; for shares of what is well, the other way.
_RISING = ("alert_low_stock", "alert_no_stock", "alert_failure_rate", "alert_disk")


def slips(loaded: Loaded) -> list[str]:
    """All of it, of settings that are valid."""
    return [*_in_file(loaded.env_file), *_in_values(loaded.settings)]


def slips_beside(env_file: Path | None) -> list[str]:
    """What of it can be seen although a setting is bad.

    Args:
        env_file: the env file that was named, None for whichever is there.
    """
    try:
        return list(_in_file(choose(env_file).path))
    except ConfigError:
        return []  # it is what is bad, and said


def _in_file(env_file: Path | None) -> Iterator[str]:
    for name, nearest in unknown_names(env_file).items():
        hint = tr(": did you mean {nearest}?", nearest=nearest) if nearest else ""
        yield tr("{name} means nothing", name=name) + hint
    if env_file is not None:
        yield from _in_lines(env_file)


def _in_lines(path: Path) -> Iterator[str]:
    """Names that are given twice, and values of which a `#` cuts something off."""
    first: dict[str, int] = {}
    for name, line, text in bindings(path):
        field = name.lower()
        if field not in Settings.model_fields:
            continue
        if field in first:
            yield tr(
                "{name} is given twice in {path}, on lines {first} and {line}: the last one counts",
                name=field.upper(),
                path=path,
                first=first[field],
                line=line,
            )
        first[field] = line
        if (is_secret(field) or field in ADDRESSES) and _CUT.match(text):
            yield tr(
                "of {name} on line {line} of {path}, what follows the # counts as a comment: if it belongs to the "
                "value, write quotation marks around it",
                name=field.upper(),
                line=line,
                path=path,
            )


def _in_values(settings: Settings) -> Iterator[str]:
    """Values that go together badly, or mean something else in the place where they are read."""
    yield from _of_database(settings.database_url)
    yield from _of_times(settings)
    yield from _of_calls(settings)
    yield from _of_addresses(settings)
    yield from _of_thresholds(settings)


def _of_database(url: str) -> Iterator[str]:
    if is_on_server(url):
        return
    path = url.removeprefix("sqlite:///")
    if path.startswith("//"):
        yield tr("DATABASE_URL has more slashes than the four of an absolute path: {path} is meant", path=_single(path))
    elif not path.startswith(("/", "~")):
        yield tr(
            "DATABASE_URL names {path} relative to the working directory: timers start elsewhere; an absolute path has "
            "four slashes, as in sqlite:////var/lib/kylink/kylink.db",
            path=re.split(r"[?#]", path)[0],
        )
    if "?" in path or "#" in path:
        yield tr("DATABASE_URL: an embedded database takes no parameters; ? and # are parts of the file's name")


def _single(path: str) -> str:
    return "/" + re.split(r"[?#]", path)[0].lstrip("/")


def _of_times(settings: Settings) -> Iterator[str]:
    deadline, interval = settings.deadline_seconds, settings.replenish_interval_minutes * 60
    if deadline > interval:
        yield tr(
            "REPLENISH_DEADLINE_SECONDS ({deadline}) is beyond the interval of {interval} s: a long run takes the "
            "place of the next ones",
            deadline=deadline,
            interval=interval,
        )
    if settings.proxy_timeout_seconds >= deadline:
        yield tr(
            "PROXY_TIMEOUT_SECONDS ({timeout:g}) leaves no time for an answer before the deadline of {deadline} s",
            timeout=settings.proxy_timeout_seconds,
            deadline=deadline,
        )
    waits = (settings.replenish_retry_times - 1) * settings.replenish_retry_delay_ms / 1000
    if waits >= deadline:
        yield tr(
            "REPLENISH_RETRY_DELAY_MS: {tries} tries wait {waits:g} s, and the run ends after {deadline} s",
            tries=settings.replenish_retry_times,
            waits=waits,
            deadline=deadline,
        )


def _of_calls(settings: Settings) -> Iterator[str]:
    calls = settings.campaign_concurrency * settings.stock_concurrency
    if calls > _MANY_CALLS:
        yield tr(
            "CAMPAIGN_CONCURRENCY times STOCK_CONCURRENCY allows {calls} at once: few services and hosts take that",
            calls=counted.calls(calls),
        )


def _of_addresses(settings: Settings) -> Iterator[str]:
    addresses = {field: address for field in _WEB_ADDRESSES if (address := _text(settings, field))}
    for field, address in addresses.items():
        if address.lower().startswith("http") and "#" in address:
            yield tr("{name}: what follows the # is never sent; write # as %23", name=field.upper())
    for field in _HEARTBEATS:
        if set(_PLACEHOLDER.findall(addresses.get(field, ""))) - _FILLED_IN:
            yield tr("{name}: of what is in braces, only {{state}} and {{message}} are replaced", name=field.upper())
    if settings.alert_webhook_secret is not None and settings.alert_webhook_url is None:
        yield tr("ALERT_WEBHOOK_SECRET signs nothing: ALERT_WEBHOOK_URL is not set")
    yield from _of_supply(settings)


def _of_supply(settings: Settings) -> Iterator[str]:
    kind, _, place = (settings.proxy_api_url or "").partition(":")
    if kind.lower() == "file" and not place.startswith("/"):
        yield tr("PROXY_API_URL names a file relative to the working directory: timers start elsewhere")
    key = _text(settings, "proxy_api_key")
    if key.lower().startswith("bearer "):
        yield tr("PROXY_API_KEY begins with 'Bearer', which kylink puts before it: leave the word out")


def _of_thresholds(settings: Settings) -> Iterator[str]:
    for field in _RISING:
        names = _levels(settings, field)
        if getattr(settings, names[0]) > getattr(settings, names[1]):
            yield _out_of_order(names)
    names = ("alert_supply_warning_percent", "alert_supply_error_percent")
    if getattr(settings, names[0]) < getattr(settings, names[1]):
        yield _out_of_order(names)


def _levels(settings: Settings, field: str) -> Sequence[str]:
    percent = "" if hasattr(settings, f"{field}_warning") else "_percent"
    return f"{field}_warning{percent}", f"{field}_error{percent}"


def _out_of_order(names: Sequence[str]) -> str:
    warning, error = map(str.upper, names)
    return tr("{error} is reached before {warning}: there will be no warning", error=error, warning=warning)


def _text(settings: Settings, field: str) -> str:
    value = getattr(settings, field)
    return "" if value is None else value if isinstance(value, str) else value.get_secret_value()
