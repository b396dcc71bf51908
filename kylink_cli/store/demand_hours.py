"""A campaign's demand by the hour, packed: ten bytes an hour with demand, however many items were asked for."""

import struct

from kylink_cli.rules.demand import KEPT_HOURS, Asked, Hours

# Hours before the last one, items taken, items refused.
_HOUR = struct.Struct("<HII")


def pack(hours: Hours) -> tuple[int, bytes]:
    """The last hour, and as bytes the four weeks that end with it; there must be an hour.

    What comes back after its taking was forgotten leaves an hour below nothing: that counts as nothing.
    """
    last = max(hours)
    kept = sorted((hour, asked) for hour, asked in hours.items() if hour > last - KEPT_HOURS)
    counts = [(last - hour, max(0, asked.taken), max(0, asked.refused)) for hour, asked in kept]
    return last, b"".join(_HOUR.pack(*count) for count in counts if any(count[1:]))


def unpack(last_hour: int, packed: bytes) -> dict[int, Asked]:
    """The hours that were packed, oldest first."""
    return {last_hour - before: Asked(taken, refused) for before, taken, refused in _HOUR.iter_unpack(packed)}
