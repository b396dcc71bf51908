"""What the verdict is given on, against statements written by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from kylink_cli import wiring
from kylink_cli.overview.situation import read_situation
from kylink_cli.rules.attention import attention
from kylink_cli.rules.figures import Period
from kylink_cli.rules.situation import Situation
from kylink_cli.rules.verdict import verdict
from kylink_cli.settings.fields import Settings
from kylink_cli.store.demand import fold
from kylink_cli.store.engine.database import Database
from tests.support import rooms
from tests.support.database import url_of


def asked_by_hand(database: Database, sql: str) -> list[Any]:
    with database.reading() as session:
        return [tuple(row) for row in session.connection().exec_driver_sql(sql)]


def situation_of(database: Database, now: datetime) -> Situation:
    settings = Settings(database_url=url_of(database), enable_auto_cron=True)
    return read_situation(database, wiring.locks(settings), settings, Period(now - timedelta(days=7), now))


def test_the_verdict_of_a_week_is_what_statements_by_hand_give(embedded: Database) -> None:
    now = rooms.furnish(embedded, rooms.WEEK)
    first_minute = int((now - timedelta(days=7)).timestamp()) // 3600 * 60
    [(taken, refused)] = asked_by_hand(
        embedded, f"SELECT sum(taken), sum(refused) FROM demand_minutes WHERE minute >= {first_minute}"
    )
    [(empty,)] = asked_by_hand(
        embedded,
        "SELECT count(*) FROM campaigns c WHERE status = 'active' AND NOT EXISTS (SELECT 1 FROM stock_items i WHERE "
        f"i.campaign_id = c.id AND i.state = 'available' AND i.expires_at > '{now:%Y-%m-%d %H:%M:%S}')",
    )
    [(since, turned_away)] = asked_by_hand(
        embedded,
        "SELECT (SELECT min(started_at) FROM runs r JOIN campaign_results c ON c.run_id = r.id WHERE campaign_id = "
        "'1001' AND c.status = 'failed' AND r.id > (SELECT max(run_id) FROM campaign_results WHERE campaign_id = "
        "'1001' AND status IN ('succeeded', 'partial'))), (SELECT sum(refused) FROM demand_minutes WHERE "
        f"campaign_id = '1001' AND minute >= {first_minute})",
    )

    for _ in range(2):
        found = situation_of(embedded, now)
        matters = attention(found)
        assert verdict(found, matters).sentence == (
            f"{empty} campaigns are empty: {refused} consumers were turned away in 7 days, "
            f"{100 * refused / (taken + refused):.1f} % of demand."
        )
        worst = next(matter for matter in matters if matter.id == "1001")
        assert (worst.turned_away, worst.error) == (turned_away, rooms.NO_BALANCE)
        assert worst.since == datetime.fromisoformat(since).replace(tzinfo=UTC)
        # Once the jobs have folded the minutes into hours, all is still the same.
        embedded.commit(lambda session: fold(session, now, 1_000))


def test_where_everything_fails_the_job_is_named_first_with_since_when(embedded: Database) -> None:
    now = rooms.furnish(embedded, rooms.FAILING)
    [(first, last, runs)] = asked_by_hand(
        embedded, "SELECT min(started_at), max(id), count(*) FROM runs WHERE job = 'stock_replenish'"
    )
    found = situation_of(embedded, now)
    matters = attention(found)
    assert verdict(found, matters).tone == "bad"
    job = next(matter for matter in matters if matter.kind == "job" and matter.error)
    assert (job.id, job.what, job.command) == (
        "stock_replenish",
        f"{runs:,} runs failed in a row",
        f"kylink jobs show {last}",
    )
    assert job.since == datetime.fromisoformat(first).replace(tzinfo=UTC)
    assert sum(matter.kind == "campaign" for matter in matters) == 29
