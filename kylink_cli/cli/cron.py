"""`kylink cron …`: have cron start the jobs, where systemd does not."""

import os
import pwd
from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.installed import installed_at, require_env_file, warn_of_settings
from kylink_cli.errors import ConfigError, KylinkError, UsageError
from kylink_cli.language import tr

if TYPE_CHECKING:
    from pathlib import Path

cron = group("cron", "cron, for hosts without systemd.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    app.add_typer(cron)


DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")]


@command(cron, "show")
def show(cli: Cli) -> None:
    """Print the file for cron as 'install' would write it."""
    from kylink_cli.cli.views import scheduling as view

    view.show_files(cli.console, _files(cli))


@command(cron, "install", acts=True)
def install(cli: Cli, dry_run: DryRunOption = False) -> None:
    """Install /etc/cron.d/kylink, with intervals from the settings. An existing one is updated."""
    from kylink_cli.cli.views import scheduling as view
    from kylink_cli.scheduling.changes import carry_out, to_install

    require_env_file(cli)
    changes = to_install(_files(cli))
    if not dry_run:
        _require_a_fit_host()
        carry_out(changes)
    view.show_installed(cli.console, changes, dry_run=dry_run)
    warn_of_settings(cli, installed_at(cli))


@command(cron, "uninstall", acts=True)
def uninstall(cli: Cli, dry_run: DryRunOption = False) -> None:
    """Remove /etc/cron.d/kylink. The database, settings and user are kept."""
    from kylink_cli.cli.views import scheduling as view
    from kylink_cli.scheduling import cron as host
    from kylink_cli.scheduling.changes import carry_out, to_remove

    changes = to_remove([host.PLACE])
    if not dry_run:
        _require_root()
        carry_out(changes)
    view.show_installed(cli.console, changes, dry_run=dry_run)


def _files(cli: Cli) -> "dict[Path, str]":
    from kylink_cli.scheduling import cron as host

    return {host.PLACE: host.render(installed_at(cli), cli.settings)}


def _require_root() -> None:
    if os.geteuid() != 0:
        raise UsageError(tr("/etc/cron.d needs root: use sudo"))


def _require_a_fit_host() -> None:
    """Check that cron can start the jobs, and nothing else does.

    Raises:
        UsageError: it takes root.
        ConfigError: the jobs' user does not exist.
        KylinkError: systemd starts the jobs already, or there is no cron.
    """
    from kylink_cli.scheduling import cron as host
    from kylink_cli.scheduling import systemd

    _require_root()
    if not host.PLACE.parent.is_dir():
        raise KylinkError(tr("there is no {folder}: install cron first", folder=host.PLACE.parent))
    if systemd.is_running() and any(timer.active for timer in systemd.Manager().timers()):
        raise KylinkError(tr("systemd starts the jobs on this host: 'kylink systemd uninstall' first"))
    try:
        pwd.getpwnam(host.USER)
    except KeyError:
        raise ConfigError(
            tr(
                "there is no user {user}: useradd --system --home-dir {home} --create-home {user}",
                user=host.USER,
                home=host.STATE_FOLDER,
            )
        ) from None
