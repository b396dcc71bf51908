"""`kylink watch` on a terminal: what is to be seen, what keys do, and that the terminal is left as it was."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from tests.support.gate import Gate
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer
from tests.support.screen import Screen, on_screen
from tests.support.waiting import wait_until

LONG_AGO, FAR_OFF = "2026-01-01 00:00:00.000000", "2999-01-01 00:00:00.000000"
HOSTILE = "[red]\x1b[2Jevil\x1b[31m \u202e"


@pytest.fixture
def service() -> Iterator[SupplyService]:
    with SupplyService("k") as started:
        yield started


@pytest.fixture
def kylink(tmp_path: Path, service: SupplyService) -> Iterator[Installation]:
    """Thirty campaigns: most have stock, the first none."""
    with Installation.at(tmp_path, service.url, "k", ENABLE_AUTO_CRON="true") as installation:
        installation.add_campaigns(*[f"c{number:02}" for number in range(30)])
        installation.execute("UPDATE campaigns SET name = 'Winter ' || id, low_watermark = 3, target_stock = 10")
        for number in range(1, 30):
            for item in range(number % 10 + 1):
                installation.execute(
                    "INSERT INTO stock_items (campaign_id, value, state, created_at, expires_at, expirations) "
                    f"VALUES ('c{number:02}', 'v{item}', 'available', '{LONG_AGO}', '{FAR_OFF}', 0)"
                )
        started_at = datetime.now(UTC) - timedelta(minutes=1)
        installation.record_run("lease_recovery", "succeeded", started_at, trigger="timer")
        yield installation


def rows_of(screen: Screen) -> list[str]:
    return [line.split()[0] for line in screen.lines if line.startswith("c") and line[1:3].isdigit()]


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (100, 30), (200, 50), (60, 16)])
def test_the_picture_fits_the_terminal(kylink: Installation, columns: int, rows: int) -> None:
    with on_screen("watch", env=kylink.environment, cwd=kylink.folder, columns=columns, rows=rows) as screen:
        screen.wait_for("30 campaigns")
        assert "1 empty, 6 low" in screen.lines[0]
        assert screen.lines[2].startswith("lease_recovery")
        wait_until(lambda: len(rows_of(screen)) == min(30, rows - 7), f"all lines of\n{screen.text}")
        assert rows_of(screen)[0] == "c00"
        assert any("0/10" in line and line.startswith("c00") for line in screen.lines)
        assert "q quit" in screen.lines[-1]


def test_nothing_is_written_while_nothing_changes(kylink: Installation) -> None:
    env = kylink.environment | {"ENABLE_AUTO_CRON": "false"}
    with kylink.database.writing() as session:
        session.connection().exec_driver_sql("DELETE FROM runs")
    with on_screen("watch", "--interval", "0.2", env=env, cwd=kylink.folder) as screen:
        screen.wait_for("30 campaigns")
        kylink.execute("UPDATE campaigns SET name = 'looked again' WHERE id = 'c00'")
        screen.wait_for("looked again")
        before = len(screen.written)
        kylink.execute("UPDATE campaigns SET country = 'DE'")
        kylink.execute("UPDATE campaigns SET name = 'and again' WHERE id = 'c00'")
        screen.wait_for("and again")
        # One line of the table, and nothing else.
        assert len(screen.written) - before < 1000


def test_a_run_under_way_is_seen_coming_on(kylink: Installation, service: SupplyService) -> None:
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--campaign", "c00", STOCK_CONCURRENCY="5")
    gate.wait_for_calls(5)
    with on_screen("watch", "--interval", "0.2", env=kylink.environment, cwd=kylink.folder, columns=200) as screen:
        screen.wait_for("run 2: 0 campaigns done, 1 in work, 0 items")
        assert "running" in screen.lines[1]
        screen.wait_for("0/10  c00")
        gate.open()
        run.communicate()
        wait_until(lambda: "run 2:" not in screen.text, "the run to be over")


def test_keys_of_a_real_terminal_move_filter_and_quit(kylink: Installation) -> None:
    with on_screen("watch", "--interval", "60", env=kylink.environment, cwd=kylink.folder, columns=160) as screen:
        wait_until(lambda: rows_of(screen)[:1] == ["c00"], "the campaigns")
        screen.press("\x1b[4~")  # End, as tmux sends it
        wait_until(lambda: rows_of(screen)[-1:] == ["c29"], "the end of the list")
        screen.press("\x1b[1~")  # Home
        wait_until(lambda: rows_of(screen)[:1] == ["c00"], "its beginning")
        screen.press("s")
        screen.wait_for("sort: available")
        screen.press("/")
        screen.wait_for("a part of an id")
        screen.press("WINTER C2\r")
        screen.wait_for("10 with 'WINTER C2'")
        screen.press("l")
        screen.wait_for("2 with")
        screen.press("\x1b")
        screen.wait_for("30  ? help")
        screen.press("\r")
        screen.wait_for("esc back")
        screen.press("\x1b")
        screen.wait_for("q quit")
        screen.press("q")
        assert screen.wait() == 0
        assert screen.is_clean


def test_a_campaign_is_replenished_paused_and_seen_to_be_so(kylink: Installation, service: SupplyService) -> None:
    with on_screen("watch", "--interval", "0.2", env=kylink.environment, cwd=kylink.folder, columns=160) as screen:
        screen.wait_for("30 campaigns")
        screen.press("r")
        screen.wait_for("Replenish Winter c00 (c00) now?")
        screen.press("y")
        screen.wait_for("campaign c00: run")
        assert len(service.charges) == 10
        screen.press("\x1b[1~p")
        screen.wait_for("Nothing is ordered for it then.")
        screen.press("y")
        screen.wait_for("1 paused")
        assert len(kylink.rows("SELECT id FROM campaigns WHERE status = 'paused'")) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_the_terminal_as_it_was(kylink: Installation, number: signal.Signals) -> None:
    with on_screen("watch", env=kylink.environment, cwd=kylink.folder) as screen:
        screen.wait_for("q quit")
        screen.end(number)
        assert screen.wait() == -number
        assert screen.is_clean


def test_ctrl_c_ends_it_as_the_signal_that_it_is(kylink: Installation) -> None:
    with on_screen("watch", env=kylink.environment, cwd=kylink.folder) as screen:
        screen.wait_for("30 campaigns")
        screen.press("\x03")
        assert screen.wait() == -signal.SIGINT


def test_the_window_s_size_is_followed(kylink: Installation) -> None:
    with on_screen("watch", "--interval", "60", env=kylink.environment, cwd=kylink.folder) as screen:
        screen.wait_for("30 campaigns")
        assert "LAST 24 H" in screen.text
        screen.resize(160, 40)
        wait_until(lambda: len(rows_of(screen)) == 30, "all campaigns")
        screen.wait_for("s sort: runway")


def test_names_from_outside_do_no_harm(kylink: Installation) -> None:
    long, wide = "x" * 5000, "春季促销" * 40
    for campaign, name in (("c01", HOSTILE), ("c02", long), ("c03", wide)):
        with kylink.database.writing() as session:
            session.connection().exec_driver_sql("UPDATE campaigns SET name = ? WHERE id = ?", (name, campaign))
    with on_screen("watch", env=kylink.environment, cwd=kylink.folder) as screen:
        screen.wait_for("30 campaigns")
        wait_until(lambda: len(rows_of(screen)) == 17, f"all lines of\n{screen.text}")
        assert "[red] [2Jevil" in screen.text
        assert b"\x1b[2Jevil" not in screen.written
        assert "\u202e" not in screen.text
        assert sum("xxxx" in line for line in screen.lines) == 1


def test_a_database_that_is_away_for_a_while_is_no_end(kylink: Installation) -> None:
    with on_screen("watch", "--interval", "0.2", env=kylink.environment, cwd=kylink.folder) as screen:
        screen.wait_for("30 campaigns")
        database = kylink.folder / "kylink.db"
        kylink.database.close()
        with sqlite3.connect(database) as connection:
            connection.execute("ALTER TABLE campaigns RENAME TO away")
        screen.wait_for("the database failed")
        assert "c00" in screen.text
        assert "Traceback" not in screen.text
        with sqlite3.connect(database) as connection:
            connection.execute("ALTER TABLE away RENAME TO campaigns")
        screen.wait_for("30 campaigns")


def test_a_server_that_is_lost_is_said_to_be_lost_until_it_is_back(tmp_path: Path, service: SupplyService) -> None:
    with (
        PostgresServer() as server,
        Installation.on_server(tmp_path, server.new_database(), service) as kylink,
    ):
        kylink.add_campaigns("c00")
        with on_screen("watch", "--interval", "0.2", env=kylink.environment, cwd=kylink.folder) as screen:
            screen.wait_for("1 campaign ")
            server.stop()
            screen.wait_for("the database can't be reached")
            assert "c00" in screen.text
            server.start()
            screen.wait_for("1 campaign ")


def test_once_prints_one_picture_anywhere(kylink: Installation) -> None:
    result = kylink.run("watch", "--once")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "30 campaigns, 6 low"
    assert lines[2].split()[:3] == ["JOB", "STATE", "LAST"]
    assert next(line.split()[0] for line in lines if line.startswith("c")) == "c00"
    assert "\x1b" not in result.stdout


def test_without_a_terminal_one_line_says_so(kylink: Installation) -> None:
    result = kylink.run("watch")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "kylink: watch needs a terminal: --once draws one picture\n"


def test_a_plain_terminal_gets_plain_characters(kylink: Installation) -> None:
    with on_screen("watch", env=kylink.environment | {"TERM": "linux"}, cwd=kylink.folder) as screen:
        screen.wait_for("30 campaigns")
        assert "#" in screen.text
        assert not set("▁▂▃▄▅▆▇█│") & set(screen.text)


@pytest.mark.parametrize(("options", "env"), [(["--no-color"], {}), ([], {"NO_COLOR": "1"})], ids=str)
def test_colours_can_be_turned_off(kylink: Installation, options: list[str], env: dict[str, str]) -> None:
    with on_screen("watch", *options, env=kylink.environment | env, cwd=kylink.folder) as screen:
        screen.wait_for("30 campaigns")
        assert {cell.fg for row in screen.cells for cell in row} == {"default"}


def test_a_look_takes_as_many_statements_for_many_campaigns_as_for_one(kylink: Installation) -> None:
    from kylink_cli import wiring
    from kylink_cli.overview.watching import look
    from kylink_cli.settings.fields import Settings
    from tests.support.statements import counting

    settings = Settings(database_url=kylink.settings["DATABASE_URL"])
    with counting(kylink.database) as few:
        look(kylink.database, wiring.locks(settings), settings)
    kylink.add_campaigns(*[f"d{number}" for number in range(200)])
    with counting(kylink.database) as many:
        look(kylink.database, wiring.locks(settings), settings)
    assert len(few) == len(many)


def test_no_other_command_loads_what_draws_it(kylink: Installation) -> None:
    program = "import sys; from kylink_cli.cli import app; sys.argv = ['kylink', 'jobs', 'status']\n"
    program += "try: app()\nexcept SystemExit: pass\nprint('textual' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=kylink.environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"
