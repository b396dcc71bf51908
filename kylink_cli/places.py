"""Where kylink keeps and finds things on a host, unless the settings say otherwise."""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from kylink_cli.errors import ConfigError
from kylink_cli.language import tr
from kylink_cli.rules.addresses import shown_address
from kylink_cli.rules.text import one_line

LOCAL_ENV_FILE: Final = Path(".env")
SYSTEM_ENV_FILE: Final = Path("/etc/kylink/kylink.env")
SYSTEM_CREDENTIALS: Final = Path("/etc/kylink/credentials")
# Tells a process that the HTTP face starts whose act it is, by the key that was shown.
ON_BEHALF_OF: Final = "_KYLINK_ON_BEHALF_OF"
BELL_PATH_UNIT: Final = "kylink-bell.path"
_SYSTEM_UNITS: Final = Path("/etc/systemd/system")
_WATCHED: Final = "PathExists="
_SQLITE: Final = "sqlite:///"


def state_directory() -> Path:
    """Where a host keeps what is its own: systemd's state directory, else the user's."""
    state = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if state:
        return Path(state)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "kylink"


def operator(host: str | None = None) -> str:
    """Who acts by hand: the login name, behind sudo too, and the host; or for whom this process was started."""
    if (principal := os.environ.get(ON_BEHALF_OF)) is not None:
        return principal
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        name = str(os.getuid())
    return f"{name}@{host or socket.gethostname()}"


def default_database_url() -> str:
    """The embedded database in the state directory."""
    return f"{_SQLITE}{state_directory() / 'kylink.db'}"


def is_on_server(database_url: str) -> bool:
    """Whether a database is on a PostgreSQL server, which hosts can share."""
    return database_url.startswith(("postgresql://", "postgres://"))


def sqlite_path(url: str) -> Path:
    """The file behind a `sqlite:///…` URL.

    Raises:
        ConfigError: the URL is of another kind, or names no file.
    """
    if not url.startswith(_SQLITE) or url == _SQLITE:
        raise ConfigError(
            tr(
                "DATABASE_URL must be sqlite:///FILE (sqlite:////absolute/path), not {url}",
                url=one_line(shown_address(url)),
            )
        )
    return Path(url.removeprefix(_SQLITE)).expanduser()


def watched_bell() -> Path | None:
    """The file that the installed path unit watches; None if none is installed."""
    for folder in _unit_folders():
        with suppress(OSError):
            for line in (folder / BELL_PATH_UNIT).read_text(encoding="utf-8").splitlines():
                if line.startswith(_WATCHED):
                    return Path(line.removeprefix(_WATCHED))
    return None


def _unit_folders() -> Iterator[Path]:
    yield _SYSTEM_UNITS
    yield Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"
