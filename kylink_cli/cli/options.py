"""The options that every command shares, and what they come to."""

import inspect
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import typer


class LogFormat(StrEnum):
    """How log lines are written to standard error."""

    AUTO = "auto"
    TEXT = "text"
    JOURNAL = "journal"
    JSON = "json"


# The largest number that a database keeps.
LARGEST_ID = 2**63 - 1

WaitOption = Annotated[
    float,
    typer.Option("--wait", min=0, max=86_400, metavar="SECONDS", help="Wait this long for another run to end."),
]
ScheduledOption = Annotated[
    bool,
    typer.Option("--scheduled", help="For timers: do nothing while scheduling is off or the job is paused."),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """The options that are accepted before the command and after it."""

    env_file: Path | None = None
    debug: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    log_format: LogFormat | None = None

    @classmethod
    def take(cls, arguments: dict[str, Any]) -> Self:
        """Take the common options out of a command's arguments."""
        return cls(**{field.name: arguments.pop(field.name) for field in fields(cls)})

    def over(self, earlier: Self) -> Self:
        """These options, where they say nothing those given earlier."""
        chosen = {field.name: getattr(self, field.name) or getattr(earlier, field.name) for field in fields(self)}
        return type(self)(**chosen)


def _common(
    *,
    env_file: Annotated[
        Path | None,
        typer.Option(
            "--env-file", metavar="PATH", help="Read settings from this file. [default: .env, /etc/kylink/kylink.env]"
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an unexpected error happened.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show warnings and errors only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show more of what happens.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Use no colours.")] = False,
    log_format: Annotated[
        LogFormat | None, typer.Option("--log-format", help="How log lines are written. [default: auto]")
    ] = None,
) -> None:
    """Declare the common options in the form that Typer reads."""


JSON_PARAMETER = inspect.Parameter(
    "json",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")],
)
COMMON_PARAMETERS = tuple(inspect.signature(_common).parameters.values())
