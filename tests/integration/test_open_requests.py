"""What a run has asked for without an answer yet are requests; far fewer of them are being called at once."""

import re
from dataclasses import replace
from datetime import UTC, datetime

from kylink_cli.console.sparkline import BLOCKS
from kylink_cli.console.watch import cells
from kylink_cli.store import runs, supply_requests
from kylink_cli.store.engine.database import Database
from kylink_cli.store.supply_requests import NewRequest
from kylink_cli.store.tables import Run
from tests.support.database import add_campaigns
from tests.support.watched import scene

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


def test_what_waits_for_an_answer_is_counted_and_called_by_its_name(database: Database) -> None:
    add_campaigns(database, "1")
    requests = [NewRequest(f"key-{number}", "1", 1, "{}", 1) for number in range(465)]
    with database.writing() as session:
        run = Run(job="j", trigger="timer", host="h", pid=1, status="running", started_at=NOW, heartbeat_at=NOW)
        runs.start(session, run)
        supply_requests.record(session, requests, NOW)
    progress = database.read(lambda session: runs.read_progress(session, 1, NOW))
    assert progress.open_requests == 465

    [line] = cells.runs(replace(scene(1), progress={"j": progress}), BLOCKS)
    assert "465 supply requests open" in line.plain
    assert not re.search(r"\bcalls?\b", line.plain)
