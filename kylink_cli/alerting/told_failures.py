"""What people have been told past the alert book: a file for each failure, in the state directory, until a good run.

Where no channel worked, the journal has it, once; the channels are tried again with the next failure.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from kylink_cli.files import create_private_file, is_there
from kylink_cli.places import state_directory


def is_told(scope: str, *, by_journal: bool = False) -> bool:
    """Whether people have been notified of a failure, or the journal alone has it, and no run has gone well since."""
    return is_there(_file(scope, by_journal=by_journal))


def remember(scope: str, *, by_journal: bool = False) -> None:
    """Note that people have been told, or that the journal has it; where that can't be noted it is told again."""
    with suppress(OSError):
        create_private_file(_file(scope, by_journal=by_journal))


def forget(scopes: Iterable[str]) -> None:
    """Note that failures are over."""
    for scope in scopes:
        for by_journal in (False, True):
            with suppress(OSError):
                _file(scope, by_journal=by_journal).unlink()


def _file(scope: str, *, by_journal: bool) -> Path:
    name = quote(scope, safe="")
    return state_directory() / "told-failures" / (f"{name}:journal" if by_journal else name)
