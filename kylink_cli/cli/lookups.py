"""What is said when something that was named does not exist."""

from collections.abc import Collection, Iterable

from kylink_cli.errors import NotFoundError
from kylink_cli.language import tr


def unknown_campaign(campaign_id: str) -> NotFoundError:
    """The error for a campaign that does not exist."""
    return NotFoundError(
        tr("unknown campaign {campaign_id}: 'kylink campaigns list' shows them", campaign_id=campaign_id)
    )


def refuse_unknown(wanted: Iterable[str], known: Collection[str]) -> None:
    """End a command that names a campaign which does not exist.

    Raises:
        NotFoundError: names the first of them.
    """
    for campaign_id in wanted:
        if campaign_id not in known:
            raise unknown_campaign(campaign_id)
