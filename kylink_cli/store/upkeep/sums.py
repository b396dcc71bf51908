"""Adding up rows, so that two databases of different kinds can be compared; the order of rows does not matter."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

_ROWS_AT_ONCE = 2_000
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Sum:
    """What rows come to."""

    rows: int = 0
    checksum: int = 0  # of the rows' digests


def add_up(session: Session, statement: Select[Any]) -> Sum:
    """Count and add up the rows of a query, read piece by piece."""
    rows = checksum = 0
    with session.execute(statement.execution_options(yield_per=_ROWS_AT_ONCE)) as found:
        for row in found:
            rows += 1
            checksum += _digest(row)
    return Sum(rows, checksum % 2 ** (8 * _DIGEST_BYTES))


def _digest(row: Sequence[Any]) -> int:
    line = json.dumps(list(row), sort_keys=True, default=_plain).encode()
    return int.from_bytes(hashlib.blake2b(line, digest_size=_DIGEST_BYTES).digest())


def _plain(value: datetime | bytes) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return value.astimezone(UTC).isoformat(timespec="microseconds")
