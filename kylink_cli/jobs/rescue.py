"""What a run was supplied, saved when its database is taken away under it: beside where that was."""

from kylink_cli.errors import DatabaseError, DatabaseReplacedError
from kylink_cli.language import ntr, tr
from kylink_cli.running.run import LiveRun
from kylink_cli.store.upkeep.rescue import write_supplied


def require_database(run: LiveRun) -> None:
    """Make sure at a run's end that what it has stored is where it belongs.

    Raises:
        DatabaseReplacedError: it is not; the message says where it was saved.
        DatabaseError: it could not be saved.
    """
    database = run.database
    try:
        database.require_place()
        if not database.is_adrift:
            return
    except DatabaseReplacedError:
        database.go_adrift()
    if database.path is None:
        return
    file = database.path.with_name(f"{database.path.name}.rescued-{run.id}.jsonl")
    try:
        items = write_supplied(database, file, run.started_at)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DatabaseError(
            tr("what was supplied can't be saved in {file}: {reason}", file=file, reason=reason)
        ) from error
    raise DatabaseReplacedError(
        tr(
            "the database {path} was deleted or replaced under the run: {items} that it was supplied are saved in "
            "{file}; restore a backup, then 'kylink stock import CAMPAIGN {file}' for each of its campaigns",
            path=database.path,
            items=ntr("{n} item", "{n} items", items),
            file=file,
        )
    )
