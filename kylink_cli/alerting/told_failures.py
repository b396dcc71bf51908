"""What people have been told past the alert book: a file for each failure, in the state directory, until a good run."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from kylink_cli.files import create_private_file, is_there
from kylink_cli.places import state_directory


def is_told(scope: str) -> bool:
    """Whether people have been notified of a failure, and no run has gone well since."""
    return is_there(_file(scope))


def remember(scope: str) -> None:
    """Note that people have been told; where that can't be noted they are told again."""
    with suppress(OSError):
        create_private_file(_file(scope))


def forget(scopes: Iterable[str]) -> None:
    """Note that failures are over."""
    for scope in scopes:
        with suppress(OSError):
            _file(scope).unlink()


def _file(scope: str) -> Path:
    return state_directory() / "told-failures" / quote(scope, safe="")
