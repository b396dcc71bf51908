"""What reading in a file of campaigns would do to those that exist."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kylink_cli.language import tr
from kylink_cli.rules.campaigns import CampaignFacts, Fields, changed
from kylink_cli.rules.vocabulary import CampaignStatus


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign in a file.

    Attributes:
        line: where it begins.
        fields: what the file says of it, checked.
    """

    line: int
    fields: Fields

    @property
    def campaign_id(self) -> str:
        """The campaign."""
        return str(self.fields["campaign_id"])


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that makes a file unusable.

    Attributes:
        line: where it is.
        message: what is wrong.
    """

    line: int
    message: str

    def __str__(self) -> str:
        return tr("line {line}: {message}", line=self.line, message=self.message)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import does.

    Attributes:
        added: campaigns that are new.
        updated: campaigns that change, as they are and as they will be.
        unchanged: how many stay as they are.
        faults: entries that can't be taken over; with any of them nothing is.
    """

    added: Sequence[CampaignFacts]
    updated: Sequence[tuple[CampaignFacts, CampaignFacts]]
    unchanged: int
    faults: Sequence[Fault]
    missing: int = 0  # of those that change, how many are paused because the file no longer holds them

    @property
    def to_save(self) -> list[CampaignFacts]:
        """The campaigns to write."""
        return [*self.added, *(after for _, after in self.updated)]


def plan_import(
    entries: Sequence[CampaignRow], existing: Mapping[str, CampaignFacts], *, take_over: bool = False
) -> Plan:
    """Decide what an import does.

    Args:
        entries: what the file holds.
        existing: the campaigns that exist, by id; at least those of the file.
        take_over: whether campaigns of other users are moved to those that the file names, with their stock.
    """
    added, updated, faults = [], [], []
    for entry in entries:
        before = existing.get(entry.campaign_id)
        try:
            after = changed(before, entry.fields)
            if not take_over:
                _refuse_another_s(before, after)
        except ValueError as error:
            faults.append(
                Fault(entry.line, tr("campaign {campaign_id}: {error}", campaign_id=entry.campaign_id, error=error))
            )
            continue
        if before is None:
            added.append(after)
        elif after != before:
            updated.append((before, after))
    unchanged = len(entries) - len(added) - len(updated) - len(faults)
    return Plan(added, updated, unchanged, faults)


def pausing(plan: Plan, entries: Sequence[CampaignRow], of_users: Mapping[str, CampaignFacts]) -> Plan:
    """A plan that also pauses what its file no longer holds.

    Args:
        plan: the plan without it.
        entries: what the file holds.
        of_users: every campaign of the file's users, by id.
    """
    held = {entry.campaign_id for entry in entries}
    active = [
        facts for facts in of_users.values() if facts.campaign_id not in held and facts.status == CampaignStatus.ACTIVE
    ]
    missing = [(facts, replace(facts, status=CampaignStatus.PAUSED)) for facts in active]
    return replace(plan, updated=[*plan.updated, *missing], missing=len(missing))


def _refuse_another_s(before: CampaignFacts | None, after: CampaignFacts) -> None:
    if before is not None and before.user_id != after.user_id:
        raise ValueError(
            tr("it belongs to another user: --take-over moves it to {user}, with its stock", user=after.user_id)
        )
