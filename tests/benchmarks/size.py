"""How much memory a large run takes, and how much disk its items."""

import tempfile
from pathlib import Path

from tests.benchmarks.frame import Effort, Figure, run_python
from tests.benchmarks.service import supply_service
from tests.support.installation import Installation

CAMPAIGNS = 10_000
ITEMS = 10
MIB = 1024 * 1024
# The high-water mark of the process itself: what the system reports of a child counts its parent's memory before exec.
PROBE = """
import atexit, re
from pathlib import Path
atexit.register(lambda: print("\\n" + re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]))
from kylink_cli.__main__ import main
main()
"""


def of_a_large_run(effort: Effort) -> list[Figure]:
    """Peak memory of a run that fills many campaigns, and the size of the database afterwards."""
    campaigns = effort.of(CAMPAIGNS)
    with (
        supply_service(1) as url,
        tempfile.TemporaryDirectory() as name,
        Installation.at(Path(name), url, "key", CAMPAIGN_CONCURRENCY="20", PROXY_MAX_PER_CALL="10") as installation,
    ):
        installation.add_campaigns(*[f"c{number}" for number in range(campaigns)])
        env = installation.environment
        printed = run_python("-c", PROBE, "replenish", "--all", "--quiet", env=env, cwd=installation.folder)
        peak_kib = int(printed.split()[-1])
        items = installation.rows("SELECT count(*) FROM stock_items")[0]
        size = installation.rows("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")[0]
    assert items == campaigns * ITEMS
    return [
        Figure(f"peak memory of a run that fills {CAMPAIGNS:,} campaigns", peak_kib / 1024, "MiB", 200),
        Figure("database, a million items", size / items * 1e6 / MIB, "MiB", detail=f"{items:,} items measured"),
    ]
