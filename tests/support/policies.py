"""How much is kept in stock, as the settings have it unless a test says otherwise."""

from kylink_cli.rules.vocabulary import ReplenishRule
from kylink_cli.settings.fields import Settings

FORECAST = Settings().policy
COVER = Settings(replenish_rule=ReplenishRule.COVER).policy
