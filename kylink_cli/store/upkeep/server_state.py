"""How a server stands towards kylink: can it write there, with which rights, by how many connections, at what time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session
from sqlmodel import SQLModel

from kylink_cli.store.engine import commit_marks, lineage
from kylink_cli.store.engine.postgresql import BEHIND_POOLER, ServerDatabase
from kylink_cli.store.engine.schema import VERSION_TABLE, other_encoding


@dataclass(frozen=True, slots=True)
class MissingRights:
    """What a user may not do with one thing, and has to; all of it as GRANT names it."""

    user: str
    thing: str  # SCHEMA kylink, TABLE kylink.leases, SEQUENCE kylink.leases_id_seq
    rights: Sequence[str]

    @property
    def grant(self) -> str:
        """The statement that gives them."""
        return f"GRANT {', '.join(self.rights)} ON {self.thing} TO {self.user}"


@dataclass(frozen=True, slots=True)
class Connections:
    """Connections that are open of those that are allowed."""

    used: int
    allowed: int
    whose: str  # what has the limit: server, database or user


@dataclass(frozen=True, slots=True)
class ServerState:
    """How a server stands towards kylink."""

    is_standby: bool  # it follows another one, and takes no writes
    is_pooled: bool
    encoding: str | None  # the database's, if it is not UTF-8
    clock_ahead: timedelta  # of this host's
    connections: Connections  # of the limit that will be reached first


_CONNECTIONS = text(
    """
    SELECT used, allowed, whose FROM (
        SELECT (SELECT sum(numbackends) FROM pg_stat_database)::int AS used,
               current_setting('max_connections')::int
                   - current_setting('superuser_reserved_connections')::int AS allowed,
               'server' AS whose
        UNION ALL
        SELECT (SELECT numbackends FROM pg_stat_database s WHERE s.datname = d.datname), d.datconnlimit, 'database'
        FROM pg_database d WHERE d.datname = current_database() AND d.datconnlimit >= 0
        UNION ALL
        SELECT (SELECT count(*) FROM pg_stat_activity a WHERE a.usename = r.rolname), r.rolconnlimit, 'user'
        FROM pg_roles r WHERE r.rolname = current_user AND r.rolconnlimit >= 0
    ) AS limits ORDER BY allowed - used LIMIT 1
    """
)
_RIGHTS = text(
    """
    WITH place AS (
        SELECT c.relnamespace AS schema FROM pg_class c
        WHERE c.relname = 'campaign_claims' AND c.relkind = 'r'
        ORDER BY pg_table_is_visible(c.oid) DESC LIMIT 1
    ), things AS (
        SELECT 0 AS kind, 'SCHEMA ' || quote_ident(n.nspname) AS thing, 'USAGE' AS right_name,
               has_schema_privilege(n.oid, 'USAGE') AS is_given
        FROM pg_namespace n JOIN place ON n.oid = place.schema
        UNION ALL
        SELECT 1, 'TABLE ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname), wanted.right_name,
               has_table_privilege(c.oid, wanted.right_name)
        FROM pg_class c JOIN place ON c.relnamespace = place.schema JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS wanted (right_name)
        WHERE c.relname = ANY (:tables)
        UNION ALL
        SELECT 1, 'TABLE ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname), 'SELECT',
               has_table_privilege(c.oid, 'SELECT')
        FROM pg_class c JOIN place ON c.relnamespace = place.schema JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = :version_table
        UNION ALL
        SELECT 2, 'SEQUENCE ' || quote_ident(n.nspname) || '.' || quote_ident(s.relname), 'USAGE',
               CASE s.relkind WHEN 'S' THEN has_sequence_privilege(s.oid, 'USAGE') END
        FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'a' AND d.classid = 'pg_class'::regclass
        JOIN pg_class c ON c.oid = d.refobjid JOIN place ON c.relnamespace = place.schema
        JOIN pg_namespace n ON n.oid = s.relnamespace
        WHERE s.relkind = 'S' AND c.relname = ANY (:tables)
    )
    SELECT thing, array_agg(right_name ORDER BY right_name), quote_ident(current_user)
    FROM things WHERE NOT is_given GROUP BY kind, thing ORDER BY kind, thing
    """
)


def read_server_state(database: ServerDatabase) -> ServerState:
    """How a server stands towards kylink."""

    def read(session: Session) -> ServerState:
        used, allowed, whose = session.execute(_CONNECTIONS).one()
        before = datetime.now(UTC)
        moment: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        return ServerState(
            is_standby=session.execute(text("SELECT pg_is_in_recovery()")).scalar_one(),
            is_pooled=session.connection().info[BEHIND_POOLER],
            encoding=other_encoding(session),
            clock_ahead=moment.astimezone(UTC) - (before + (datetime.now(UTC) - before) / 2),
            connections=Connections(used, allowed, whose),
        )

    return database.read(read)


def missing_rights(database: ServerDatabase) -> list[MissingRights]:
    """The rights that daily work needs and the user does not have; upgrades need the tables' owner beside."""
    tables = [lineage.TABLE.name, commit_marks.TABLE.name, *(rows.name for rows in SQLModel.metadata.sorted_tables)]

    def read(session: Session) -> list[MissingRights]:
        found = session.execute(_RIGHTS, {"tables": tables, "version_table": VERSION_TABLE})
        return [MissingRights(user, thing, rights) for thing, rights, user in found]

    return database.read(read)
