"""Where this kylink is installed, for those who start it: systemd and cron."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kylink_cli.cli.command import Cli
from kylink_cli.errors import ConfigError
from kylink_cli.language import tr

if TYPE_CHECKING:
    from kylink_cli.scheduling.units import Installed


def installed_at(cli: Cli, *, of_user: bool = False) -> "Installed":
    """Where this kylink is, and the env file that its settings come from, or would come from."""
    from kylink_cli.places import SYSTEM_ENV_FILE
    from kylink_cli.scheduling.units import Installed

    return Installed(
        program=_lasting(Path(sys.prefix)) / "bin" / "kylink",
        interpreter=Path(sys.executable).resolve(),
        env_file=(cli.loaded.env_file or SYSTEM_ENV_FILE).absolute(),
        of_user=of_user,
    )


def _lasting(release: Path) -> Path:
    """The path that stays when 'make install' puts a newer release beside this one."""
    current = release.parent / "current"
    return current if current.is_symlink() and current.resolve() == release.resolve() else release


def require_env_file(cli: Cli) -> None:
    """Check that there is a file of settings.

    Raises:
        ConfigError: there is none.
    """
    from kylink_cli.places import SYSTEM_ENV_FILE

    if cli.loaded.env_file is None:
        raise ConfigError(
            tr("there is no env file, and timers see no other settings: write {path} first", path=SYSTEM_ENV_FILE)
        )


def warn_of_settings(cli: Cli, installed: "Installed") -> None:
    """Say what would keep the timers' runs from working, or people from seeing what they do."""
    settings = cli.settings
    if not settings.enable_auto_cron:
        cli.console.warning(tr("scheduling is off: scheduled runs do nothing until ENABLE_AUTO_CRON=true"))
    if settings.proxy_api_url is None:
        cli.console.warning(tr("PROXY_API_URL is not set: there is no supply service to order from"))
    if not installed.of_user and cli.loaded.sources["database_url"] != "file":
        cli.console.warning(
            tr(
                "DATABASE_URL is not in {path}: write it there, so that commands by hand find the jobs' database",
                path=installed.env_file,
            )
        )
    if not installed.of_user and not _is_readable_by_service(installed.env_file):
        cli.console.warning(
            tr("the service's user can't read {path}: chgrp kylink {path}; chmod 640 {path}", path=installed.env_file)
        )


def _is_readable_by_service(path: Path) -> bool:
    """Whether the user `kylink` may read a file, as far as its own permissions say."""
    import grp
    import pwd

    status = path.stat()
    if status.st_mode & 0o004:
        return True
    try:
        user, group = pwd.getpwnam("kylink"), grp.getgrnam("kylink")
    except KeyError:
        return os.geteuid() != 0
    owns = status.st_uid == user.pw_uid and status.st_mode & 0o400
    return bool(owns or (status.st_gid == group.gr_gid and status.st_mode & 0o040))
