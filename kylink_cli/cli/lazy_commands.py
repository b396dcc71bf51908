"""The commands of the root; each is loaded with its module when somebody asks for it, since a start needs one only."""

from collections import UserDict
from importlib import import_module
from typing import Any

import typer
from typer.main import get_group

from kylink_cli.language import marked

# By what they are for, in the order of the help; the module of each is named after it.
SECTIONS = (
    (marked("Keep stock filled"), ("replenish", "recover-leases", "alert-check", "jobs")),
    (marked("Campaigns and what they hold"), ("campaigns", "stock", "leases", "supply")),
    (marked("See how it goes"), ("watch", "report", "alerts", "doctor", "metrics", "audit", "simulate")),
    (
        marked("Set up and look after"),
        ("setup", "demo", "config", "db", "keys", "serve", "systemd", "cron", "completion"),
    ),
)
NAMES = tuple(name for _, names in SECTIONS for name in names)


class LazyCommands(UserDict[str, Any]):
    """Commands and groups of commands by name."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(NAMES))

    def __getitem__(self, name: str) -> Any:
        """The command of this name.

        Raises:
            KeyError: there is none.
        """
        if self.data[name] is None:
            self.data[name] = _loaded(name)
        return self.data[name]


def _loaded(name: str) -> Any:
    parent = typer.Typer(rich_markup_mode=None)
    import_module(f"kylink_cli.cli.{name.replace('-', '_')}").register(parent)
    return get_group(parent).commands[name]
