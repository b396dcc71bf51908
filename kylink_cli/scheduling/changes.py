"""Files of the host that an installation writes or removes: what would change, and the change itself."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kylink_cli.errors import BadFileError
from kylink_cli.files import replacement
from kylink_cli.language import tr
from kylink_cli.reasons import reason


@dataclass(frozen=True, slots=True)
class Change:
    """One file, before and after."""

    path: Path
    before: str | None  # None if there is no such file
    after: str | None  # None if the file is to go

    @property
    def diff(self) -> str:
        """The change as a unified diff; empty if there is none."""
        old, new = (self.before or "").splitlines(keepends=True), (self.after or "").splitlines(keepends=True)
        source, target = (str(self.path) if text is not None else "/dev/null" for text in (self.before, self.after))
        return "".join(difflib.unified_diff(old, new, source, target))


def to_install(files: Mapping[Path, str]) -> list[Change]:
    """What it takes for files to be in their places; nothing for those that are there as they are to be.

    Raises:
        BadFileError: one can't be read.
    """
    found = [Change(path, _read(path), text) for path, text in files.items()]
    return [change for change in found if change.before != change.after]


def to_remove(paths: Sequence[Path]) -> list[Change]:
    """What it takes for files to be gone.

    Raises:
        BadFileError: one can't be read.
    """
    return [Change(path, before, None) for path in paths if (before := _read(path)) is not None]


def carry_out(changes: Sequence[Change]) -> None:
    """Write and remove files, each at once.

    Raises:
        BadFileError: one can't be written or removed.
    """
    for change in changes:
        try:
            _carry_out(change)
        except OSError as error:
            raise BadFileError(
                tr("{path} can't be changed: {reason}", path=change.path, reason=reason(error))
            ) from None


def _carry_out(change: Change) -> None:
    if change.after is None:
        change.path.unlink(missing_ok=True)
        return
    change.path.parent.mkdir(parents=True, exist_ok=True)
    with replacement(change.path, readable=True) as file:
        file.write(change.after)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadFileError(tr("{path} can't be read: {reason}", path=path, reason=reason(error))) from None
