"""The command line: one small file per command group; each command parses, calls one function and renders."""

from kylink_cli.cli.app import build_app

app = build_app()
