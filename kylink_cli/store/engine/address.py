"""Where a database on a server is: a URL as libpq takes it, and what kylink itself reads in it.

Several hosts, sockets, service files, `.pgpass` and the variables `PG…` are libpq's affair. Two things kylink
takes out: `pooler=session` or `pooler=transaction`, which names a pooler that can't be noticed; and the settings in
`options=`, which poolers refuse at the start of a session, and which can be set later as well.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args
from urllib.parse import unquote

from kylink_cli.errors import ConfigError
from kylink_cli.language import tr
from kylink_cli.places import is_on_server
from kylink_cli.rules.addresses import is_plain

if TYPE_CHECKING:
    import psycopg

Pooler = Literal["session", "transaction"]

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_CONNECT_SECONDS = 10
# A connection that broke silently is given up within a minute, on either side, instead of after hours.
_KEEPALIVE = {
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "50000",
}
# `-c name=value`, `-cname=value` or `--name=value`; a backslash lets a blank be part of the value.
_OPTION = re.compile(r"\s*(?:-c\s*|--)([\w.-]+)=((?:\\.|[^\s\\])*)(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Address:
    """A database on a server.

    Attributes:
        parameters: of the connection, as libpq knows them.
        settings: of every session there, as the server knows them.
        pooler: the mode of the pooler in between, if one is named.
    """

    parameters: dict[str, str]
    settings: dict[str, str]
    pooler: Pooler | None = None

    @property
    def conninfo(self) -> str:
        """What the driver connects by."""
        from psycopg.conninfo import make_conninfo

        return make_conninfo("", **self.parameters)

    def connect(self) -> "psycopg.Connection[Any]":
        """A connection of the driver's own."""
        from psycopg import connect

        return connect(self.conninfo)

    @property
    def name(self) -> str:
        """The place in short, without user and password."""
        named = [self.parameters.get(part, "") for part in ("service", "host", "hostaddr", "port", "dbname")]
        return "/".join(filter(None, named))


def parse(url: str, application_name: str = "kylink") -> Address:
    """Read an address.

    Args:
        url: `postgresql://…` or `postgres://…`.
        application_name: what the server shows of the connections, unless the URL says so.

    Raises:
        ConfigError: the URL is none, or the driver is not installed.
    """
    if not is_on_server(url) or not is_plain(url):
        # The driver would name as a host what is a part of the password.
        raise ConfigError(tr("DATABASE_URL must be postgresql://USER@HOST/NAME"))
    place, _, query = url.partition("?")
    named = [part.partition("=") for part in query.split("&") if part]
    # libpq wants an equals sign within a value escaped, as in options=-csearch_path=kylink.
    rest = "&".join(f"{name}={value.replace('=', '%3D')}" for name, _, value in named if name != "pooler")
    pooler = next((unquote(value) for name, _, value in named if name == "pooler"), None)
    given = _read(f"{place}?{rest}")
    settings = _settings(given.pop("options", ""))
    # Kylink reads and writes UTF-8, whatever the URL says.
    defaults = {"application_name": application_name, "connect_timeout": str(_CONNECT_SECONDS), **_KEEPALIVE}
    if "," in given.get("host", given.get("hostaddr", "")):
        defaults["target_session_attrs"] = "primary"
    return Address(defaults | given | {"client_encoding": "UTF8"}, settings, _mode(pooler))


def _read(url: str) -> dict[str, str]:
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict
    except ModuleNotFoundError as error:
        raise ConfigError(
            tr("DATABASE_URL names a PostgreSQL database, whose driver is not installed: pip install 'psycopg[binary]'")
        ) from error
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except ProgrammingError:
        if "schema" in [part.partition("=")[0] for part in url.partition("?")[2].split("&")]:
            raise ConfigError(
                tr("DATABASE_URL: schema= is no parameter of libpq: write options=-csearch_path%3DNAME instead")
            ) from None
        # The driver's own words may hold the password.
        raise ConfigError(
            tr("DATABASE_URL must be postgresql://USER@HOST/NAME, with parameters as libpq knows them")
        ) from None
    if given.get("sslmode", _SSL_MODES[0]) not in _SSL_MODES:
        raise ConfigError(tr("sslmode= in DATABASE_URL must be one of {modes}", modes=", ".join(_SSL_MODES)))
    ports = given.get("port", "").split(",")
    if not all(port == "" or (port.isdecimal() and 0 < int(port) < 65536) for port in ports):
        raise ConfigError(tr("DATABASE_URL must be postgresql://USER@HOST/NAME, with ports from 1 to 65535"))
    return given


def _mode(named: str | None) -> Pooler | None:
    if named is not None and named not in get_args(Pooler):
        raise ConfigError(tr("pooler= in DATABASE_URL must be session or transaction"))
    return cast("Pooler | None", named)


def _settings(options: str) -> dict[str, str]:
    """The settings in libpq's `options`.

    Raises:
        ConfigError: there is something else in it.
    """
    found, end = {}, 0
    for option in _OPTION.finditer(options):
        if option.start() != end:
            break
        found[option[1].replace("-", "_").lower()] = re.sub(r"\\(.)", r"\1", option[2])
        end = option.end()
    if options[end:].strip():
        raise ConfigError(tr("options= in DATABASE_URL may only hold settings: -c NAME=VALUE"))
    return found
