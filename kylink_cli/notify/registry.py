"""Which channel an address means: a scheme that is not listed here is Apprise's."""

from collections import Counter
from collections.abc import Callable, Sequence

from kylink_cli.notify.apprise import AppriseChannel
from kylink_cli.notify.base import Channel
from kylink_cli.notify.chat import SERVICES, ChatRoom
from kylink_cli.rules.channel_urls import ChannelUrl

Build = Callable[[str, ChannelUrl], Channel]


def _chat_room(name: str, address: ChannelUrl) -> Channel:
    return ChatRoom(name, SERVICES[address.scheme], address.url, address.lowest)


def _apprise(name: str, address: ChannelUrl) -> Channel:
    return AppriseChannel(name, address.url, address.lowest)


# A new kind of channel is one more line.
CHANNELS: dict[str, Build] = {
    "dingtalk": _chat_room,
    "feishu": _chat_room,
    "lark": _chat_room,
    "wecombot": _chat_room,
}


def build_channels(addresses: Sequence[ChannelUrl]) -> list[Channel]:
    """The channels behind addresses, each named after its scheme; a second one of a kind is `slack-2`.

    The address itself is no name: nearly every part of it may be a secret.
    """
    seen: Counter[str] = Counter()
    channels = []
    for address in addresses:
        seen[address.scheme] += 1
        number = seen[address.scheme]
        name = address.scheme if number == 1 else f"{address.scheme}-{number}"
        channels.append(CHANNELS.get(address.scheme, _apprise)(name, address))
    return channels
