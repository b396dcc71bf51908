"""Files that a command is told to write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kylink_cli.errors import BadFileError
from kylink_cli.language import tr
from kylink_cli.reasons import reason
from kylink_cli.rules.text import one_line


@contextmanager
def replaced(path: Path, *, readable: bool = False) -> Iterator[IO[str]]:
    """A new text file in a path's place, which is not there until it is complete.

    Args:
        path: where it goes.
        readable: whether every user of the machine may read it; else it is private.

    Raises:
        BadFileError: it can't be written.
    """
    from kylink_cli.files import replacement

    try:
        with replacement(path, readable=readable) as file:
            yield file
    except OSError as error:
        raise BadFileError(
            tr("{path} can't be written: {reason}", path=one_line(str(path)), reason=reason(error))
        ) from None
