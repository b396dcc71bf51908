"""How long it takes until a command does something."""

import tempfile
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from kylink_cli import leasing
from tests.benchmarks.frame import Effort, Figure, against, alternate, run_python, seconds_of
from tests.support.cli import clean_environment
from tests.support.database import add_campaigns, add_items, new_database

# Starts take tenths of a second, and vary.
STARTS = 5
HELLO = """
import typer
app = typer.Typer()
@app.command()
def main() -> None:
    print("hello")
app()
"""
TARGET = 1.2
CAMPAIGNS = [f"c{number}" for number in range(60)]
LIBRARIES = "import typer, sqlmodel"
# What consumers and people type, with the libraries that it needs in any case.
TYPED = ("leases take c1", "leases confirm TOKEN", "jobs status", "campaigns list --limit 50")
COMPLETION = {"_KYLINK_COMPLETE": "complete_bash", "COMP_WORDS": "kylink re", "COMP_CWORD": "1"}


def starting(effort: Effort) -> list[Figure]:
    """Version, help and completion against hello world; a run that finds nothing to do against the imports it needs."""
    kylink = ("-m", "kylink_cli")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with closing(new_database(folder)) as database:
            add_campaigns(database, *CAMPAIGNS)
            for campaign in CAMPAIGNS:
                # Enough for every take; and nothing is low.
                add_items(database, campaign, 10 + STARTS * effort.rounds)
            [lease] = leasing.take(database, leasing.TakeRequest("c0", 15), datetime.now(UTC)).leases
        settings = {
            "DATABASE_URL": f"sqlite:///{folder / 'kylink.db'}",
            "PROXY_API_URL": "http://127.0.0.1:9/",
            "PROXY_API_KEY": "key",
        }

        def start(*args: str, **settings: str) -> float:
            env = clean_environment(folder) | settings
            return seconds_of(lambda: [run_python(*args, env=env, cwd=folder) for _ in range(STARTS)]) / STARTS

        rounds = alternate(
            effort,
            {
                "hello world": lambda: start("-c", HELLO),
                "--version": lambda: start(*kylink, "--version"),
                "--help": lambda: start(*kylink, "--help"),
                "completion": lambda: start(*kylink, **COMPLETION),
                LIBRARIES: lambda: start("-c", LIBRARIES),
                "an idle run": lambda: start(*kylink, "replenish", "--all", "--quiet", **settings),
                **{
                    typed: partial(start, *kylink, *typed.replace("TOKEN", lease.token).split(), **settings)
                    for typed in TYPED
                },
            },
        )
    light = [
        against(rounds, side, "hello world", f"kylink {side}", TARGET) for side in ("--version", "--help", "completion")
    ]
    idle = against(rounds, "an idle run", LIBRARIES, "kylink replenish that finds nothing to do", TARGET)
    return [*light, idle, *[against(rounds, typed, LIBRARIES, f"kylink {typed}", TARGET) for typed in TYPED]]
