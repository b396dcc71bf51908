"""What a run builds from the settings, built and thrown away: what can't be built is a problem before a run meets it.

Nothing is written, sent or asked on the network.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kylink_cli.errors import KylinkError
from kylink_cli.language import tr

if TYPE_CHECKING:
    from kylink_cli.settings.fields import Settings


def problems(settings: "Settings") -> list[str]:
    """What of the settings a run could not work with, a line each."""
    found = []
    for build in (_database, _locks, _supplier):
        try:
            build(settings)
        except KylinkError as error:
            found.append(str(error))
    return [*found, *_channels(settings)]


def _database(settings: "Settings") -> None:
    from kylink_cli import wiring

    wiring.check_database_address(settings.database_url)


def _locks(settings: "Settings") -> None:
    from kylink_cli import wiring

    wiring.locks(settings)


def _supplier(settings: "Settings") -> None:
    from kylink_cli import wiring

    if settings.proxy_api_url is not None:
        wiring.supplier(settings, None)


def _channels(settings: "Settings") -> Iterator[str]:
    from kylink_cli import wiring
    from kylink_cli.notify.base import ChannelError

    for channel in wiring.channels(settings):
        try:
            channel.check()
        except ChannelError as error:
            yield tr("the channel {channel} can't be used: {error}", channel=channel.name, error=error)
