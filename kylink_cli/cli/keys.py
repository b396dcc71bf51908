"""`kylink keys …`: who may use the HTTP face."""

from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.completers import users
from kylink_cli.errors import NotFoundError, UsageError
from kylink_cli.language import tr
from kylink_cli.rules.vocabulary import Ability, Act

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from kylink_cli.store.audit import AuditEntry
    from kylink_cli.store.engine.database import Database

keys = group("keys", "Keys of the HTTP face: who may take, operate or look.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    app.add_typer(keys)


NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The key's name, as shown by 'list'.")]


@command(keys, "add")
def add(
    cli: Cli,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is called: letters, digits, . _ -")],
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            metavar="U",
            help="Only for this user's campaigns, leases and alerts. [default: everybody's]",
            autocompletion=users,
        ),
    ] = None,
    can: Annotated[
        str, typer.Option("--can", metavar="WHAT", help="What it can: consume, operate, read, or several of them.")
    ] = "consume",
) -> None:
    """Make a key, and show it. It is shown this once, since only its hash is kept."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import keys as view
    from kylink_cli.rules.keys import NAME, new_key
    from kylink_cli.rules.text import one_line
    from kylink_cli.store import http_keys
    from kylink_cli.store.audit import AuditEntry
    from kylink_cli.store.levels import Scope, statuses
    from kylink_cli.store.tables import HttpKey

    if not NAME.fullmatch(name):
        shown = one_line(name, 40)
        raise UsageError(tr("the name {name!r} is no key's: letters, digits and . _ - make one", name=shown))
    abilities = _abilities(can)
    database = wiring.existing_database(cli.settings)
    given = new_key()
    key = HttpKey(
        name=name,
        public_id=given.public_id,
        secret_hash=given.secret_hash,
        user_id=user,
        abilities=",".join(abilities),
        created_at=database.now(),
    )
    entry = AuditEntry(cli.who, Act.KEY_ADDED, [name], f"{user or 'every user'}: {key.abilities}")
    if not _recorded(database, entry, lambda session: http_keys.add(session, key)):
        raise UsageError(tr("there is a key {name} already: revoke or rotate it, or choose another name", name=name))
    if user is not None and not database.read(lambda session: statuses(session, Scope(user_id=user))):
        cli.console.warning(tr("user {user_id} has no campaigns yet", user_id=one_line(user, 40)))
    view.show_given(cli.console, name, given)


@command(keys, "list")
def list_keys(cli: Cli) -> None:
    """List the keys, without their secrets."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import keys as view
    from kylink_cli.store import http_keys

    database = wiring.existing_database(cli.settings)
    view.show_keys(cli.console, database.read(http_keys.read_all), database.now())


@command(keys, "rotate")
def rotate(cli: Cli, name: NameArgument) -> None:
    """Replace a key by a new one of the same name, and show it.

    The earlier one is refused from now on.
    """
    from kylink_cli import wiring
    from kylink_cli.cli.views import keys as view
    from kylink_cli.rules.keys import new_key
    from kylink_cli.store import http_keys
    from kylink_cli.store.audit import AuditEntry

    database = wiring.existing_database(cli.settings)
    given, now = new_key(), database.now()
    entry = AuditEntry(cli.who, Act.KEY_ROTATED, [name])
    if not _recorded(
        database, entry, lambda session: http_keys.rotate(session, name, given.public_id, given.secret_hash, now)
    ):
        raise _unknown(name)
    view.show_given(cli.console, name, given)


@command(keys, "revoke", acts=True)
def revoke(cli: Cli, name: NameArgument) -> None:
    """Delete a key: whoever shows it is refused."""
    from kylink_cli import wiring
    from kylink_cli.store import http_keys
    from kylink_cli.store.audit import AuditEntry

    entry = AuditEntry(cli.who, Act.KEY_REVOKED, [name])
    database = wiring.existing_database(cli.settings)
    if not _recorded(database, entry, lambda session: http_keys.remove(session, name)):
        raise _unknown(name)
    if cli.console.json:
        cli.console.document({"name": name, "revoked": True})
    else:
        cli.console.say(tr("key {name} is revoked", name=name))


def _recorded(database: "Database", entry: "AuditEntry", change: "Callable[[Session], bool]") -> bool:
    """Whether a change was made, which the audit trail then knows of."""
    from kylink_cli.store import audit

    def act(session: "Session") -> bool:
        changed = change(session)
        if changed:
            audit.record(session, entry, database.now())
        return changed

    return database.commit(act)


def _abilities(can: str) -> list[Ability]:
    words = [word.strip() for word in can.split(",")]
    unknown = [word for word in words if word not in {*Ability}]
    if unknown:
        from kylink_cli.rules.text import one_line

        raise UsageError(
            tr("a key can't {word!r}: --can takes consume, operate, read, or several", word=one_line(unknown[0], 40))
        )
    return [ability for ability in Ability if ability in words]


def _unknown(name: str) -> NotFoundError:
    from kylink_cli.rules.text import one_line

    return NotFoundError(tr("there is no key {name}: 'kylink keys list' shows them", name=one_line(name, 40)))
