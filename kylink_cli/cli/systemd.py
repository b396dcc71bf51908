"""`kylink systemd …`: have systemd start the jobs."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.installed import installed_at, require_env_file, warn_of_settings
from kylink_cli.errors import ConfigError, KylinkError, UsageError
from kylink_cli.language import tr

if TYPE_CHECKING:
    from kylink_cli.alerting.delivery import PostOffice
    from kylink_cli.rules.unit_failures import UnitFailure
    from kylink_cli.running.events import Observer
    from kylink_cli.scheduling.changes import Change
    from kylink_cli.scheduling.systemd import Manager
    from kylink_cli.scheduling.units import Installed
    from kylink_cli.settings.salvage import Salvaged

systemd = group("systemd", "The systemd timers that start the jobs.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    app.add_typer(systemd)


UserUnitsOption = Annotated[
    bool,
    typer.Option("--user-units", help="Your own units, without root: they run while you are logged in, or linger."),
]


@command(systemd, "install", acts=True)
def install(
    cli: Cli,
    user_units: UserUnitsOption = False,
    now: Annotated[bool, typer.Option("--now", help="Start the timers now and at boot.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")] = False,
) -> None:
    """Install the units, with the intervals from the settings. Existing ones are updated.

    Your drop-ins (systemctl edit) are left alone.
    """
    from kylink_cli.cli.views import scheduling as view

    manager = _manager(user_units=user_units)
    require_env_file(cli)
    installed = installed_at(cli, of_user=user_units)
    installed.check_reachable()
    changes = _to_install(cli, installed)
    if not dry_run:
        _require_root(user_units=user_units)
        manager.install(changes, now=now)
    view.show_installed(cli.console, changes, dry_run=dry_run)
    warn_of_settings(cli, installed)
    if not dry_run and not now and not cli.console.json:
        cli.console.info(tr("the timers are installed; --now starts them"))


@command(systemd, "uninstall", acts=True)
def uninstall(
    cli: Cli,
    user_units: UserUnitsOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")] = False,
) -> None:
    """Stop the timers and jobs cleanly and remove their units.

    The database, settings and user are kept.
    """
    from kylink_cli.cli.views import scheduling as view
    from kylink_cli.scheduling import systemd as host
    from kylink_cli.scheduling.changes import to_remove
    from kylink_cli.scheduling.units import names

    manager = _manager(user_units=user_units)
    paths = [manager.folder / name for name in names()] + ([] if user_units else [host.SYSUSERS_PLACE])
    changes = to_remove(paths)
    if not dry_run:
        _require_root(user_units=user_units)
        manager.uninstall(changes)
    view.show_installed(cli.console, changes, dry_run=dry_run)


@command(systemd, "status")
def status(
    cli: Cli,
    user_units: UserUnitsOption = False,
) -> None:
    """Show how the timers do, and whether they fit the settings."""
    from datetime import UTC, datetime

    from kylink_cli.cli.views import scheduling as view

    manager = _manager(user_units=user_units)
    changes = _to_install(cli, installed_at(cli, of_user=user_units))
    view.show_timers(cli.console, manager.timers(), changes, datetime.now(UTC))


@command(systemd, "show")
def show(cli: Cli, user_units: UserUnitsOption = False) -> None:
    """Print the units as 'install' would write them."""
    from kylink_cli.cli.views import scheduling as view
    from kylink_cli.scheduling.systemd import Manager

    view.show_files(cli.console, _files(cli, installed_at(cli, of_user=user_units), Manager(user_units)))


@command(systemd, "record-failure", json=False, acts=True, hidden=True)
def record_failure(
    cli: Cli, unit: Annotated[str, typer.Argument(metavar="UNIT", help="The unit that failed.")]
) -> None:
    """Record that a unit failed, and send an alert; started by kylink-failure@.service."""
    from kylink_cli import wiring
    from kylink_cli.alerting import unit_failure
    from kylink_cli.console.observer import in_lines
    from kylink_cli.rules.unit_failures import unit_failed
    from kylink_cli.settings.salvage import salvage

    salvaged = salvage(cli.options.env_file)
    failure = _failure(unit, salvaged.problems)
    observe = in_lines(cli.console, "systemd")
    alerting = wiring.alerting(salvaged.settings)
    if unit_failure.report(failure, alerting, observe, lambda: _post_office(salvaged, observe)):
        cli.console.error_line(tr("nobody was told: {failure}", failure=unit_failed(failure).message))
    else:
        cli.console.info(tr("{unit} failed, and that has been told", unit=unit))


def _post_office(salvaged: "Salvaged", observe: "Observer") -> "PostOffice":
    """What records the failure.

    Raises:
        KylinkError: the database can't be used, or it is not known where it is.
    """
    from kylink_cli import wiring

    if not salvaged.knows_database:
        raise ConfigError(*salvaged.problems)
    database = wiring.existing_database(salvaged.settings, scheduled=True)
    return wiring.post_office(salvaged.settings, database, observe)


def _failure(unit: str, problems: Sequence[str]) -> "UnitFailure":
    from kylink_cli.rules.unit_failures import SETTINGS, UnitFailure
    from kylink_cli.scheduling.jobs import JOBS

    scope = next((job.name for job in JOBS if f"{job.unit}.service" == unit), unit)
    result, code = (os.environ.get(name, "") for name in ("MONITOR_SERVICE_RESULT", "MONITOR_EXIT_STATUS"))
    return UnitFailure(unit, SETTINGS if problems else scope, result, code, problems)


def _manager(*, user_units: bool) -> "Manager":
    """The manager whose units are meant.

    Raises:
        KylinkError: systemd does not run here.
    """
    from kylink_cli.scheduling.systemd import Manager, is_running

    if not is_running():
        raise KylinkError(tr("systemd does not run on this host: 'kylink cron install' has cron start the jobs"))
    return Manager(user_units)


def _require_root(*, user_units: bool) -> None:
    if not user_units and os.geteuid() != 0:
        raise UsageError(tr("the system's units need root: use sudo, or --user-units for your own"))


def _to_install(cli: Cli, installed: "Installed") -> "list[Change]":
    from kylink_cli.scheduling.changes import to_install
    from kylink_cli.scheduling.systemd import Manager

    return to_install(_files(cli, installed, Manager(installed.of_user)))


def _files(cli: Cli, installed: "Installed", manager: "Manager") -> dict[Path, str]:
    """All files of an installation, by their places."""
    from kylink_cli.scheduling import units
    from kylink_cli.scheduling.systemd import SYSUSERS_PLACE

    files = {manager.folder / name: text for name, text in units.render(installed, cli.settings).items()}
    return files if installed.of_user else files | {SYSUSERS_PLACE: units.shipped(units.SYSUSERS_FILE)}
