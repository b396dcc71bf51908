"""A campaign's demand by the hour, packed: ten bytes an hour with demand, however many items were asked for."""

import struct
from collections.abc import ItemsView, Iterator, Mapping, Sequence, ValuesView
from functools import lru_cache

from kylink_cli.rules.demand import KEPT_HOURS, Asked, Hours, add_minutes

# Hours before the last one, items taken, items refused.
_HOUR = struct.Struct("<HII")


# The same few numbers come again and again: they are made once, which is quicker and takes less room.
_asked = lru_cache(maxsize=1_024)(Asked)


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
    return {last_hour - before: _asked(taken, refused) for before, taken, refused in _HOUR.iter_unpack(packed)}


class RecordedHours(Mapping[int, Asked]):
    """A campaign's hours, which stay packed: those of a hundred thousand campaigns would fill a gigabyte.

    Each look unpacks them anew; whoever looks often makes a dict of them.
    """

    __slots__ = ("_first", "_last_hour", "_minutes", "_packed")

    def __init__(self, first: int, last_hour: int, packed: bytes, minutes: Sequence[tuple[int, int, int]]) -> None:
        """Hours from the first on.

        Args:
            first: the first hour that counts; those before are forgotten.
            last_hour: the last one that is packed.
            packed: as `pack` gave it.
            minutes: what was asked for since, by the minute: items taken and refused.
        """
        self._first, self._last_hour, self._packed, self._minutes = first, last_hour, packed, minutes

    def unpacked(self) -> dict[int, Asked]:
        """The hours."""
        hours = unpack(self._last_hour, self._packed)
        if self._minutes:
            hours = add_minutes(hours, self._minutes)
        if min(hours, default=self._first) >= self._first:
            return hours
        return {hour: asked for hour, asked in hours.items() if hour >= self._first}

    def has_refused(self) -> bool:
        """Whether consumers were refused anything: hardly ever, and told by a tenth of the work of unpacking."""
        in_hours = any(refused for _, _, refused in _HOUR.iter_unpack(self._packed))
        return in_hours or any(refused for _, _, refused in self._minutes)

    def items(self) -> ItemsView[int, Asked]:
        """The hours, each with what was asked for in it; unpacked once."""
        return self.unpacked().items()

    def values(self) -> ValuesView[Asked]:
        """What was asked for in each; unpacked once."""
        return self.unpacked().values()

    def __getitem__(self, hour: int) -> Asked:
        return self.unpacked()[hour]

    def __iter__(self) -> Iterator[int]:
        return iter(self.unpacked())

    def __len__(self) -> int:
        return len(self.unpacked())

    def __bool__(self) -> bool:
        if self._minutes or not self._packed:
            return bool(self.unpacked())
        newest_before, *_ = _HOUR.unpack_from(self._packed, len(self._packed) - _HOUR.size)
        return bool(self._last_hour - newest_before >= self._first)
