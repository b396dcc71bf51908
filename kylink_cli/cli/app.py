"""The root of the command line: version, common options, and how every ending becomes one line and an exit code."""

import os
import resource
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr, suppress
from io import StringIO
from itertools import pairwise
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from kylink_cli import __version__
from kylink_cli.cli.command import signature
from kylink_cli.cli.completers import VARIABLE
from kylink_cli.cli.help_pages import COMMANDS_METAVAR, OPTIONS_METAVAR, Group
from kylink_cli.cli.lazy_commands import NAMES, SECTIONS, LazyCommands
from kylink_cli.cli.options import COMMON_PARAMETERS, CommonOptions, LogFormat
from kylink_cli.console import Console, Output
from kylink_cli.console.streams import abandon_rest, flush_results, prepare_streams
from kylink_cli.errors import KylinkError, OutputError, ReaderGoneError, UsageError
from kylink_cli.language import tr


class KylinkGroup(Group):
    """The root group: turns what ends a command into one clear line and the contract's exit code."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LazyCommands()

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands by what they are for."""
        longest = max(map(len, NAMES))
        for heading, names in SECTIONS:
            found = [self.get_command(ctx, name) for name in names]
            with formatter.section(tr(heading)):
                formatter.write_dl([(f"{c.name:<{longest}}", c.get_short_help_str()) for c in found if c is not None])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002  (as the parser calls it)
        """Say what the exit codes mean, and where there is more to read."""
        from kylink_cli.cli.exit_codes import EXIT_CODES

        with formatter.section(tr("Exit codes")):
            formatter.write_dl([(str(code), tr(meaning)) for code, meaning in EXIT_CODES])
        with formatter.section(tr("More to read")):
            formatter.write_text(tr("kylink COMMAND --help, with examples; man kylink; docs/index.md"))

    def main(self, args: list[str] | None = None, **options: Any) -> NoReturn:  # type: ignore[override]
        """Run a command and end the process with its exit code."""
        if VARIABLE in os.environ:
            self._complete(options)
        arguments = sys.argv[1:] if args is None else list(args)
        prepare_streams()
        _leave_no_core()
        code = self._run(arguments, options | {"standalone_mode": False})
        abandon_rest()
        sys.exit(code)

    def _complete(self, options: dict[str, Any]) -> NoReturn:
        """Answer a shell; whatever is wrong is not told in the middle of somebody's line."""
        from typer._completion_classes import completion_init

        completion_init()
        with suppress(Exception), redirect_stderr(StringIO()):
            super().main(args=[], **options)
        sys.exit(0)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for; ctrl-C ends the process as the signal that it is."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            end_by_signal(signal.SIGINT)
        except BrokenPipeError:
            raise ReaderGoneError from None

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Parse the arguments; a version or a help text whose reader has gone is an ending like any other."""
        try:
            return super().make_context(*args, **options)
        except BrokenPipeError:
            raise ReaderGoneError from None

    def _run(self, arguments: list[str], options: dict[str, Any]) -> int:
        console = _error_console(arguments)
        try:
            _refuse_undecodable(arguments)
            code = super().main(args=arguments, **options) or 0
            flush_results()
        except ReaderGoneError as error:
            return error.exit_code
        except KylinkError as error:
            _report(console, error.code, str(error), error.details)
            _debug_traceback(arguments)
            return error.exit_code
        except TyperException as error:
            _show_usage_error(console, error)
            return 2
        except Exception as error:  # noqa: BLE001  (the last resort: a user never sees a bare traceback)
            _report(
                console, "INTERNAL", tr("unexpected error: {name}: {error}", name=type(error).__name__, error=error)
            )
            _debug_traceback(arguments)
            return 1
        return code


def _leave_no_core() -> None:
    """A dump of the memory would hold the key."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _report(console: Console, code: str, message: str, details: Sequence[str] = ()) -> None:
    """Report an error as far as the streams take it; the exit code tells of it in any case."""
    with suppress(OutputError):
        console.error(code, message, details)
        flush_results()


def _error_console(arguments: list[str]) -> Console:
    """Where errors are shown: in the form that was asked for, even if the arguments can't be parsed."""
    formats = [value for option, value in pairwise(arguments) if option == "--log-format"]
    formats += [argument.removeprefix("--log-format=") for argument in arguments if "--log-format=" in argument]
    known = [value for value in formats if value in {*LogFormat}]
    return Console(Output(json="--json" in arguments, log_format=known[-1] if known else LogFormat.AUTO))


def _refuse_undecodable(arguments: list[str]) -> None:
    """Nothing that kylink keeps or names is anything but text.

    Raises:
        UsageError: names the first argument that is not UTF-8.
    """
    for argument in arguments:
        if any("\udc80" <= character <= "\udcff" for character in argument):
            raise UsageError(tr("the argument {argument!a} is not UTF-8 text", argument=argument))


def _show_usage_error(console: Console, error: TyperException) -> None:
    """Show a group's help where its command is missing, else the parser's complaint and where to read on."""
    if type(error).__name__ == "NoArgsIsHelpError":
        with suppress(OSError):
            typer.echo(error.format_message(), err=True)
        return
    from kylink_cli.cli.usage_errors import told

    text = told(error)
    context = getattr(error, "ctx", None)
    _report(
        console,
        "USAGE",
        tr("{text} (see '{command} --help')", text=text, command=context.command_path) if context else text,
    )


def _debug_traceback(arguments: list[str]) -> None:
    if "--debug" in arguments:
        with suppress(OSError):
            traceback.print_exc(file=sys.stderr)


def end_by_signal(number: signal.Signals) -> NoReturn:
    """End the process by a signal's default action, so that whoever started it sees what stopped it."""
    abandon_rest()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise SystemExit(128 + number)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kylink {__version__}")
        raise typer.Exit


def _root(
    ctx: typer.Context,
    version: Annotated[  # noqa: ARG001  (the callback acts)
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
    **arguments: Any,
) -> None:
    """Keep every campaign's stock of single-use items filled, unattended."""
    ctx.obj = CommonOptions.take(arguments)


def build_app() -> typer.Typer:
    """The root command without any subcommand."""
    import inspect

    app = typer.Typer(
        name="kylink",
        cls=KylinkGroup,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        options_metavar=tr(OPTIONS_METAVAR),
        subcommand_metavar=tr(COMMANDS_METAVAR),
    )
    version = inspect.signature(_root).parameters["version"]
    vars(_root)["__signature__"] = signature([version, *COMMON_PARAMETERS])
    _root.__annotations__ = {}
    app.callback(help=tr(inspect.getdoc(_root) or ""))(_root)
    return app
