"""Delivery: what is in the outbox is sent, each channel for itself, within a time that no channel can stretch.

1. What runs have claimed that are dead is freed: they may have sent it or not, so it is sent again, under its old key.
2. What is due is claimed, so that no other run sends it too.
3. Every channel sends its messages in turn; the channels do not wait for each other.
4. What fails is tried again by a later run, later each time; after a day it is given up.

A run that was started by hand does not wait until a next try is due: who has mended the receiver wants to see it work.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy.orm import Session

from kylink_cli.alerting.posting import Alerting
from kylink_cli.language import tr
from kylink_cli.locks.base import Locks
from kylink_cli.notify.base import Channel, ChannelError
from kylink_cli.notify.bounded import bounded
from kylink_cli.rules.notices import GIVE_UP_AFTER, Message, probe, retry_delay
from kylink_cli.rules.text import ERROR_LENGTH, one_line
from kylink_cli.rules.vocabulary import AlertLevel
from kylink_cli.running.events import NotificationsSent, Observer, Warned
from kylink_cli.running.liveness import is_dead
from kylink_cli.store import outbox
from kylink_cli.store.engine.clock import Clock
from kylink_cli.store.engine.database import Database
from kylink_cli.store.outbox import ClaimedMessage

# Messages that a channel is asked to send in one run; a longer queue takes more runs.
LARGEST_QUEUE = 20


@dataclass(frozen=True, slots=True)
class Delivered:
    """What has become of the notifications that a run had to do with."""

    sent: int = 0
    failed: int = 0  # will be tried again
    given_up: int = 0  # will not be tried any more


@dataclass(frozen=True, slots=True)
class Probed:
    """Whether a channel works."""

    channel: str
    lowest: AlertLevel  # the lowest level that the channel carries
    error: str | None  # None if the probe arrived


@dataclass(frozen=True, slots=True)
class PostOffice:
    """Sends what is in the outbox."""

    database: Database
    locks: Locks
    alerting: Alerting
    observe: Observer
    clock: Clock

    async def deliver(self, run_id: int | None, *, only_due: bool) -> Delivered:
        """Send what is in the outbox, for a run.

        Args:
            run_id: the run, which claims what it sends; without one, a run that sends meanwhile may send the same.
            only_due: leave what has failed until its next try is due.

        Raises:
            DatabaseError: the database failed; what was sent may be sent once more.
        """
        if not await asyncio.to_thread(self._has_pending):
            return Delivered()
        claimed = await asyncio.to_thread(self._claim, run_id, only_due=only_due)
        queues = [(channel, [c for c in claimed if c.channel == channel.name]) for channel in self.alerting.channels]
        counts = await asyncio.gather(*[self._send_all(channel, queue) for channel, queue in queues])
        given_up = await asyncio.to_thread(self._close, run_id)
        delivered = Delivered(sum(sent for sent, _ in counts), sum(failed for _, failed in counts), given_up)
        if delivered != Delivered():
            self.observe(NotificationsSent(delivered.sent, delivered.failed, delivered.given_up))
        return delivered

    def _has_pending(self) -> bool:
        return self.database.read(outbox.has_pending)

    def _claim(self, run_id: int | None, *, only_due: bool) -> list[ClaimedMessage]:
        now = self.clock()
        wanted = outbox.Wanted(now if only_due else None, LARGEST_QUEUE)

        def claim(session: Session) -> list[ClaimedMessage]:
            dead = [run.id or 0 for run in outbox.claimants(session) if is_dead(run, self.locks, now)]
            outbox.free(session, dead)
            return [c for name in self._channel_names() for c in outbox.claim(session, run_id, name, wanted)]

        return self.database.commit(claim)

    async def _send_all(self, channel: Channel, queue: Sequence[ClaimedMessage]) -> tuple[int, int]:
        """Send a channel's messages in turn; what its time does not suffice for is left to a later run.

        Returns:
            How many were sent, and how many failed.
        """
        sent = failed = 0
        end = time.monotonic() + self.alerting.channel_seconds
        for claimed in queue:
            if time.monotonic() >= end:
                break
            error = await _try(channel, claimed.message, end - time.monotonic())
            if error is not None:
                self.observe(
                    Warned(tr("the notification through {name} failed: {error}", name=channel.name, error=error))
                )
            await asyncio.to_thread(self._record, claimed, error)
            sent, failed = (sent + 1, failed) if error is None else (sent, failed + 1)
        return sent, failed

    def _record(self, claimed: ClaimedMessage, error: str | None) -> None:
        now = self.clock()

        def record(session: Session) -> None:
            if error is None:
                outbox.mark_sent(session, claimed.id, now)
            else:
                outbox.mark_failed(session, claimed, now + retry_delay(claimed.attempts + 1), error)

        self.database.commit(record)

    def _close(self, run_id: int | None) -> int:
        """Free what was not tried, and give up what is too old; how much that was."""
        now = self.clock()

        def close(session: Session) -> int:
            outbox.free(session, [] if run_id is None else [run_id])
            return outbox.give_up(session, now - GIVE_UP_AFTER, self._channel_names(), now)

        return self.database.commit(close)

    def _channel_names(self) -> list[str]:
        return [channel.name for channel in self.alerting.channels]


def send_probe(alerting: Alerting) -> list[Probed]:
    """Send a probe through every channel."""
    return send_directly(alerting, probe(str(uuid4())))


def send_directly(alerting: Alerting, message: Message) -> list[Probed]:
    """Send a message through every channel, past the outbox and the channels' lowest levels."""

    async def send(channel: Channel) -> Probed:
        error = await _try(channel, message, alerting.channel_seconds)
        return Probed(channel.name, channel.lowest, error)

    async def send_all() -> list[Probed]:
        return await asyncio.gather(*[send(channel) for channel in alerting.channels])

    return asyncio.run(send_all())


async def _try(channel: Channel, message: Message, seconds: float) -> str | None:
    """Send a message, within a limit; why it did not arrive, None if it did."""
    try:
        await bounded(lambda: channel.send(message), seconds)
    except ChannelError as error:
        return one_line(str(error), ERROR_LENGTH)
    except TimeoutError:
        return tr("no answer within {seconds:.2g} s", seconds=seconds)
    except Exception as error:  # noqa: BLE001  (a channel of whatever kind never fails a run)
        # Its text may hold a secret that nobody has masked.
        return tr("unexpected {name}", name=type(error).__name__)
    return None
