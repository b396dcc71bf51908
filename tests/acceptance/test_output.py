"""What every command has in common: options, log formats, errors, streams, colours."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import clean_environment, run_kylink
from tests.support.installation import Installation
from tests.support.terminal import on_terminal

COLOR = re.compile(r"\x1b\[[0-9;]*3[0-9]")
ESCAPE = "\x1b["
SHEET = "campaign_id,user_id,mystery\n42,u1,x\n"
IGNORED = "columns that mean nothing to kylink: mystery"


def write_sheet(kylink: Installation, text: str = SHEET) -> None:
    (kylink.folder / "sheet.csv").write_text(text, encoding="utf-8")


# --- the common options


@pytest.mark.parametrize(
    "args",
    [
        ["--env-file", "other.env", "config", "show", "--json"],
        ["config", "show", "--json", "--env-file", "other.env"],
        ["--env-file", "missing.env", "config", "show", "--json", "--env-file", "other.env"],
    ],
    ids=["before", "after", "after wins"],
)
def test_the_env_file_may_be_named_before_the_command_and_after_it(kylink: Installation, args: list[str]) -> None:
    (kylink.folder / "other.env").write_text("STOCK_BATCH_SIZE=7\n", encoding="utf-8")
    document = json.loads(kylink.run(*args).stdout)
    assert document["env_file"] == "other.env"


@pytest.mark.parametrize("option", [["--quiet"], ["-q"], ["--log-format", "json"], ["--log-format=json"]], ids=" ".join)
@pytest.mark.parametrize("place", ["before", "after"])
def test_common_options_mean_the_same_before_the_command_and_after_it(
    kylink: Installation, option: list[str], place: str
) -> None:
    write_sheet(kylink)
    command = ["campaigns", "import", "sheet.csv"]
    result = kylink.run(*(option + command if place == "before" else command + option))
    assert (result.returncode, result.stdout) == (0, "1 added, 0 updated, 0 unchanged\n")
    if option in (["--quiet"], ["-q"]):
        assert result.stderr == ""
    else:
        assert json.loads(result.stderr)["message"] == IGNORED


@pytest.mark.parametrize("args", [["--debug", "campaigns", "show", "9"], ["campaigns", "show", "9", "--debug"]])
def test_only_debug_shows_where_an_error_came_from(kylink: Installation, args: list[str]) -> None:
    assert "Traceback" in kylink.run(*args).stderr
    assert "Traceback" not in kylink.run("campaigns", "show", "9").stderr


# --- log formats


def test_log_lines_are_plain_text_where_nothing_else_is_known(kylink: Installation) -> None:
    write_sheet(kylink)
    assert kylink.run("campaigns", "import", "sheet.csv").stderr == f"{IGNORED}\n"


def test_the_journal_format_leads_each_line_with_its_priority(kylink: Installation) -> None:
    write_sheet(kylink, SHEET + "43,,x\n")
    failed = kylink.run("campaigns", "import", "sheet.csv", "--log-format", "journal")
    assert [line[:3] for line in failed.stderr.splitlines()] == ["<3>", "<3>"]
    write_sheet(kylink)
    assert kylink.run("campaigns", "import", "sheet.csv", "--log-format", "journal").stderr == f"<6>{IGNORED}\n"


@pytest.mark.parametrize(("shift", "prefix"), [(0, "<6>"), (1, "")], ids=["the very stream", "another stream"])
def test_lines_are_the_journal_s_only_if_journal_stream_names_this_very_stream(
    kylink: Installation, shift: int, prefix: str
) -> None:
    write_sheet(kylink)
    log = kylink.folder / "stderr"
    with log.open("w") as stderr:
        status = os.fstat(stderr.fileno())
        env = clean_environment() | kylink.settings | {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + shift}"}
        command = [sys.executable, "-m", "kylink_cli", "campaigns", "import", "sheet.csv"]
        subprocess.run(command, env=env, cwd=kylink.folder, stdout=subprocess.DEVNULL, stderr=stderr, check=True)
    assert log.read_text(encoding="utf-8") == f"{prefix}{IGNORED}\n"


@pytest.mark.parametrize("value", ["", ":", "x:y", "8", "8:9:10"])
def test_a_journal_stream_that_means_nothing_is_ignored(kylink: Installation, value: str) -> None:
    write_sheet(kylink)
    assert kylink.run("campaigns", "import", "sheet.csv", JOURNAL_STREAM=value).stderr == f"{IGNORED}\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["campaigns", "show", "9"], "kylink: unknown campaign 9: 'kylink campaigns list' shows them"),
        (["campaigns", "show"], "kylink: Missing argument 'ID' (see 'kylink campaigns show --help')"),
    ],
)
def test_json_lines_carry_errors_too(kylink: Installation, args: list[str], message: str) -> None:
    line = json.loads(kylink.run("--log-format", "json", *args).stderr)
    assert (line["level"], line["message"]) == ("error", message)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])


# --- usage errors


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["bogus"], "No such command 'bogus' (see 'kylink --help')"),
        (["bo\n\x1b[31mgus"], "No such command 'bo\\n\\x1b[31mgus' (see 'kylink --help')"),
        (["campaigns", "lst"], "No such command 'lst'. Did you mean 'list', 'set'? (see 'kylink campaigns --help')"),
        (["jobs", "show"], "Missing argument 'RUN_ID' (see 'kylink jobs show --help')"),
        (
            ["jobs", "pause"],
            (
                "Missing argument 'JOB'. Choose from: replenish, recover-leases, alert-check, stock_replenish,"
                " lease_recovery, monitoring_alert"
                " (see 'kylink jobs pause --help')"
            ),
        ),
        (
            ["campaigns", "list", "--sort", "luck"],
            (
                "Invalid value for '--sort': 'luck' is not one of 'id', 'runway', 'available'"
                " (see 'kylink campaigns list --help')"
            ),
        ),
        (["campaigns", "show", "\udcff"], "the argument '\\udcff' is not UTF-8 text"),
    ],
)
def test_wrong_usage_is_one_line_and_one_document(kylink: Installation, args: list[str], message: str) -> None:
    result = kylink.run(*args, "--json")
    assert (result.returncode, result.stderr) == (2, f"kylink: {message}\n")
    assert json.loads(result.stdout) == {"error": {"code": "USAGE", "message": message}}


@pytest.mark.parametrize("args", [[], ["campaigns"], ["stock"], ["jobs"]], ids=lambda args: " ".join(args) or "nothing")
def test_a_missing_command_shows_the_help_on_standard_error(args: list[str]) -> None:
    result = run_kylink(*args)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Usage: kylink {' '.join(args)}".rstrip())
    assert ("Commands:" if args else "Keep stock filled:") in result.stderr


# --- standard output


READERS_GONE = [["campaigns", "list"], ["campaigns", "show", "42"], ["campaigns", "show", "42", "--json"]]


def run_with_stdout(kylink: Installation, args: list[str], stdout: Any) -> tuple[int, str]:
    result = subprocess.run(
        [sys.executable, "-m", "kylink_cli", *args],
        env=clean_environment() | kylink.settings,
        cwd=kylink.folder,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return result.returncode, result.stderr


@pytest.mark.parametrize("args", READERS_GONE, ids=" ".join)
def test_a_reader_that_has_gone_is_nobody_s_error(kylink: Installation, args: list[str]) -> None:
    kylink.add_campaigns("42")
    ours, its = os.pipe()
    os.close(ours)
    assert run_with_stdout(kylink, args, its) == (141, "")
    os.close(its)


@pytest.mark.parametrize("args", [*READERS_GONE, ["stock", "export"]], ids=" ".join)
def test_a_full_disk_under_standard_output_is_one_clear_line(kylink: Installation, args: list[str]) -> None:
    kylink.add_campaigns("42")
    with Path("/dev/full").open("w") as full:
        code, stderr = run_with_stdout(kylink, args, full)
    line = "kylink: the result can't be written to standard output: the disk is full\n"
    assert (code, stderr) == (1, line)


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_closed_streams_do_not_stop_a_command(kylink: Installation, redirection: str) -> None:
    command = f"exec {sys.executable} -m kylink_cli campaigns add 42 --user u1 {redirection}"
    result = subprocess.run(
        ["/bin/sh", "-c", command], env=clean_environment() | kylink.settings, cwd=kylink.folder, check=False
    )
    assert (result.returncode, kylink.rows("SELECT id FROM campaigns")) == (0, ["42"])


def test_text_is_utf_8_whatever_the_locale(kylink: Installation) -> None:
    kylink.run("campaigns", "add", "42", "--user", "u1", "--name", "Größe →")
    result = kylink.run("campaigns", "list", LC_ALL="POSIX", PYTHONIOENCODING="ascii", PYTHONCOERCECLOCALE="0")
    assert "Größe →" in result.stdout


def test_bytes_that_are_no_text_are_shown_as_what_they_are(kylink: Installation) -> None:
    result = kylink.run("db", "stats", "--json", DATABASE_URL="sqlite:////nowhere/\udcff.db")
    assert result.returncode == 78
    assert json.loads(result.stdout)["error"]["message"].startswith("there is no database at /nowhere/\udcff.db")


# --- tables


HOSTILE = "\u65e5\u672c [/nope] [red]x[/red] " + "long " * 30


@pytest.fixture
def hostile(kylink: Installation) -> Installation:
    kylink.run("campaigns", "add", "42", "--user", "u1", "--name", HOSTILE)
    return kylink


def test_a_table_is_whole_in_a_pipe_and_ends_its_lines_without_blanks(hostile: Installation) -> None:
    lines = hostile.run("campaigns", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines if line] == ["CAMPAIGN", "42", "1"]
    assert HOSTILE.strip() in lines[1]
    hostile.run("stock", "import", "42", "-", input="value\na longer one\nv\n")
    lines = hostile.run("stock", "list").stdout.splitlines()
    assert [line.endswith(end) for line, end in zip(lines, ("VALUE", "a longer one", "v"), strict=True)] == [True] * 3


@pytest.mark.parametrize("columns", [80, 100, 132])
def test_a_table_fits_the_terminal_by_cutting_what_may_be_cut(hostile: Installation, columns: int) -> None:
    seen = on_terminal("campaigns", "list", "--no-color", env=hostile.settings, cwd=hostile.folder, columns=columns)
    heading, rule, row, *_ = (re.sub(r"\x1b\[[0-9;]*m", "", line) for line in seen.lines)
    assert heading.split() == ["CAMPAIGN", "NAME", "USER", "STATUS", "STOCK", "WM", "TARGET", "RUNWAY"]
    assert len(rule) == columns
    # Two characters of the name are two columns wide each.
    assert len(row.rstrip()) + 2 <= columns
    assert row.split()[0] == "42"
    assert row.split()[-6:] == ["u1", "low", "0", "5", "10", "empty"]
    assert "\u65e5\u672c [/nope] [red]x" in row
    assert "…" in row


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (70, ["CAMPAIGN", "NAME", "USER", "STATUS", "STOCK", "WM", "TARGET", "RUNWAY"]),
        (60, ["CAMPAIGN", "NAME", "USER", "STATUS", "STOCK", "TARGET", "RUNWAY"]),
        (52, ["CAMPAIGN", "NAME", "USER", "STATUS", "STOCK", "RUNWAY"]),
        (40, ["CAMPAIGN", "STATUS", "STOCK", "RUNWAY"]),
        (20, ["CAMPAIGN", "STATUS", "STOCK", "RUNWAY"]),
    ],
)
def test_where_it_is_narrow_the_least_important_columns_are_left_out_and_no_id_is_cut(
    kylink: Installation, columns: int, shown: list[str]
) -> None:
    kylink.add_campaigns("12345678901")
    seen = on_terminal("campaigns", "list", "--no-color", env=kylink.settings, cwd=kylink.folder, columns=columns)
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in seen.lines]
    assert plain[0].split() == shown
    assert any(line.startswith("12345678901 ") for line in plain)


# --- colours


def test_states_have_colours_on_a_terminal(hostile: Installation) -> None:
    assert COLOR.search(on_terminal("campaigns", "list", env=hostile.settings, cwd=hostile.folder).text)


@pytest.mark.parametrize(
    ("options", "env"),
    [(["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})],
    ids=["--no-color", "NO_COLOR", "TERM=dumb"],
)
def test_colours_can_be_turned_off(hostile: Installation, options: list[str], env: dict[str, str]) -> None:
    seen = on_terminal(*options, "campaigns", "list", env=hostile.settings | env, cwd=hostile.folder)
    assert (seen.returncode, COLOR.search(seen.text)) == (0, None)


def test_there_are_no_colours_in_a_pipe(hostile: Installation) -> None:
    assert ESCAPE not in hostile.run("campaigns", "list").stdout


# --- ctrl-C


def test_ctrl_c_ends_a_command_by_the_signal_and_changes_nothing(kylink: Installation) -> None:
    kylink.add_campaigns("42")
    seen = on_terminal("campaigns", "remove", "42", env=kylink.settings, cwd=kylink.folder, answer=("[y/N]", "\x03"))
    assert seen.returncode == -signal.SIGINT
    assert "Traceback" not in seen.text
    assert kylink.rows("SELECT id FROM campaigns") == ["42"]
