"""Do secrets travel where others can read them?"""

import os
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from kylink_cli.language import tr
from kylink_cli.overview.doctor import Finding
from kylink_cli.places import is_on_server
from kylink_cli.rules.channel_urls import parse_channel_urls
from kylink_cli.settings.fields import Settings

_HERE = {"localhost", "127.0.0.1", "::1", ""}
_UNVERIFIED = {"no", "false", "0", "off", "n", "f"}


def check_transport(settings: Settings) -> Iterator[Finding]:
    """Is what goes off this host encrypted, and is it known who is at the other end?"""
    if is_on_server(settings.database_url) and _leaves_host(settings.database_url) and not _is_verified(settings):
        yield _warning(
            tr("others may read the connection to the database, or pose as its server"),
            tr("add sslmode=verify-full to DATABASE_URL, and sslrootcert= where its authority is your own"),
        )
    url = settings.proxy_api_url or ""
    if url.lower().startswith("http://") and settings.proxy_api_key is not None and _leaves_host(url):
        yield _warning(tr("the key of the supply service is sent unencrypted"), tr("use https:// in PROXY_API_URL"))
    lock = settings.kylink_lock_url or ""
    if lock.startswith("redis://") and _leaves_host(lock):
        yield _warning(tr("what is sent to the lock server is not encrypted"), tr("use rediss:// in KYLINK_LOCK_URL"))
    for channel in _unverified(settings):
        text = tr("the certificate of {channel} is not checked (verify=no)", channel=channel)
        yield _warning(text, tr("leave verify= out of its address"))


def _warning(text: str, advice: str) -> Finding:
    return Finding("transport", "warning", text, advice)


def _leaves_host(url: str) -> bool:
    """Whether any of the hosts of an address is another than this."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    named = [urlsplit(f"//{host}").hostname or "" for host in hosts]
    named += [value for name, value in parse_qsl(parts.query) if name in {"host", "hostaddr"}]
    return any(host not in _HERE and not host.startswith("/") for host in named)


def _is_verified(settings: Settings) -> bool:
    query = dict(parse_qsl(urlsplit(settings.database_url).query))
    return query.get("sslmode", os.environ.get("PGSSLMODE")) == "verify-full"


def _unverified(settings: Settings) -> Iterator[str]:
    """The kinds of channels whose certificates are not verified."""
    urls = settings.alert_notify_urls
    for address in parse_channel_urls(urls.get_secret_value()) if urls else ():
        query = parse_qsl(urlsplit(address.url).query)
        if any(name.lower() == "verify" and value.lower() in _UNVERIFIED for name, value in query):
            yield address.scheme
