"""What kylink needs of a session on a server, whatever the server, its databases, roles and poolers have set.

It is set by a statement after connecting, and looked at: a startup parameter is refused by poolers. A pooler is noticed
by its backend, which is another one than the login named. Behind it everything is set anew in each transaction, since
the next one may be on another backend, or on one that a stranger has used; and nothing is prepared there.
"""

from typing import TYPE_CHECKING, Any

from kylink_cli.store.engine.address import Address
from kylink_cli.store.engine.driver_errors import BUSY_TIMEOUT_SECONDS

if TYPE_CHECKING:
    import psycopg

_NEEDED = {
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    # Rows that a policy hides would pass for rows that are not there.
    "row_security": "off",
    "lock_timeout": f"{BUSY_TIMEOUT_SECONDS}s",
}
# A connection that broke silently is given up by the server within a minute; a pooler has one of its own.
_KEEPALIVE = {"tcp_keepalives_idle": "20", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}

# Where kylink's tables are, wherever the server's search path leads; in a new database, where new ones come.
_SCHEMA = """coalesce(
    (SELECT pg_catalog.quote_ident(n.nspname)
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relname = 'campaign_claims' AND c.relkind = 'r'
     ORDER BY pg_catalog.pg_table_is_visible(c.oid) DESC, n.nspname <> 'public', n.nspname LIMIT 1),
    pg_catalog.quote_ident(pg_catalog.current_schema()), 'public')"""
# What was acknowledged is to be stored; how many standbys have it too is the server's affair.
_DURABLE = (
    "CASE pg_catalog.current_setting('synchronous_commit') WHEN 'off' THEN 'on' "
    "ELSE pg_catalog.current_setting('synchronous_commit') END"
)


def prepare(connection: "psycopg.Connection[Any]", address: Address) -> bool:
    """Set up a session.

    Returns:
        Whether a pooler is in between, so that `local_settings` is needed in each transaction.
    """
    is_pooled = address.pooler is not None
    before, connection.autocommit = connection.autocommit, True
    needed = _NEEDED | _KEEPALIVE | address.settings
    row = connection.execute(_statement(needed, local=False)).fetchone()
    connection.autocommit = before
    if row is not None and row[0] != connection.info.backend_pid:
        is_pooled = True
    if is_pooled:
        connection.prepare_threshold = None
    return is_pooled


def local_settings(address: Address) -> str:
    """The statement that sets up a transaction behind a pooler."""
    return _statement(_NEEDED | address.settings, local=True).decode()


def _statement(needed: dict[str, str], *, local: bool) -> bytes:
    values = {name: _quoted(value) for name, value in needed.items()}
    values.setdefault("synchronous_commit", _DURABLE)
    values.setdefault("search_path", _SCHEMA)
    calls = [f"pg_catalog.set_config({_quoted(name)}, {value}, {str(local).lower()})" for name, value in values.items()]
    return f"SELECT pg_catalog.pg_backend_pid(), {', '.join(calls)}".encode()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'"
