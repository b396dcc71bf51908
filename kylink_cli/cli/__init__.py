"""The command line: one small file per command group; each command parses, calls one function and renders."""

from kylink_cli.cli import doctor, replenish
from kylink_cli.cli.app import build_app
from kylink_cli.cli.campaigns import campaigns
from kylink_cli.cli.config import config
from kylink_cli.cli.db import db
from kylink_cli.cli.jobs import jobs
from kylink_cli.cli.stock import stock

app = build_app()
replenish.register(app)
doctor.register(app)
app.add_typer(jobs)
app.add_typer(campaigns)
app.add_typer(stock)
app.add_typer(db)
app.add_typer(config)
