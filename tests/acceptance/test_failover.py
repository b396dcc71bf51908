"""A server that dies in mid-run, and its streaming replica that takes its place."""

from pathlib import Path

import psycopg

from kylink_cli.demo.service import SupplyService
from tests.support.books import assert_nothing_lost
from tests.support.gate import Gate
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer, Standby
from tests.support.waiting import wait_until


def follow_synchronously(primary: PostgresServer) -> None:
    """Let no commit return before the standby has it: what was acknowledged then survives the fail-over."""
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")

    def is_synchronous() -> bool:
        with psycopg.connect(primary.url()) as connection:
            return connection.execute("SELECT sync_state FROM pg_stat_replication").fetchall() == [("sync",)]

    wait_until(is_synchronous, "the standby to follow")


def test_a_run_goes_on_at_the_standby_that_was_promoted(tmp_path: Path) -> None:
    """The address names both; which of the two can be written is found out at every new connection."""
    with PostgresServer() as primary, SupplyService("the-key") as service:
        name = primary.new_database().rpartition("/")[2]
        with Standby(primary) as standby:
            follow_synchronously(primary)
            url = f"postgresql://kylink@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/{name}"
            with Installation.on_server(tmp_path, url, service) as kylink:
                kylink.add_campaigns(*[f"c{number}" for number in range(6)])
                service.behave = gate = Gate(charges=True)
                run = kylink.start("replenish", "--all", "--json")
                gate.wait_for_calls(15)
                primary.kill()
                gate.open()
                assert run.stderr is not None
                next(line for line in run.stderr if line.endswith(": trying again\n"))
                standby.promote()
                errors = run.communicate()[1]
                assert run.returncode == 0, errors
                assert "the database is back: continuing" in errors
                assert kylink.rows("SELECT count(*) FROM stock_items") == [60]
                assert sum(len(values) for values in service.charges.values()) == 60
                assert_nothing_lost(kylink, service)
                assert kylink.run("leases", "take", "c1").returncode == 0
