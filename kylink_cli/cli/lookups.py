"""What is said when something that was named does not exist."""

from collections.abc import Collection, Iterable

from kylink_cli.errors import UnknownCampaignError


def refuse_unknown(wanted: Iterable[str], known: Collection[str]) -> None:
    """End a command that names a campaign which does not exist.

    Raises:
        UnknownCampaignError: names the first of them.
    """
    for campaign_id in wanted:
        if campaign_id not in known:
            raise UnknownCampaignError(campaign_id)
