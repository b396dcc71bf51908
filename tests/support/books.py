"""The supply service's own ledger against kylink's database."""

from collections import Counter

from kylink_cli.demo.service import SupplyService
from kylink_cli.store.upkeep.check import check
from tests.support.installation import Installation


def assert_ledger_agrees(kylink: Installation, service: SupplyService) -> None:
    """What was charged is in stock, or open, or in doubt, and nothing else is in stock; every invariant holds."""
    stored = Counter(kylink.rows("SELECT value FROM stock_items"))
    undecided = set(kylink.rows("SELECT key FROM supply_requests WHERE state IN ('open', 'in_doubt')"))
    charged = {value: key for key, values in service.charges.items() for value in values}
    lost_values = {value for value, key in charged.items() if key not in undecided} - stored.keys()
    assert lost_values == set(), "charged, and neither in stock nor open nor in doubt"
    assert stored.keys() <= charged.keys(), "in stock without being charged"
    assert set(stored.values()) <= {1}, "in stock twice"
    assert service.conflicts == []
    assert [finding.name for finding in kylink.database.read(check) if not finding.ok] == []


def lost(kylink: Installation, service: SupplyService) -> set[str]:
    """Values that were charged, are not in stock, and will never be asked for again."""
    stored = set(kylink.rows("SELECT value FROM stock_items"))
    still_asked_for = set(kylink.rows("SELECT key FROM supply_requests WHERE state = 'open'"))
    charged = {value for key, values in service.charges.items() if key not in still_asked_for for value in values}
    return charged - stored


def assert_nothing_lost(kylink: Installation, service: SupplyService) -> None:
    """What was charged is in stock or will be asked for again; nothing is there twice; every invariant holds."""
    assert lost(kylink, service) == set()
    repeated = [value for value, number in Counter(kylink.rows("SELECT value FROM stock_items")).items() if number > 1]
    assert repeated == []
    assert service.conflicts == []
    with kylink.database.reading() as session:
        broken = [finding.name for finding in check(session) if not finding.ok]
    assert broken == [], broken
