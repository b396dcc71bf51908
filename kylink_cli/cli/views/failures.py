"""What went wrong for campaigns, by the reason: said once, with the campaigns that it concerns."""

from collections.abc import Iterable

from kylink_cli.console import Console
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.error_groups import Failing, grouped
from kylink_cli.rules.text import isolated, one_line

_LISTED = 6
_NAME_LENGTH = 40


def show_failures(console: Console, failures: Iterable[Failing]) -> None:
    """Show a paragraph for each reason: how many campaigns, why, and which."""
    for group in grouped(failures):
        error, number = one_line(group.error), counted.campaigns(len(group.campaigns))
        console.prose(tr("{campaigns}: {error}", campaigns=number, error=error), style="red")
        listed = [_named(failing) for failing in group.campaigns[:_LISTED]]
        if len(group.campaigns) > _LISTED:
            listed.append(tr("and {number} more", number=len(group.campaigns) - _LISTED))
        console.prose(", ".join(listed), indent=4)


def _named(failing: Failing) -> str:
    campaign_id, name = one_line(failing.campaign_id), one_line(failing.name, _NAME_LENGTH)
    return campaign_id if name in {"", campaign_id} else f"{campaign_id} {isolated(name)}"
