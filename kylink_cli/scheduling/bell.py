"""The bell of a host: the file that takes make, and what answers it: systemd's path unit, or a process of its own."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from kylink_cli.children import own_command
from kylink_cli.places import watched_bell

Mode = Literal["auto", "path", "spawn", "off"]

FILE_NAME: Final = "rung"


@dataclass(frozen=True, slots=True)
class HostBell:
    """Where the bell hangs, and who hears it."""

    file: Path | None = None  # None: nobody hears it, rings are only recorded
    command: Sequence[str] = ()  # started by who rings, where systemd does not
    patience_seconds: float = 60  # a ring that is older was not heard

    def ring(self) -> None:
        """Make a ring heard; an item was taken or refused, whatever becomes of it, so nothing is raised."""
        if self.file is None:
            return
        with suppress(OSError):
            if _made(self.file, self.patience_seconds) and self.command:
                _start(self.command)

    def silence(self) -> None:
        """Whoever rings from now on is heard by the next run."""
        if self.file is not None:
            with suppress(OSError):
                self.file.unlink(missing_ok=True)


def hang(mode: Mode, folder: Path, command: Sequence[str], patience_seconds: float) -> HostBell:
    """The bell of this host.

    Args:
        folder: where its file is, unless an installed path unit watches another place.
        command: what answers it where systemd does not.
        patience_seconds: a ring that is older was not heard.
    """
    watched = watched_bell()
    own = folder / FILE_NAME
    match mode:
        case "spawn":
            return HostBell(own, command, patience_seconds)
        case "path":
            return HostBell(watched or own, patience_seconds=patience_seconds)
        case "auto":
            return HostBell(watched, patience_seconds=patience_seconds)
        case "off":
            return HostBell()


def answer_command(env_file: Path | None) -> list[str]:
    """What answers a ring where systemd does not: this very kylink, with the settings of who rings."""
    named = [] if env_file is None else ["--env-file", str(env_file.absolute())]
    return [*own_command(), *named, "replenish", "--rung", "--scheduled"]


def _made(file: Path, patience_seconds: float) -> bool:
    """Whether this ring is the first since the last answer, or the first in a long time."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        if time.time() - file.stat().st_mtime < patience_seconds:
            return False
        os.utime(file)
    return True


def _start(command: Sequence[str]) -> None:
    """Start a process that outlives this one; a thread takes leave of it when it ends first."""
    import subprocess
    import threading

    child = subprocess.Popen(  # noqa: S603  (the command is ours)
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    threading.Thread(target=child.wait, daemon=True).start()
