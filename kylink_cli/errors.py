"""The errors that a user can meet, each with its exit code.

    KylinkError                     1   INTERNAL
    ├── UsageError                  2   USAGE
    ├── NotFoundError              11   NOT_FOUND
    │   └── UnknownCampaignError
    ├── NoStockError               11   NO_STOCK
    ├── LeaseOverError              1   LEASE_OVER
    ├── PartlyDoneError            10   PARTLY_DONE
    ├── LockedError                75   LOCKED
    ├── LockUnreachableError        1   LOCKED
    ├── ConfigError                78   CONFIG
    ├── BadFileError                1   USAGE
    ├── OutputError                 1   INTERNAL
    │   └── ReaderGoneError       141
    └── DatabaseError               1   DATABASE
        ├── DatabaseBusyError      75   DATABASE
        │   └── DatabaseConflictError
        ├── DatabaseLostError       1   DATABASE
        ├── DatabaseReplacedError   1   DATABASE
        └── DatabaseUnfitError     78   DATABASE
            └── DatabaseMissingError

An error's message is one line that says what is wrong, with which value, and what to do.
Errors of the supply service have a tree of their own, in `supply/errors.py`: a run judges and counts them.
"""

from collections.abc import Sequence
from typing import ClassVar

from kylink_cli.language import tr
from kylink_cli.rules.text import one_line

_ID_LENGTH = 80


class KylinkError(Exception):
    """Something went wrong that kylink can name.

    Attributes:
        details: lines that are shown before the message, such as the bad rows of a file.
    """

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "INTERNAL"
    details: Sequence[str] = ()


class UsageError(KylinkError):
    """The command was called with arguments that do not fit together."""

    exit_code = 2
    code = "USAGE"


class NotFoundError(KylinkError):
    """What was named does not exist."""

    exit_code = 11
    code = "NOT_FOUND"


class UnknownCampaignError(NotFoundError):
    """There is no campaign of this id."""

    def __init__(self, campaign_id: str) -> None:
        shown = one_line(campaign_id, _ID_LENGTH)
        super().__init__(tr("unknown campaign {campaign_id}: 'kylink campaigns list' shows them", campaign_id=shown))


class NoStockError(KylinkError):
    """A campaign has no item to lease."""

    exit_code = 11
    code = "NO_STOCK"


class LeaseOverError(KylinkError):
    """A lease has ended, so that its item is its holder's no more, or was used up already."""

    code = "LEASE_OVER"


class PartlyDoneError(KylinkError):
    """Some of what was asked for was done."""

    exit_code = 10
    code = "PARTLY_DONE"


class LockedError(KylinkError):
    """Another run holds the lock or the claim."""

    exit_code = 75
    code = "LOCKED"


class LockUnreachableError(KylinkError):
    """The server that keeps the locks can't be reached."""

    code = "LOCKED"


class ConfigError(KylinkError):
    """One or several settings are missing or bad.

    Attributes:
        problems: each in a line of its own; together they are the message.
    """

    exit_code = 78
    code = "CONFIG"

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class BadFileError(KylinkError):
    """A file that was named can't be read, written or used; nothing was changed."""

    code = "USAGE"

    def __init__(self, message: str, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = details


class OutputError(KylinkError):
    """Standard output does not take the result."""


class ReaderGoneError(OutputError):
    """Whoever read standard output wants no more, as in `kylink … | head`: the code is a shell's for SIGPIPE."""

    exit_code = 141


class DatabaseError(KylinkError):
    """The database could not do what was asked of it."""

    code = "DATABASE"


class DatabaseBusyError(DatabaseError):
    """The database stayed locked by others for longer than the busy timeout."""

    exit_code = 75


class DatabaseConflictError(DatabaseBusyError):
    """The database undid a transaction because of others at the same rows: the same one may go through next time."""


class DatabaseLostError(DatabaseError):
    """The database can't be reached, or the connection to it broke."""


class DatabaseReplacedError(DatabaseError):
    """The database's file was deleted, or another was put in its place, while kylink worked with it."""


class DatabaseUnfitError(DatabaseError):
    """The database is missing, empty, unreadable, or of another version than the program."""

    exit_code = 78


class DatabaseMissingError(DatabaseUnfitError):
    """There is no database yet, or an empty one: what may create it does, all else ends here."""
