"""What `kylink doctor` finds at a database on a server: can kylink write there, now and under load."""

from collections.abc import Iterator
from datetime import timedelta

from kylink_cli.language import marked, tr
from kylink_cli.overview.doctor import Finding
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.postgresql import ServerDatabase
from kylink_cli.store.upkeep.server_state import Connections, ServerState, missing_rights, read_server_state

CLOCK_TOLERANCE = timedelta(seconds=1)
_FEW_LEFT = 0.8
_WHOSE = {"server": marked("server"), "database": marked("database"), "user": marked("user")}


def check_server(database: Database) -> Iterator[Finding]:
    """Can it be written, in every character, by this user, over enough connections, at the same time of day?"""
    if isinstance(database, ServerDatabase):
        yield from _check_state(read_server_state(database))
        yield from _check_rights(database)


def _check_state(state: ServerState) -> Iterator[Finding]:
    if state.is_standby:
        advice = tr("point DATABASE_URL at the primary, or at both hosts with target_session_attrs=read-write")
        yield Finding("database", "error", tr("the server is a standby: nothing can be written there"), advice)
    if state.encoding is not None:
        text = tr("the database is in {encoding}, which does not hold every character", encoding=state.encoding)
        yield Finding("database", "error", text, tr("move to one in UTF8 by 'kylink db copy'"))
    if state.is_pooled:
        text = tr(
            "connections go through a pooler: statements are not prepared, and in transaction mode it keeps no locks"
        )
        yield Finding("database", "ok", text)
    yield _connections(state.connections)
    yield _clock(state.clock_ahead)


def _check_rights(database: ServerDatabase) -> Iterator[Finding]:
    for missing in missing_rights(database):
        text = tr(
            "the user {user} lacks {rights} on {thing}",
            user=missing.user,
            rights=", ".join(missing.rights),
            thing=missing.thing,
        )
        yield Finding("database", "error", text, tr("as its owner: {statement};", statement=missing.grant))


def _connections(found: Connections) -> Finding:
    text = tr(
        "{used} of {allowed} connections of the {whose} are in use",
        used=found.used,
        allowed=found.allowed,
        whose=tr(_WHOSE[found.whose]),
    )
    if found.used < _FEW_LEFT * found.allowed:
        return Finding("database", "ok", text)
    return Finding("database", "warning", text, tr("allow more, close idle ones, or use a pooler"))


def _clock(ahead: timedelta) -> Finding:
    seconds = ahead.total_seconds()
    if abs(ahead) <= CLOCK_TOLERANCE:
        return Finding("clock", "ok", tr("this host's clock and the server's agree"))
    text = (
        tr("this host's clock is {seconds:,.1f} s behind the server's", seconds=seconds)
        if seconds > 0
        else tr("this host's clock is {seconds:,.1f} s ahead of the server's", seconds=-seconds)
    )
    return Finding(
        "clock", "warning", text, tr("set the clock right (timedatectl); the server's clock decides what has expired")
    )
