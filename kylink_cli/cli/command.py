"""How a command is declared: it parses, calls one function, renders, and says the exit code.

    @command(app, "list")
    def list_campaigns(cli: Cli) -> None:

gives a Typer command with its own options, `--json` and the common ones. It asks `cli.console.json` how to show its
result. What it returns is the exit code; None is 0.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from kylink_cli.cli.help_pages import COMMANDS_METAVAR, OPTIONS_METAVAR, Command, Group
from kylink_cli.cli.options import COMMON_PARAMETERS, JSON_PARAMETER, CommonOptions, LogFormat
from kylink_cli.console import Console, Output
from kylink_cli.language import tr

if TYPE_CHECKING:
    from kylink_cli.settings.fields import Settings
    from kylink_cli.settings.loading import Loaded

CommandFunction = Callable[..., int | None]


class Cli:
    """What a command works with: the common options, the console, and the settings once it asks for them."""

    def __init__(self, options: CommonOptions, *, json: bool = False, acts: bool = False) -> None:
        self.options = options
        self.console = Console(
            Output(
                json=json,
                quiet=options.quiet,
                verbose=options.verbose,
                color=not options.no_color,
                log_format=options.log_format or LogFormat.AUTO,
            ),
            lenient=acts,
        )

    @cached_property
    def loaded(self) -> "Loaded":
        """The settings with their sources.

        Raises:
            ConfigError: a setting is bad.
        """
        from kylink_cli.settings.loading import load

        loaded = load(self.options.env_file)
        if loaded.refused is not None:
            self.console.warning(tr("warning: {warning}", warning=loaded.refused))
        return loaded

    @property
    def settings(self) -> "Settings":
        """The settings.

        Raises:
            ConfigError: a setting is bad.
        """
        return self.loaded.settings

    @cached_property
    def who(self) -> str:
        """Who acts, for the audit trail."""
        from kylink_cli.places import operator

        return operator(self.settings.kylink_host_name)


def command(
    app: typer.Typer, name: str, *, json: bool = True, acts: bool = False, hidden: bool = False
) -> Callable[[CommandFunction], CommandFunction]:
    """Register a function, whose first parameter is a `Cli`, as a command with the common options.

    Args:
        json: it has a result that a program may want, and takes `--json`.
        acts: it does something. Then its exit code says how that went, whatever becomes of its words; a command that
            only shows something has failed if that can't be shown.
        hidden: it is called by a unit and by nobody else, and listed in no help.
    """

    def register(function: CommandFunction) -> CommandFunction:
        @functools.wraps(function)
        def run(ctx: typer.Context, **arguments: Any) -> None:
            options = CommonOptions.take(arguments).over(ctx.find_root().obj or CommonOptions())
            cli = Cli(options, json=arguments.pop("json", False), acts=acts)
            raise typer.Exit(cli.console.finish(function(cli, **arguments) or 0))

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        vars(run)["__signature__"] = signature([*own, *([JSON_PARAMETER] if json else []), *COMMON_PARAMETERS])
        run.__annotations__ = {}
        described = tr(inspect.getdoc(function) or "")
        app.command(name, cls=Command, help=described, options_metavar=tr(OPTIONS_METAVAR), hidden=hidden)(run)
        return function

    return register


def group(name: str, help_text: str) -> typer.Typer:
    """A group of commands, as in `kylink campaigns …`."""
    return typer.Typer(
        name=name,
        cls=Group,
        help=tr(help_text),
        no_args_is_help=True,
        rich_markup_mode=None,
        options_metavar=tr(OPTIONS_METAVAR),
        subcommand_metavar=tr(COMMANDS_METAVAR),
    )


def signature(parameters: Sequence[inspect.Parameter]) -> inspect.Signature:
    """What Typer reads to learn a function's options: the context first, then these, with their help translated."""
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    return inspect.Signature([context, *map(_declared, parameters)])


def _is_number(kind: Any) -> bool:
    return not {int, float}.isdisjoint({kind, *get_args(kind)})


def _declared(parameter: inspect.Parameter) -> inspect.Parameter:
    kind, *infos = get_args(parameter.annotation)
    translated = [copy(info) for info in infos]
    for info in translated:
        info.help = info.help and tr(info.help)
        if _is_number(kind) and info.metavar is None:
            info.metavar = "N"
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, *translated])
