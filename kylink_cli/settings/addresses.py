"""What the addresses among the settings must be; each function returns the value, or says what is wrong with it."""

import re
from urllib.parse import SplitResult, parse_qsl

from pydantic import SecretStr

from kylink_cli.language import tr
from kylink_cli.places import is_on_server
from kylink_cli.rules.addresses import is_plain, split

_URL_KIND = re.compile(r"[a-z][a-z0-9+.-]*:.", re.IGNORECASE)


def _require_plain(address: str) -> None:
    if not is_plain(address):
        raise ValueError(
            tr(
                "can be read in more than one way: write HOST:PORT with a number, and in a user or password @ as %40, "
                "/ as %2F, # as %23, ? as %3F and % as %25"
            )
        )


def _require_port(parts: SplitResult) -> None:
    try:
        parts.port  # noqa: B018  (reading it is the check)
    except ValueError:
        raise ValueError("must have a port from 0 to 65535, if any") from None


def _names_database(parts: SplitResult) -> bool:
    """Whether an address on a server says which database; a forgotten name would be taken to be the user's."""
    return bool(parts.path.strip("/")) or any(
        name in {"dbname", "service"} and value for name, value in parse_qsl(parts.query)
    )


def check_database_url(value: str) -> str:
    """A file, or a database on a server."""
    if value.startswith("sqlite:///") and value != "sqlite:///":
        return value
    if not is_on_server(value):
        raise ValueError(tr("must be sqlite:///FILE or postgresql://USER@HOST/NAME"))
    _require_plain(value)
    if not _names_database(split(value)):
        raise ValueError(tr("must be sqlite:///FILE or postgresql://USER@HOST/NAME"))
    for host in split(value).netloc.rpartition("@")[2].split(","):
        _require_port(split(f"//{host}"))
    return value


def check_supply_url(value: str) -> str:
    """A URL that names a kind; over HTTP with a host, and without a password that could reach a log."""
    if not _URL_KIND.match(value):
        raise ValueError(tr("must be https://…, http://…, exec:/path/to/program or file:/path/to/values"))
    parts = split(value)
    if parts.scheme not in {"http", "https"}:
        return value
    if not parts.hostname:
        raise ValueError(tr("must name a host, as in https://supply.example/v1/items"))
    if parts.username is not None or parts.password is not None:
        raise ValueError(tr("must not contain a user or password: put the key in PROXY_API_KEY"))
    _require_port(parts)
    return value


def check_key(value: SecretStr) -> SecretStr:
    """A key that can be sent in an HTTP header."""
    if not value.get_secret_value().isascii() or not value.get_secret_value().isprintable():
        raise ValueError(tr("must be printable ASCII, since it is sent in an HTTP header"))
    return value


def check_channel_urls(value: SecretStr) -> SecretStr:
    """Addresses; whether there is such a kind is seen when they are used."""
    from kylink_cli.rules.channel_urls import parse_channel_urls

    parse_channel_urls(value.get_secret_value())
    return value


def check_webhook_url(value: SecretStr) -> SecretStr:
    """One address that can be posted to."""
    from kylink_cli.rules.channel_urls import parse_channel_urls

    check_web_address(value)
    if len(parse_channel_urls(value.get_secret_value())) != 1:
        raise ValueError(tr("must be one address; put further ones in ALERT_NOTIFY_URLS"))
    return value


def check_web_address(value: SecretStr) -> SecretStr:
    """An address that can be reached over HTTP."""
    parts = split(value.get_secret_value())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(tr("must be an https:// or http:// address"))
    return value


def check_lock_url(value: str) -> str:
    """A folder, the shared database, or a Redis server."""
    if not value.startswith(("file:/", "redis://", "rediss://")) and value != "database:":
        raise ValueError(tr("must be file:/absolute/path/of/a/folder, database: or redis://HOST"))
    if value.startswith("redis"):
        _require_plain(value)
    return value
