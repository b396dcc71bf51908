"""The command line: one small file per command group; each command parses, calls one function and renders."""

from kylink_cli.cli import alert_check, completion, demo, doctor, metrics, recover_leases, replenish, report, watch
from kylink_cli.cli import db_copy as db_copy  # its command joins the group
from kylink_cli.cli.alerts import alerts
from kylink_cli.cli.app import build_app
from kylink_cli.cli.campaigns import campaigns
from kylink_cli.cli.config import config
from kylink_cli.cli.cron import cron
from kylink_cli.cli.db import db
from kylink_cli.cli.jobs import jobs
from kylink_cli.cli.leases import leases
from kylink_cli.cli.stock import stock
from kylink_cli.cli.systemd import systemd

app = build_app()
replenish.register(app)
recover_leases.register(app)
alert_check.register(app)
doctor.register(app)
report.register(app)
metrics.register(app)
watch.register(app)
demo.register(app)
completion.register(app)
app.add_typer(jobs)
app.add_typer(campaigns)
app.add_typer(stock)
app.add_typer(leases)
app.add_typer(alerts)
app.add_typer(db)
app.add_typer(config)
app.add_typer(systemd)
app.add_typer(cron)
