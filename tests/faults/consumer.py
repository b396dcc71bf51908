"""A consumer that takes, confirms and releases until it is killed: `python -m tests.faults.consumer URL SEED`.

It prints a line for each item that kylink has acknowledged as its own: `confirmed VALUE`.
"""

import random
import sys
from datetime import UTC, datetime

from kylink_cli import leasing, wiring
from kylink_cli.errors import NoStockError
from kylink_cli.leasing import TakeRequest
from kylink_cli.settings.fields import Settings
from kylink_cli.store.engine.database import Database

CAMPAIGNS = 6


def consume(database: Database, chance: random.Random) -> None:
    """Take a few items of some campaign; confirm most, give some back, forget the rest."""
    request = TakeRequest(str(chance.randrange(CAMPAIGNS)), ttl_minutes=1, count=chance.randint(1, 3))
    try:
        taken = leasing.take(database, request, datetime.now(UTC))
    except NoStockError:
        return
    for lease in taken.leases:
        fate = chance.random()
        if fate < 0.7:
            [result] = leasing.confirm(database, [lease.token], datetime.now(UTC))
            if result.ok:
                _say(f"confirmed {lease.value}")
        elif fate < 0.85:
            leasing.release(database, [lease.token], datetime.now(UTC), error="not liked")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Consume for ever."""
    database, chance = wiring.existing_database(Settings(database_url=sys.argv[1])), random.Random(int(sys.argv[2]))
    _say("ready")
    while True:
        consume(database, chance)


if __name__ == "__main__":
    main()
