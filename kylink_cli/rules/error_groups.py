"""Failures of many campaigns, by their reason: an outage is one thing to know, not a line for each campaign."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# The keys of requests, which are different each time.
_KEY = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")


class Failing(NamedTuple):
    """A campaign for which something went wrong."""

    campaign_id: str
    name: str
    error: str


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Campaigns that failed for one reason."""

    error: str  # as the first of them tells it
    campaigns: Sequence[Failing]


def grouped(failures: Iterable[Failing]) -> list[ErrorGroup]:
    """Failures by their reason, the most frequent first; whose campaign it was, and under which key, is no reason."""
    groups: dict[str, list[Failing]] = {}
    for failing in failures:
        groups.setdefault(shared_reason(failing), []).append(failing)
    found = [ErrorGroup(campaigns[0].error, campaigns) for campaigns in groups.values()]
    return sorted(found, key=lambda group: -len(group.campaigns))


def shared_reason(failing: Failing) -> str:
    """What of an error is the same for other campaigns: all but its id and the key of its request."""
    error = failing.error
    if failing.campaign_id in error:
        error = re.sub(rf"(?<!\w){re.escape(failing.campaign_id)}(?!\w)", "", error)
    return _KEY.sub("", error)
