"""The host that is set up: where its settings are kept, and who its jobs run as."""

import os
import pwd
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kylink_cli.errors import BadFileError, ConfigError, UsageError
from kylink_cli.files import create_private_folder, replacement
from kylink_cli.language import tr
from kylink_cli.places import SYSTEM_CREDENTIALS, SYSTEM_ENV_FILE
from kylink_cli.reasons import reason
from kylink_cli.setting_up.env_text import changed
from kylink_cli.settings import env_files

SERVICE_USER = "kylink"
_KEY = "PROXY_API_KEY"
_READABLE_BY_GROUP = 0o640


@dataclass(frozen=True, slots=True)
class Host:
    """A host, or a folder that somebody keeps a kylink of his own in."""

    env_file: Path
    service: pwd.struct_passwd | None  # who the jobs run as; None for who sets it up

    def read(self) -> dict[str, str]:
        """Its settings so far.

        Raises:
            ConfigError: its env file can't be read or understood.
        """
        return env_files.parse(self.env_file) if self.env_file.exists() else {}

    def write(self, settings: Mapping[str, str], key: str | None) -> list[Path]:
        """Write settings and the key of the supply service; the files that changed.

        The key has a file of its own where the timers' units look for one, else it is one of the settings.

        Raises:
            BadFileError: a file can't be written.
        """
        values = dict(settings)
        written = []
        try:
            if key is not None and self.service is not None:
                written += self._write(SYSTEM_CREDENTIALS / _KEY.lower(), f"{key}\n")
                # What the env file says would win.
                values |= {_KEY: ""} if self.read().get(_KEY) else {}
            elif key is not None:
                values[_KEY] = key
            before = env_files.read_text(self.env_file, "env") if self.env_file.exists() else ""
            return written + self._write(self.env_file, changed(before, values))
        except OSError as error:
            path = error.filename or self.env_file
            raise BadFileError(tr("{path} can't be written: {reason}", path=path, reason=reason(error))) from None

    def _write(self, path: Path, text: str) -> list[Path]:
        """Write a file that only its users may read; an existing one keeps its owner and its mode."""
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return []
        create_private_folder(path.parent)
        before = path.stat() if path.exists() else None
        with replacement(path) as file:
            if before is not None:
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            elif self.service is not None:
                os.fchown(file.fileno(), 0, self.service.pw_gid)
            file.write(text)
        if before is not None or self.service is not None:
            path.chmod(stat.S_IMODE(before.st_mode) if before is not None else _READABLE_BY_GROUP)
        return [path]


def find_host(env_file: Path | None) -> Host:
    """The host that is meant: this machine, or the one of an env file.

    Args:
        env_file: an env file that was named; None for the system's.

    Raises:
        UsageError: the machine is meant, and it takes root.
        ConfigError: the jobs' user does not exist.
    """
    if env_file is not None and env_file.absolute() != SYSTEM_ENV_FILE:
        return Host(env_file.absolute(), None)
    if os.geteuid() != 0:
        raise UsageError(tr("this needs root: sudo kylink setup; --env-file FILE sets up a kylink of your own"))
    try:
        return Host(SYSTEM_ENV_FILE, pwd.getpwnam(SERVICE_USER))
    except KeyError:
        raise ConfigError(tr("there is no user {user}: 'sudo make install' creates it", user=SERVICE_USER)) from None
