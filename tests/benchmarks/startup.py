"""How long it takes until a command does something."""

import tempfile
from pathlib import Path

from tests.benchmarks.frame import Effort, Figure, against, alternate, run_python, seconds_of
from tests.support.cli import clean_environment
from tests.support.database import new_database

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
TARGET = 1.3
COMPLETION = {"_KYLINK_COMPLETE": "complete_bash", "COMP_WORDS": "kylink re", "COMP_CWORD": "1"}


def starting(effort: Effort) -> list[Figure]:
    """Version, help and completion against hello world; a run that finds nothing to do against the imports it needs."""
    kylink = ("-m", "kylink_cli")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        new_database(folder).close()
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
                "import typer, sqlmodel": lambda: start("-c", "import typer, sqlmodel"),
                "an idle run": lambda: start(*kylink, "replenish", "--all", "--quiet", **settings),
            },
        )
    light = [
        against(rounds, side, "hello world", f"kylink {side}", TARGET) for side in ("--version", "--help", "completion")
    ]
    idle = against(rounds, "an idle run", "import typer, sqlmodel", "kylink replenish that finds nothing to do", TARGET)
    return [*light, idle]
