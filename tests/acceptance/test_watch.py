"""`kylink watch` on a terminal: what is to be seen, what keys do, and that the terminal is left as it was."""

import signal
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from tests.support.gate import Gate
from tests.support.installation import Installation
from tests.support.screen import on_screen
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


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50), (60, 16)])
def test_the_picture_fits_the_terminal(kylink: Installation, columns: int, rows: int) -> None:
    with on_screen("watch", env=kylink.environment, cwd=kylink.folder, columns=columns, rows=rows) as screen:
        screen.wait_for("q quit")
        lines = screen.lines
        assert "30 campaigns, 6 low" in lines[0] or columns < 80
        assert lines[1].split()[:3] == ["JOB", "STATE", "RESULT"]
        assert lines[3].startswith("lease_recovery")
        assert "q quit" in lines[-1]
        campaigns = [line for line in lines if line.startswith("c")]
        assert len(campaigns) == min(30, rows - 9 - max(2, rows // 7))
        assert campaigns[0].startswith("c00")
        assert "0/10" in campaigns[0]
        assert all(len(line) <= columns for line in lines)


def test_a_run_under_way_is_seen_coming_on(kylink: Installation, service: SupplyService) -> None:
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--campaign", "c00", STOCK_CONCURRENCY="5")
    gate.wait_for_calls(5)
    with on_screen("watch", "--interval", "0.2", env=kylink.environment, cwd=kylink.folder, columns=200) as screen:
        screen.press("ss")
        screen.wait_for("run 2: 0 campaigns done, 1 in work, 0 items")
        assert "running" in screen.lines[2]
        gate.open()
        run.communicate()
        screen.wait_for("no run is under way")
        wait_until(lambda: any(line.startswith("c00") and "10/10" in line for line in screen.lines), "c00 to be full")


def test_keys_sort_filter_scroll_and_quit(kylink: Installation) -> None:
    with on_screen("watch", "--interval", "60", env=kylink.environment, cwd=kylink.folder) as screen:
        screen.wait_for("sort: runway")
        screen.press("s")
        screen.wait_for("sort: available")
        screen.press("s")
        screen.wait_for("sort: name")
        screen.press("\x1b[6~")
        screen.wait_for("13-24 of 30")
        screen.press("\x1b[A")
        screen.wait_for("12-23 of 30")
        screen.press("/")
        screen.wait_for("search: _")
        screen.press("WINTER C2")
        screen.wait_for("search: WINTER C2_")
        screen.press("\r")
        screen.wait_for("1-10 of 10")
        screen.press("l")
        screen.wait_for("low only: on")
        screen.wait_for("1-2 of 2")
        screen.press("\x1b")
        screen.wait_for("1-6 of 6")
        screen.press("q")
        assert screen.wait() == 0
        assert screen.is_clean


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_the_terminal_as_it_was(kylink: Installation, number: signal.Signals) -> None:
    with on_screen("watch", env=kylink.environment, cwd=kylink.folder) as screen:
        screen.wait_for("q quit")
        screen.end(number)
        assert screen.wait() == -number
        assert screen.is_clean


def test_ctrl_z_does_not_leave_the_shell_on_our_screen(kylink: Installation) -> None:
    with on_screen("watch", env=kylink.environment, cwd=kylink.folder) as screen:
        screen.wait_for("q quit")
        screen.press("\x1as")
        screen.wait_for("sort: available")


def test_the_window_s_size_is_followed(kylink: Installation) -> None:
    with on_screen("watch", "--interval", "60", env=kylink.environment, cwd=kylink.folder) as screen:
        screen.wait_for("1-12 of 30")
        screen.resize(160, 40)
        screen.wait_for("q quit  s sort: runway  l low only: off  / search: -  1-26 of 30")


def test_names_from_outside_do_no_harm(kylink: Installation) -> None:
    long, wide = "x" * 5000, "春季促销" * 40
    for campaign, name in (("c01", HOSTILE), ("c02", long), ("c03", wide)):
        with kylink.database.writing() as session:
            session.connection().exec_driver_sql("UPDATE campaigns SET name = ? WHERE id = ?", (name, campaign))
    with on_screen("watch", env=kylink.environment, cwd=kylink.folder) as screen:
        screen.wait_for("q quit")
        assert "[red] [2Jevil" in screen.text
        assert b"\x1b[2Jevil" not in screen.written
        assert "\u202e" not in screen.text
        rows = [line for line in screen.lines if line.startswith("c")]
        assert len(rows) == 12
        assert sum("xxxx" in line for line in screen.lines) == 1


def test_a_database_that_is_away_for_a_while_is_no_end(kylink: Installation) -> None:
    with on_screen("watch", "--interval", "0.2", env=kylink.environment, cwd=kylink.folder) as screen:
        screen.wait_for("q quit")
        database = kylink.folder / "kylink.db"
        kylink.database.close()
        away = database.with_suffix(".away")
        with sqlite3.connect(database) as connection:
            connection.execute("ALTER TABLE campaigns RENAME TO away")
        screen.wait_for("the database failed")
        assert "c00" in screen.text
        with sqlite3.connect(database) as connection:
            connection.execute("ALTER TABLE away RENAME TO campaigns")
        screen.wait_for("30 campaigns, 6 low")
        assert not away.exists()


def test_once_draws_one_picture_anywhere(kylink: Installation) -> None:
    result = kylink.run("watch", "--once")
    assert (result.returncode, result.stderr) == (0, "")
    assert "30 campaigns, 6 low" in result.stdout.splitlines()[0]
    assert "\x1b" not in result.stdout


def test_without_a_terminal_one_line_says_so(kylink: Installation) -> None:
    result = kylink.run("watch")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "kylink: watch needs a terminal: --once prints one picture\n"


def test_a_plain_terminal_gets_plain_characters(kylink: Installation) -> None:
    with on_screen("watch", env=kylink.environment | {"TERM": "linux"}, cwd=kylink.folder) as screen:
        screen.wait_for("q quit")
        assert "#" in screen.text
        assert not set("▁▂▃▄▅▆▇█│") & set(screen.text)


def test_a_look_takes_as_many_statements_for_many_campaigns_as_for_one(kylink: Installation) -> None:
    from kylink_cli import wiring
    from kylink_cli.overview.watching import look
    from kylink_cli.rules.watching import Selection
    from kylink_cli.settings import Settings
    from tests.support.statements import counting

    settings = Settings(database_url=kylink.settings["DATABASE_URL"])
    with counting(kylink.database) as few:
        look(kylink.database, wiring.locks(settings), settings, Selection(), 1)
    kylink.add_campaigns(*[f"d{number}" for number in range(200)])
    with counting(kylink.database) as many:
        look(kylink.database, wiring.locks(settings), settings, Selection(), 100)
    assert len(few) == len(many)
