"""What `kylink setup` asks on a terminal: only what no option has said, and secrets without an echo."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import typer

from kylink_cli.console import Console
from kylink_cli.language import tr
from kylink_cli.setting_up.answers import Answers
from kylink_cli.settings.loading import faults


def complete(console: Console, said: Answers, before: Mapping[str, str]) -> Answers:
    """Ask for what was not said; an empty answer leaves it as it is.

    Args:
        said: what options have said.
        before: the host's settings so far.
    """
    if said.supply_url is None:
        said = replace(said, supply_url=_setting(console, "PROXY_API_URL", tr("Supply service (URL)"), before))
    if said.key is None:
        said = replace(said, key=_secret(tr("Its key (not shown; empty: none, or as before)")))
    if said.channels is None:
        question = tr("Where alerts are sent: addresses (not shown; empty: none, or as before)")
        said = replace(said, channels=_until_right(console, "ALERT_NOTIFY_URLS", lambda: _secret(question)))
    if said.campaigns is None:
        said = replace(said, campaigns=_file(console))
    has_channels = bool(said.channels or before.get("ALERT_NOTIFY_URLS"))
    if said.test_alert is None and has_channels:
        said = replace(said, test_alert=_confirm(tr("Send a test alert?"), default=False))
    if said.timers is None:
        said = replace(said, timers=_confirm(tr("Start the timers now?"), default=True))
    return said


def _setting(console: Console, name: str, question: str, before: Mapping[str, str]) -> str | None:
    """A setting that has to have a value; the one it has is offered."""
    default = before.get(name) or None
    return _until_right(console, name, lambda: typer.prompt(question, default=default, err=True).strip())


def _until_right(console: Console, name: str, ask: Callable[[], str | None]) -> str | None:
    """Ask for a setting until its value is one."""
    while True:
        value = ask()
        wrong = faults({name: value or ""})
        if not wrong:
            return value
        console.error_line(wrong[0])


def _secret(question: str) -> str | None:
    value: str = typer.prompt(question, default="", show_default=False, hide_input=True, err=True)
    return value.strip() or None


def _file(console: Console) -> str | None:
    while True:
        answer: str = typer.prompt(tr("Campaigns to import (a file; empty: none)"), "", show_default=False, err=True)
        if not answer.strip() or Path(answer).is_file():
            return answer.strip() or None
        console.error_line(tr("there is no file {path}", path=answer))


def _confirm(question: str, *, default: bool) -> bool:
    return typer.confirm(question, default=default, err=True)
