"""The errors that a user can meet, each with its exit code.

    KylinkError                     1   INTERNAL
    ├── UsageError                  2   USAGE
    ├── NotFoundError              11   NOT_FOUND
    ├── NoStockError               11   NO_STOCK
    ├── PartlyDoneError            10   PARTLY_DONE
    ├── LockedError                75   LOCKED
    ├── ConfigError                78   CONFIG
    ├── BadFileError                1   USAGE
    └── DatabaseError               1   DATABASE
        ├── DatabaseBusyError      75   DATABASE
        └── DatabaseUnfitError     78   DATABASE

An error's message is one line that says what is wrong, with which value, and what to do.
Errors of the supply service have a tree of their own, in `supply/errors.py`: a run judges and counts them.
"""

from collections.abc import Sequence
from typing import ClassVar


class KylinkError(Exception):
    """Something went wrong that kylink can name."""

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "INTERNAL"


class UsageError(KylinkError):
    """The command was called with arguments that do not fit together."""

    exit_code = 2
    code = "USAGE"


class NotFoundError(KylinkError):
    """What was named does not exist."""

    exit_code = 11
    code = "NOT_FOUND"


class NoStockError(KylinkError):
    """A campaign has no item to lease."""

    exit_code = 11
    code = "NO_STOCK"


class PartlyDoneError(KylinkError):
    """Some of what was asked for was done."""

    exit_code = 10
    code = "PARTLY_DONE"


class LockedError(KylinkError):
    """Another run holds the lock or the claim."""

    exit_code = 75
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
    """A file that was to be read in can't be used; nothing was changed.

    Attributes:
        faults: what is wrong, one line each, where there is more to say than the message.
    """

    code = "USAGE"

    def __init__(self, message: str, faults: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.faults = faults


class DatabaseError(KylinkError):
    """The database could not do what was asked of it."""

    code = "DATABASE"


class DatabaseBusyError(DatabaseError):
    """The database stayed locked by others for longer than the busy timeout."""

    exit_code = 75


class DatabaseUnfitError(DatabaseError):
    """The database is missing, empty, unreadable, or of another version than the program."""

    exit_code = 78
