"""`kylink serve`: the HTTP face."""

from pathlib import Path
from typing import Annotated

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.errors import ConfigError, UsageError
from kylink_cli.language import tr

PORT = 51001
CAMPAIGNS_IN_METRICS = 500
# Who asks over HTTP has less time than a run, and asks again.
PATIENCE_SECONDS = 5.0


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "serve", json=False)(serve)


def serve(
    cli: Cli,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 for any.")] = PORT,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy speaks TLS for it, so that it may listen on any address.")
    ] = False,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", metavar="FILE", help="Speak TLS, with this certificate (PEM).")
    ] = None,
    certificate_key: Annotated[
        Path | None, typer.Option("--certificate-key", metavar="FILE", help="The certificate's private key (PEM).")
    ] = None,
) -> None:
    """Serve consumers and operators over HTTP until stopped.

    'kylink keys add' makes the keys that they show.

    Sockets that systemd hands over are used instead of an address.
    """
    if (certificate is None) != (certificate_key is None):
        raise UsageError(tr("a certificate and its key belong together: give --certificate and --certificate-key"))
    try:
        from kylink_cli.serving.backend import Parts
        from kylink_cli.serving.listening import Listener, listen
        from kylink_cli.serving.server import serve as run
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("kylink_cli"):
            raise
        raise ConfigError(
            tr("the libraries of 'kylink serve' are not installed: pip install fastapi uvicorn")
        ) from error
    from kylink_cli import wiring
    from kylink_cli.cli.metrics import read_families
    from kylink_cli.metrics import text

    settings, env_file = cli.settings, cli.loaded.env_file
    database = wiring.existing_database(settings, patience_seconds=PATIENCE_SECONDS)
    address = Listener(host, port, behind_proxy, certificate, certificate_key)
    parts = Parts(
        settings,
        env_file,
        database,
        wiring.locks(settings),
        wiring.bell(settings, env_file),
        wiring.alerting(settings),
        lambda: text(read_families(settings, database, CAMPAIGNS_IN_METRICS)),
        cli.console.log,
    )
    run(parts, address, listen(address))
