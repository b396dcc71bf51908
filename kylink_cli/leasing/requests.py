"""What consumers ask for, what they get, and what a take rings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from kylink_cli.errors import UsageError
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.leases import COUNT_LIMIT, TEXT_LIMIT, TTL_LIMIT_MINUTES, WAIT_LIMIT_SECONDS
from kylink_cli.rules.text import has_hidden_characters, one_line
from kylink_cli.store.takes import TakenLease


@dataclass(frozen=True, slots=True)
class TakeRequest:
    """What a consumer asks for."""

    campaign_id: str
    ttl_minutes: int  # 1 to 10,080
    count: int = 1  # 1 to 1,000
    holder: str | None = None  # who asks, for people; at most 200 characters
    key: str | None = None  # the same one gets the same leases again; at most 200 characters

    def check(self) -> None:
        """Refuse what can't be.

        Raises:
            UsageError: a part of it is out of bounds.
        """
        check_ttl(self.ttl_minutes)
        if not 1 <= self.count <= COUNT_LIMIT:
            raise UsageError(tr("the count is {count}: must be 1 to {limit}", count=self.count, limit=COUNT_LIMIT))
        for name, text in (("holder", self.holder), ("key", self.key)):
            if text is not None and (not text.strip() or len(text) > TEXT_LIMIT or has_hidden_characters(text)):
                shown = one_line(text, 40)
                raise UsageError(
                    tr(
                        "the {name} is {shown!r}: must be 1 to {limit} characters of text",
                        name=name,
                        shown=shown,
                        limit=TEXT_LIMIT,
                    )
                )


@dataclass(frozen=True, slots=True)
class Taken:
    """What a consumer gets."""

    leases: Sequence[TakenLease]  # at least one
    reused: bool = False  # an earlier call with the same key took them


def _say_nothing() -> None:
    """Rings are recorded, and nobody hears them."""


@dataclass(frozen=True, slots=True)
class Bell:
    """What a take rings when it leaves too little."""

    ring: Callable[[], None] = _say_nothing  # make it heard on this host; never fails
    delay: timedelta = timedelta(minutes=1)  # nobody rings again within it
    reorder_point: int = 5  # of a campaign that has none yet, items


SILENT: Final = Bell()


def check_ttl(minutes: int) -> None:
    """Refuse a lease that is no lease, or that lasts for ever.

    Raises:
        UsageError: it is out of bounds.
    """
    if not 1 <= minutes <= TTL_LIMIT_MINUTES:
        raise UsageError(
            tr(
                "the time to live is {minutes}: must be 1 to {limit}",
                minutes=counted.minutes(minutes),
                limit=TTL_LIMIT_MINUTES,
            )
        )


def check_wait(seconds: float) -> None:
    """Refuse to wait for ever.

    Raises:
        UsageError: it is out of bounds.
    """
    if not 0 <= seconds <= WAIT_LIMIT_SECONDS:
        raise UsageError(
            tr("the wait is {seconds} seconds: must be 0 to {limit}", seconds=seconds, limit=WAIT_LIMIT_SECONDS)
        )
