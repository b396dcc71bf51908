"""A consumer in a hurry: `python -m tests.faults.racer SEED` takes and confirms until there is nothing left.

It prints `confirmed VALUE` for each item that kylink has acknowledged as its own, and `lost VALUE` for each lease that
was taken back before it could confirm.
"""

import random
import sys

from kylink_cli import Stock
from kylink_cli.errors import NoStockError

CAMPAIGN = "1"
MOST_AT_ONCE = 10


def main() -> None:
    """Consume the whole stock, as fast as it goes."""
    chance = random.Random(int(sys.argv[1]))
    with Stock.open() as stock:
        while True:
            try:
                leases = stock.take_many(CAMPAIGN, chance.randint(1, MOST_AT_ONCE), holder=sys.argv[1])
            except NoStockError:
                return
            values = {lease.token: lease.value for lease in leases}
            for result in stock.confirm(*values):
                sys.stdout.write(f"{'confirmed' if result.ok else 'lost'} {values[result.token]}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
