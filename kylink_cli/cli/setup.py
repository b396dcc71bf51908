"""`kylink setup`: everything that a new host needs, step by step."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.cli.options import YesOption
from kylink_cli.errors import BadFileError, ConfigError, UsageError
from kylink_cli.language import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kylink_cli.setting_up.answers import Answers
    from kylink_cli.setting_up.host import Host
    from kylink_cli.setting_up.steps import Step

_PARTLY_DONE = 10


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "setup", acts=True)(setup)


def setup(
    cli: Cli,
    supply_url: Annotated[
        str | None, typer.Option("--supply-url", metavar="URL", help="The supply service (PROXY_API_URL).")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", metavar="FILE", help="A file that holds the supply service's key.")
    ] = None,
    database_url: Annotated[
        str | None, typer.Option("--database-url", metavar="URL", help="Where stock is kept (DATABASE_URL).")
    ] = None,
    campaigns: Annotated[
        str | None, typer.Option("--import", metavar="FILE", help="Campaigns, as 'kylink campaigns import' reads them.")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER", help="User of campaigns for which the file names none.")
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option("--notify", metavar="URL", help="Where alerts are sent (ALERT_NOTIFY_URLS); repeatable."),
    ] = None,
    test_alert: Annotated[
        bool | None, typer.Option("--test-alert/--no-test-alert", help="Send a test through every channel.")
    ] = None,
    timers: Annotated[bool | None, typer.Option("--timers/--no-timers", help="Start the timers.")] = None,
    yes: YesOption = False,
) -> int:
    """Set this host up: settings, database, campaigns, timers.

    On a terminal it asks for what no option gives; elsewhere, and with --yes, that stays as it is. Safe to
    repeat: every answer can be given again, or changed in the env file.
    """
    from kylink_cli.cli.setup_questions import complete
    from kylink_cli.setting_up.answers import Answers
    from kylink_cli.setting_up.host import find_host
    from kylink_cli.setting_up.steps import plan

    host = find_host(cli.options.env_file)
    said = Answers(supply_url, _key(key_file), database_url, " ".join(notify or []) or None, campaigns, user)
    said = replace(said, test_alert=test_alert, timers=timers)
    before = host.read()
    _refuse_faults(before | said.settings())
    if not yes and sys.stdin.isatty() and sys.stderr.isatty():
        said = complete(cli.console, said, before)
    if said.supply_url is None and not before.get("PROXY_API_URL"):
        raise UsageError(tr("there is no supply service yet: name it with --supply-url URL"))
    steps = list(plan(host, said))
    _write_settings(cli, host, said)
    return _walk(cli, host, steps)


def _key(file: Path | None) -> str | None:
    """The key in a file, read by who calls.

    Raises:
        BadFileError: it can't be read, or holds nothing, or more than a line.
    """
    if file is None:
        return None
    from kylink_cli.reasons import reason

    try:
        key = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        key = ""
    except OSError as error:
        raise BadFileError(tr("{source} can't be read: {reason}", source=file, reason=reason(error))) from None
    if not key or "\n" in key:
        raise BadFileError(tr("{file} holds no key: a key is one line", file=file))
    return key


def _refuse_faults(settings: "Mapping[str, str]") -> None:
    from kylink_cli.settings.loading import faults

    wrong = faults(settings)
    if wrong:
        raise ConfigError(*wrong)


def _write_settings(cli: Cli, host: "Host", said: "Answers") -> None:
    written = host.write(said.settings(), said.key)
    for path in written:
        cli.console.info(tr("wrote {path}", path=path))
    if not written:
        cli.console.info(tr("the settings in {path} are as they should be", path=host.env_file))


def _walk(cli: Cli, host: "Host", steps: "Sequence[Step]") -> int:
    """Run the steps; one that fails ends the walk if what follows needs it."""
    codes: list[int] = []
    for step in steps:
        cli.console.info(tr("{purpose}: {command}", purpose=step.purpose, command=step.shown(host)))
        codes.append(step.run(host, quiet=cli.console.json))
        if codes[-1] and step.must_succeed:
            break
    has_stopped = bool(codes[-1]) and steps[len(codes) - 1].must_succeed
    code = codes[-1] if has_stopped else _PARTLY_DONE if any(codes) else 0
    if cli.console.json:
        ran = [{"command": step.shown(host), "exit_code": end} for step, end in zip(steps, codes, strict=False)]
        cli.console.document({"env_file": str(host.env_file), "ok": not code, "steps": ran})
    _say_what_next(cli, host, steps, code)
    return code


def _say_what_next(cli: Cli, host: "Host", steps: "Sequence[Step]", code: int) -> None:
    again = "sudo kylink setup" if host.service else f"kylink --env-file {host.env_file} setup"
    if code:
        cli.console.warning(
            tr("something is still wrong: fix what is reported above, then run '{command}' again", command=again)
        )
        return
    cli.console.info(tr("this host is set up; '{command}' changes any answer", command=again))
    if not any("install" in step.arguments for step in steps):
        cli.console.info(tr("the timers were left unchanged; '{command} --timers' starts them", command=again))
