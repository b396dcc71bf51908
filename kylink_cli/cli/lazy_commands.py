"""The commands of the root; each is loaded with its module when somebody asks for it, since a start needs one only."""

from collections import UserDict
from importlib import import_module
from typing import Any

import typer
from typer.main import get_group

# In the order of the help; the module of each is named after it.
NAMES = (
    "replenish",
    "recover-leases",
    "alert-check",
    "setup",
    "doctor",
    "report",
    "metrics",
    "watch",
    "simulate",
    "demo",
    "completion",
    "jobs",
    "campaigns",
    "stock",
    "leases",
    "supply",
    "alerts",
    "audit",
    "keys",
    "serve",
    "db",
    "config",
    "systemd",
    "cron",
)


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
