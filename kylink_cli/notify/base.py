"""What every way to notify people can do."""

from typing import Protocol

from kylink_cli.rules.notices import Message
from kylink_cli.rules.vocabulary import AlertLevel


class ChannelError(Exception):
    """A message did not arrive; the text says why, without secrets, in one line."""


class Channel(Protocol):
    """A way to notify people: a mail server, a chat room, a webhook.

    Attributes:
        name: names it for people and in the outbox; no secret.
        lowest: messages below this level are not for it.
    """

    @property
    def name(self) -> str:
        """Names it for people and in the outbox; no secret."""

    @property
    def lowest(self) -> AlertLevel:
        """Notices below this level are not for it."""

    def check(self) -> None:
        """See whether the address is one that messages can be sent to; nothing is sent.

        Raises:
            ChannelError: it is none, or not complete.
        """

    def send(self, message: Message) -> None:
        """Send a message; whoever calls gives it a thread of its own, and may stop waiting for it.

        Raises:
            ChannelError: it did not arrive.
        """
