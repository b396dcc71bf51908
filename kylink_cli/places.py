"""Where kylink keeps and finds things on a host, unless the settings say otherwise."""

import os
from pathlib import Path
from typing import Final

LOCAL_ENV_FILE: Final = Path(".env")
SYSTEM_ENV_FILE: Final = Path("/etc/kylink/kylink.env")
SYSTEM_CREDENTIALS: Final = Path("/etc/kylink/credentials")


def state_directory() -> Path:
    """Where a host keeps what is its own: systemd's state directory, else the user's."""
    state = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if state:
        return Path(state)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "kylink"


def default_database_url() -> str:
    """The embedded database in the state directory."""
    return f"sqlite:///{state_directory() / 'kylink.db'}"


def found_env_file() -> Path | None:
    """The env file that is read if none is named: the one of the working directory, else the system's."""
    return next((path for path in (LOCAL_ENV_FILE, SYSTEM_ENV_FILE) if path.is_file()), None)


def is_on_server(database_url: str) -> bool:
    """Whether a database is on a PostgreSQL server, which hosts can share."""
    return database_url.startswith(("postgresql://", "postgres://"))
