"""The root of the command line: version, common options, and how every ending becomes one line and an exit code."""

import os
import signal
import sys
import traceback
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import Abort, TyperException

from kylink_cli import __version__
from kylink_cli.cli.options import COMMON_PARAMETERS, CommonOptions
from kylink_cli.console import Console, Output
from kylink_cli.errors import KylinkError


class KylinkGroup(TyperGroup):
    """The root group: turns what ends a command into one clear line and the contract's exit code."""

    def main(self, args: list[str] | None = None, **options: Any) -> NoReturn:  # type: ignore[override]
        """Run a command and end the process with its exit code."""
        arguments = sys.argv[1:] if args is None else list(args)
        options["standalone_mode"] = False
        sys.exit(self._run(arguments, options))

    def _run(self, arguments: list[str], options: dict[str, Any]) -> int:
        console = Console(Output(json="--json" in arguments))
        try:
            return super().main(args=arguments, **options) or 0
        except KylinkError as error:
            console.error(error.code, str(error), error.details)
            _debug_traceback(arguments)
            return error.exit_code
        except TyperException as error:
            return _usage_error(console, error)
        except Abort:
            console.error("USAGE", "stopped: nothing was changed")
            return 1
        except KeyboardInterrupt:
            end_by_signal(signal.SIGINT)
        except BrokenPipeError:
            # The reader went away, as in `kylink … | head`; Python must not complain of it once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        except Exception as error:  # noqa: BLE001  (the last resort: a user never sees a bare traceback)
            console.error("INTERNAL", f"unexpected error: {type(error).__name__}: {error}")
            _debug_traceback(arguments)
            return 1


def _usage_error(console: Console, error: TyperException) -> int:
    context = getattr(error, "ctx", None)
    message = error.format_message()
    is_help = "\n" in message
    if is_help:
        typer.echo(message, err=True)
        return 2
    hint = f" (see '{context.command_path} --help')" if context else ""
    console.error("USAGE", message.rstrip(".") + hint)
    return 2


def _debug_traceback(arguments: list[str]) -> None:
    if "--debug" in arguments:
        traceback.print_exc(file=sys.stderr)


def end_by_signal(number: signal.Signals) -> NoReturn:
    """End the process by a signal's default action, so that whoever started it sees what stopped it."""
    sys.stdout.flush()
    sys.stderr.flush()
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
    )
    own = [p for p in inspect.signature(_root).parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    keyword_only = [own[0], own[1].replace(kind=inspect.Parameter.KEYWORD_ONLY)]
    vars(_root)["__signature__"] = inspect.Signature([*keyword_only, *COMMON_PARAMETERS])
    _root.__annotations__ = {}
    app.callback()(_root)
    return app
