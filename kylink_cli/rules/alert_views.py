"""An alert as one user may see it: what it says of campaigns of others is left out."""

from collections.abc import Collection, Mapping
from typing import Any

from kylink_cli.rules import alert_texts as texts

Document = dict[str, Any]
# How the lines of an alert's message begin that are about one campaign, and the line that counts the rest.
_CASES = ("- ", "... ")


def for_user(alert: Document, user_id: str, own_ids: Collection[str]) -> Document:
    """An alert's document without what it says of other users' campaigns; its figures count all of them.

    Args:
        alert: the document, as the contract gives it.
        user_id: who is to see it.
        own_ids: that user's campaigns.
    """
    lists = {name: value for name, value in alert["metadata"].items() if isinstance(value, list)}
    kept = {name: [e for e in entries if _is_own(e, user_id, own_ids)] for name, entries in lists.items()}
    openings = [line for entries in kept.values() for entry in entries for line in _openings(entry)]
    message = [line for line in alert["message"].split("\n") if _may_stay(line, openings)]
    return {**alert, "message": "\n".join(message), "metadata": alert["metadata"] | kept}


def _is_own(entry: Any, user_id: str, own_ids: Collection[str]) -> bool:
    if not isinstance(entry, Mapping) or "campaignId" not in entry:
        return True
    return entry["userId"] == user_id if "userId" in entry else entry["campaignId"] in own_ids


def _openings(entry: Any) -> list[str]:
    """How the lines about an entry begin, in the language of this process."""
    if not isinstance(entry, Mapping) or "campaignId" not in entry:
        return []
    campaign_id, name = str(entry["campaignId"]), str(entry.get("campaignName", ""))
    return [texts.case(name, campaign_id, ""), texts.supply_in_doubt_key(campaign_id, str(entry.get("key", "")))]


def _may_stay(line: str, openings: list[str]) -> bool:
    return not line.startswith(_CASES) or any(line.startswith(opening) for opening in openings)
