"""How much memory a large run takes, and how much disk its items."""

import tempfile
from pathlib import Path

from tests.benchmarks.frame import Effort, Figure, cost_of
from tests.benchmarks.service import supply_service
from tests.support.installation import Installation

CAMPAIGNS = 10_000
ITEMS = 10
MIB = 1024 * 1024


def of_a_large_run(effort: Effort) -> list[Figure]:
    """Peak memory of a run that fills many campaigns, and the size of the database afterwards."""
    campaigns = effort.of(CAMPAIGNS)
    with (
        supply_service(1) as url,
        tempfile.TemporaryDirectory() as name,
        Installation.at(Path(name), url, "key", CAMPAIGN_CONCURRENCY="20", PROXY_MAX_PER_CALL="10") as installation,
    ):
        installation.add_campaigns(*[f"c{number}" for number in range(campaigns)])
        cost = cost_of("replenish", "--all", "--quiet", env=installation.environment, cwd=installation.folder)
        items = installation.rows("SELECT count(*) FROM stock_items")[0]
        size = installation.rows("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")[0]
    assert items == campaigns * ITEMS
    return [
        Figure(f"peak memory of a run that fills {CAMPAIGNS:,} campaigns", cost.peak_mib, "MiB", 200),
        Figure("database, a million items", size / items * 1e6 / MIB, "MiB", detail=f"{items:,} items measured"),
    ]
