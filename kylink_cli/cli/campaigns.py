"""`kylink campaigns …`: what is to be kept in stock."""

from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.options import JsonOption

campaigns = group("campaigns", "What is to be kept in stock.")


@command(campaigns, "list")
def list_campaigns(cli: Cli, json: JsonOption = False) -> None:
    """List the campaigns."""
    print(cli.options, cli.settings)


@command(campaigns, "show")
def show_campaigns(cli: Cli, campaign_id: str, json: JsonOption = False) -> None:
    """List the campaigns."""
    print(cli.options, cli.settings)
