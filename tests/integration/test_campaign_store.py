"""Campaigns and their stock in a real database."""

import socket
from datetime import UTC, datetime, timedelta

from sqlalchemy import event

from kylink_cli.rules.campaigns import CampaignFacts
from kylink_cli.rules.vocabulary import ItemState
from kylink_cli.store import campaigns, claims, stock
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures.campaign_stock import count_by_state, read_campaign_stock
from kylink_cli.store.levels import Scope
from kylink_cli.store.stock import ItemFilter
from kylink_cli.store.tables import Campaign, LeaseRecord, Run, StockItem
from tests.support.database import LONG_AGO, add_campaigns, add_items

NOW = datetime.now(UTC)


def add_lease(database: Database, item_id: int, campaign: str) -> None:
    later = NOW + timedelta(minutes=15)
    with database.writing() as session:
        item = session.get_one(StockItem, item_id)
        item.state = "leased"
        session.add(
            LeaseRecord(token=f"t{item_id}", campaign_id=campaign, item_id=item_id, leased_at=NOW, expires_at=later)
        )


def test_saving_adds_what_is_new_and_overwrites_only_what_an_operator_says(database: Database) -> None:
    add_campaigns(database, "1")
    with database.writing() as session:
        session.get_one(Campaign, "1").last_error = "no route"
        facts = [CampaignFacts("1", "u2", "One", "paused", "US"), CampaignFacts("2", "u2", "Two")]
        campaigns.save(session, facts, NOW)
    with database.reading() as session:
        assert campaigns.facts(session, ["1", "2", "3"]) == {one.campaign_id: one for one in facts}
        kept, new = session.get_one(Campaign, "1"), session.get_one(Campaign, "2")
    assert (kept.created_at, kept.last_error) == (LONG_AGO, "no route")
    assert (new.created_at, new.last_error) == (NOW, None)


def test_many_campaigns_are_saved_and_found_whatever_the_limit_of_parameters(database: Database) -> None:
    many = [CampaignFacts(str(number), "u1", str(number)) for number in range(35_000)]
    with database.writing() as session:
        campaigns.save(session, many, NOW)
    with database.reading() as session:
        assert len(campaigns.facts(session, [one.campaign_id for one in many])) == 35_000


def test_setting_a_status_tells_which_campaigns_changed(database: Database) -> None:
    add_campaigns(database, "1", "2", "3")
    with database.writing() as session:
        assert campaigns.set_status(session, ["1", "3"], "paused") == ["1", "3"]
        assert campaigns.set_status(session, ["1", "2"], "paused") == ["2"]


def test_removing_a_campaign_takes_all_that_belongs_to_it(database: Database) -> None:
    add_campaigns(database, "1", "2")
    add_items(database, "1", 2)
    add_items(database, "2", 1)
    add_lease(database, 1, "1")
    with database.writing() as session:
        run = Run(
            job="j",
            trigger="manual",
            host=socket.gethostname(),
            pid=1,
            status="crashed",
            started_at=NOW,
            heartbeat_at=NOW,
        )
        session.add(run)
        session.flush()
        claims.claim(session, run.id or 0, ["1"], NOW)
        assert campaigns.remove(session, ["1", "missing"], NOW) == ["1"]
    with database.reading() as session:
        items = list(stock.read_items(session, ItemFilter(), NOW))
    assert [item.campaign_id for item in items] == ["2"]


def test_the_stock_of_every_campaign_paused_or_not_is_read_in_three_statements(database: Database) -> None:
    add_campaigns(database, "1", "2", "3")
    add_items(database, "1", 4)
    add_items(database, "1", 2, hours=-1)
    add_items(database, "2", 3, state="consumed")
    add_lease(database, 1, "1")
    with database.writing() as session:
        campaigns.set_status(session, ["2"], "paused")
    statements: list[str] = []
    with database.reading() as session:
        event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        found = read_campaign_stock(session, NOW, Scope())
    figures = [(s.level.campaign_id, s.level.available, s.leased, s.level.consumed_24h, s.level.active) for s in found]
    assert figures == [("1", 3, 1, 0, True), ("2", 0, 0, 3, False), ("3", 0, 0, 0, True)]
    # The campaigns, and what was asked of them: by the minute, and by the hour.
    assert [statement.split()[0] for statement in statements if statement != "BEGIN"] == ["SELECT"] * 3


def test_the_stock_is_read_of_one_users_or_one_campaign_alone(database: Database) -> None:
    add_campaigns(database, "1")
    add_campaigns(database, "2", user="u2")
    with database.reading() as session:
        of_user = read_campaign_stock(session, NOW, Scope(user_id="u2"))
        of_one = read_campaign_stock(session, NOW, Scope(campaign_ids=["1"]))
    assert [[s.level.campaign_id for s in found] for found in (of_user, of_one)] == [["2"], ["1"]]


def test_an_item_past_its_end_counts_as_expired_before_a_job_has_marked_it(database: Database) -> None:
    add_campaigns(database, "1")
    add_items(database, "1", 2)
    add_items(database, "1", 3, hours=-1)
    add_items(database, "1", 4, hours=-2, state="expired")
    with database.reading() as session:
        counts = count_by_state(session, NOW, "1")
        expired = list(stock.read_items(session, ItemFilter(state=ItemState.EXPIRED), NOW))
        available = list(stock.read_items(session, ItemFilter(state=ItemState.AVAILABLE), NOW))
    assert counts == {"available": 2, "leased": 0, "consumed": 0, "expired": 7, "discarded": 0}
    assert [item.state for item in expired] == ["expired"] * 7
    assert [item.state for item in available] == ["available"] * 2


def test_items_are_found_by_campaign_and_limit_in_the_order_in_which_they_came(database: Database) -> None:
    add_campaigns(database, "1", "2")
    add_items(database, "1", 3)
    add_items(database, "2", 1)
    with database.reading() as session:
        found = list(stock.read_items(session, ItemFilter("1", limit=2), NOW))
    assert [(item.id, item.campaign_id) for item in found] == [(1, "1"), (2, "1")]


def test_a_value_that_the_campaign_has_or_had_is_not_put_in_stock_again(database: Database) -> None:
    add_campaigns(database, "1", "2")
    end = NOW + timedelta(hours=1)
    with database.writing() as session:
        assert stock.add(session, "1", {"a": end, "b": end}, NOW) == 2
        stock.discard(session, [1])
        assert stock.add(session, "1", {"a": end, "b": end, "c": end}, NOW) == 1
        assert stock.add(session, "2", {"a": end}, NOW) == 1
        assert stock.add(session, "2", {}, NOW) == 0


def test_only_available_items_are_discarded(database: Database) -> None:
    add_campaigns(database, "1")
    add_items(database, "1", 2)
    add_items(database, "1", 1, state="consumed")
    add_lease(database, 2, "1")
    with database.writing() as session:
        assert stock.discard(session, [1, 2, 3, 4]) == [1]
        assert stock.lock_states(session, [1, 2, 3, 4], NOW) == {1: "discarded", 2: "leased", 3: "consumed"}
