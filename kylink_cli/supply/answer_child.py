"""Reads one large answer in a process of its own: `python -m kylink_cli.supply.answer_child QUANTITY NOW`.

Standard input is the answer; standard output gets what it holds, as JSON that `answer_reader.py` reads.
"""

import json
import os
import resource
import signal
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any

from kylink_cli import language
from kylink_cli.supply.answer import parse_answer
from kylink_cli.supply.errors import InvalidResponseError

_SECONDS = 30
_MEMORY_BYTES = 1024 * 1024 * 1024


def main() -> None:
    """Read the answer on standard input."""
    signal.alarm(_SECONDS)
    for kind, limit in ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        # A sandbox that allows no process to limit itself has limits of its own.
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (limit, limit))
    # As whoever started it speaks (`language.use`).
    language.use("zh" if os.environ.get("LANGUAGE") == "zh" else "en")
    quantity, now = sys.argv[1:]
    json.dump(_read(sys.stdin.buffer.read(), int(quantity), datetime.fromisoformat(now)), sys.stdout)


def _read(body: bytes, quantity: int, now: datetime) -> dict[str, Any]:
    try:
        supply = parse_answer(body, quantity, now)
    except InvalidResponseError as error:
        return {"error": str(error)}
    items = [(item.value, item.expires_at and item.expires_at.isoformat()) for item in supply.items]
    return {"items": items, "surplus": supply.surplus, "fault": supply.fault and str(supply.fault)}


if __name__ == "__main__":
    main()
