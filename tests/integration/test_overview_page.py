"""The overview of the pages asks the database once for all who look at the same moment."""

import asyncio
from typing import Any, cast

import pytest

from kylink_cli.locks.file import FileLocks
from kylink_cli.overview.situation import read_situation
from kylink_cli.rules.vocabulary import Ability
from kylink_cli.serving.backend import Backend, Parts
from kylink_cli.serving.keyring import Caller
from kylink_cli.serving.pages import overview
from kylink_cli.serving.sharing import Shared
from kylink_cli.settings.fields import Settings
from kylink_cli.store.engine.database import Database
from tests.support.database import add_campaigns


def caller(user_id: str | None) -> Caller:
    return Caller("olga", "0" * 12, user_id, frozenset({Ability.READ}))


def test_who_looks_at_once_shares_a_reading_and_users_share_none(
    database: Database, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_campaigns(database, "c1", user="u1")
    add_campaigns(database, "c2", user="u2")
    readings: list[str | None] = []

    def counted(*arguments: Any) -> Any:
        readings.append(arguments[-1])
        return read_situation(*arguments)

    monkeypatch.setattr(overview, "read_situation", counted)
    none = cast("Any", None)
    backend = Backend(Parts(Settings(), None, database, FileLocks(tmp_path / "locks"), none, none, none, none))
    backend.situations = Shared(seconds=3_600)
    viewers = [caller(user_id) for user_id in (None, "u1", "u2")] * 5

    async def look() -> list[overview.Overview]:
        return await asyncio.gather(*(overview.look_over(backend, one) for one in viewers))

    try:
        pages = asyncio.run(look())
    finally:
        backend.workers.close()
    assert sorted(readings, key=str) == [None, "u1", "u2"]
    shown = [{one.need.level.campaign_id for one in page.campaigns} for page in pages]
    assert shown == [{"c1", "c2"}, {"c1"}, {"c2"}] * 5
