"""The command line: one small file per command group; each command parses, calls one function and renders."""

from kylink_cli.cli.app import build_app
from kylink_cli.cli.campaigns import campaigns

app = build_app()
app.add_typer(campaigns)
