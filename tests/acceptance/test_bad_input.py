"""Bad input: one clear line, the right exit code, and nothing changed."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import run_process
from tests.support.database import add_items
from tests.support.installation import Installation

UNKNOWN = "unknown campaign 9: 'kylink campaigns list' shows them"


@pytest.fixture
def stocked(kylink: Installation) -> Installation:
    """One campaign with two items, and a file of each kind."""
    kylink.add_campaigns("1")
    add_items(kylink.database, "1", 2)
    (kylink.folder / "values.txt").write_text("v\n")
    (kylink.folder / "no_header.csv").write_text("42,u1\n")
    (kylink.folder / "latin1.csv").write_bytes(b"campaign_id,user_id\n42,\xfc\n")
    (kylink.folder / "quotes.csv").write_text('campaign_id,user_id\n42,"u1\n43,u1\n')
    (kylink.folder / "short.csv").write_text("campaign_id,user_id\n42,u1\n43\n")
    (kylink.folder / "bad_url.csv").write_text("campaign_id,user_id,source_url\n42,u1,javascript:alert(1)\n")
    (kylink.folder / "bad.jsonl").write_text('{"campaign_id": "42", "user_id": "u1"}\n{"campaign_id": 42.5}\n{]\n')
    (kylink.folder / "empty.csv").write_text("")
    return kylink


def contents(kylink: Installation) -> list[object]:
    """Everything that commands could have changed."""
    tables = ("campaigns", "stock_items", "runs", "supply_requests", "paused_jobs", "campaign_claims")
    rows: list[object] = [kylink.rows(f"SELECT * FROM {table}") for table in tables]
    own = ("-wal", "-shm", ".lock", ".generation")
    names = sorted(path.name for path in kylink.folder.iterdir() if not path.name.endswith(own))
    return [*rows, *names]


def assert_refused(kylink: Installation, args: list[str], code: int, pattern: str, **settings: str) -> None:
    """The command ends with one line that matches, one document that says the same, and the code; nothing changed."""
    before = contents(kylink)
    result = kylink.run(*args, "--json", **settings)
    *details, line = result.stderr.splitlines()
    assert re.fullmatch(f"kylink: {pattern}", line), line
    assert all(detail.startswith("line ") for detail in details)
    assert result.returncode == code
    assert json.loads(result.stdout)["error"]["message"] == line.removeprefix("kylink: ")
    assert contents(kylink) == before


@pytest.mark.parametrize(
    "args",
    [
        ["campaigns", "show", "9"],
        ["campaigns", "set", "9", "--name", "x"],
        ["campaigns", "pause", "9"],
        ["campaigns", "resume", "9"],
        ["campaigns", "remove", "9", "--yes"],
        ["stock", "list", "--campaign", "9"],
        ["stock", "export", "--campaign", "9", "--out", "items.csv"],
        ["stock", "import", "9", "values.txt"],
        ["replenish", "--campaign", "1", "--campaign", "9"],
        ["replenish", "--campaign", "9", "--dry-run"],
    ],
    ids=" ".join,
)
def test_an_unknown_campaign_is_not_found(stocked: Installation, args: list[str]) -> None:
    supply = {"PROXY_API_URL": "http://127.0.0.1:9/", "PROXY_API_KEY": "k"}
    assert_refused(stocked, args, 11, UNKNOWN, **supply)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("gone.csv", "gone.csv can't be read: there is no such file"),
        (".", r"\. can't be read: it is a directory"),
        ("values.txt/x", "values.txt/x can't be read: a part of its path is not a directory"),
        ("empty.csv", "empty.csv is empty: nothing was changed"),
        ("no_header.csv", r"no_header.csv has no column campaign_id \(or campaignId\): its first line must name it"),
        ("latin1.csv", r"latin1.csv is not UTF-8 text \(line 2\): save it as UTF-8"),
        ("quotes.csv", "quotes.csv has 1 bad row: nothing was changed"),
        ("short.csv", "short.csv has 1 bad row: nothing was changed"),
        ("bad_url.csv", "bad_url.csv has 1 bad row: nothing was changed"),
        ("bad.jsonl", "bad.jsonl has 2 bad rows: nothing was changed"),
    ],
)
def test_a_bad_file_is_refused_as_a_whole(stocked: Installation, file: str, message: str) -> None:
    assert_refused(stocked, ["campaigns", "import", file], 1, message)


@pytest.mark.parametrize("options", [["set", "1"], ["add", "2", "--user", "u1"]], ids=["set", "add"])
@pytest.mark.parametrize("url", ["shop.example", "ftp://shop.example/", "https://", "https://a b/", "http://[x"])
def test_a_bad_address_of_a_campaign_is_wrong_usage(stocked: Installation, options: list[str], url: str) -> None:
    message = re.escape(f"source_url is '{url}': must be an http:// or https:// address")
    assert_refused(stocked, ["campaigns", *options, "--source-url", url], 2, message)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["campaigns", "set", "1", "--low-watermark", "x"],
            "low_watermark is 'x': must be a whole number from 1 to .*",
        ),
        (["campaigns", "set", "1", "--low-watermark", "-1"], "low_watermark is '-1': must be a whole number .*"),
        (["campaigns", "set", "1", "--target-stock", "1e3"], "target_stock is '1e3': must be a whole number .*"),
        (
            ["campaigns", "set", "1", "--low-watermark", "9", "--target-stock", "9"],
            "target_stock is 9: must be above low_watermark, which is 9",
        ),
        (["campaigns", "set", "1"], "name what to change, as in --low-watermark 5 .*"),
        (["campaigns", "add", "", "--user", "u1"], "campaign_id is '': must not be empty"),
        (["campaigns", "add", "2", "--user", "u\n1"], "user_id is 'u 1': must not hold control characters"),
        (
            ["stock", "list", "--limit", "0"],
            "Invalid value for '--limit': '0' must be at least 1 .*",
        ),
        (["stock", "discard", "one"], "Invalid value for 'ITEM_ID...': 'one' must be a whole number .*"),
        (["stock", "discard", "9" * 30], "Invalid value for 'ITEM_ID...': .*"),
        (["jobs", "history", "--limit", "many"], "Invalid value for '--limit': 'many' must be a whole number .*"),
        (
            ["jobs", "pause", "replensh"],
            "Invalid value for 'JOB': 'replensh' is not one of .* Did you mean replenish?.*",
        ),
        (["alerts", "list", "--type", "low-stok"], "Invalid value for '--type': .* Did you mean LOW_STOCK?.*"),
        (["alerts", "silence", "--type", "Lease-Timeout", "--for", "1h"], ".* Did you mean LEASE_TIMEOUT?.*"),
        (["replenish", "--campaign", "1", "--quantity", "0"], "Invalid value for '--quantity': .*"),
        (["replenish", "--all", "--wait", "-1"], "Invalid value for '--wait': .*"),
        (["campaigns", "list", "--log-format", "xml"], "Invalid value for '--log-format': 'xml' is not one of .*"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_bad_number_or_word_is_wrong_usage(stocked: Installation, args: list[str], message: str) -> None:
    assert_refused(stocked, args, 2, message)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "PROXY_API_URL is not set: it names the supply service"),
        ({"PROXY_API_URL": "supply.example"}, "PROXY_API_URL is 'supply.example': must be https://…, .*"),
        ({"PROXY_API_URL": "https://"}, "PROXY_API_URL is 'https://': must name a host.*"),
        (
            {"PROXY_API_URL": "https://u:p@supply.example"},
            r"PROXY_API_URL is .*: must not contain a user or password: .*",
        ),
        ({"PROXY_API_URL": "gopher://supply.example"}, "PROXY_API_URL .*gopher.*"),
        ({"STOCK_BATCH_SIZE": "ten"}, "STOCK_BATCH_SIZE is 'ten': must be a whole number, 1 to 10000"),
        ({"ENABLE_AUTO_CRON": "perhaps"}, "ENABLE_AUTO_CRON is 'perhaps': .*"),
    ],
    ids=str,
)
def test_a_missing_key_and_other_bad_settings_are_bad_configuration(
    stocked: Installation, settings: dict[str, str], message: str
) -> None:
    assert_refused(stocked, ["replenish", "--all"], 78, message, **settings)


def test_a_password_in_an_address_is_not_repeated(kylink: Installation) -> None:
    result = kylink.run("replenish", "--all", "--debug", PROXY_API_URL="https://u:hush@supply.example")
    assert (result.returncode, "hush" in result.stdout + result.stderr) == (78, False)


# --- databases that can't be used


def garbage(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 8192)


def text(path: Path) -> None:
    path.write_text("this is no database\n" * 100, encoding="utf-8")


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def folder(path: Path) -> None:
    path.mkdir()


def private(path: Path) -> None:
    path.write_bytes(b"x")
    path.chmod(0)


COMMANDS = [
    ["campaigns", "list"],
    ["campaigns", "import", "sheet.csv"],
    ["jobs", "pause", "stock_replenish"],
    ["replenish", "--all"],
    ["db", "init"],
]


CREATING = [["campaigns", "import", "sheet.csv"], ["db", "init"]]


@pytest.mark.parametrize("make", [garbage, text, folder, private], ids=lambda make: make.__name__)
@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_an_unreadable_database_is_bad_configuration_and_stays_as_it_is(
    tmp_path: Path, make: Callable[[Path], None], args: list[str]
) -> None:
    path = tmp_path / "kylink.db"
    make(path)
    assert_unusable(tmp_path, f"sqlite:///{path}", args)


@pytest.mark.parametrize("args", [args for args in COMMANDS if args not in CREATING], ids=" ".join)
def test_an_emptied_database_is_never_taken_for_a_new_one(tmp_path: Path, args: list[str]) -> None:
    nothing(tmp_path / "kylink.db")
    assert_unusable(tmp_path, f"sqlite:///{tmp_path / 'kylink.db'}", args)


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_a_database_below_a_file_is_bad_configuration(tmp_path: Path, args: list[str]) -> None:
    (tmp_path / "file").write_text("")
    assert_unusable(tmp_path, f"sqlite:///{tmp_path / 'file' / 'kylink.db'}", args)


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_a_database_in_a_read_only_directory_is_bad_configuration(tmp_path: Path, args: list[str]) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    assert_unusable(tmp_path, f"sqlite:///{tmp_path / 'closed' / 'kylink.db'}", args)


def assert_unusable(folder: Path, url: str, args: list[str]) -> None:
    (folder / "sheet.csv").write_text("campaign_id,user_id\n1,u1\n")
    before = {path: path.is_file() and path.lstat().st_size for path in folder.rglob("*")}
    settings = {"DATABASE_URL": url, "PROXY_API_URL": "http://127.0.0.1:9/", "PROXY_API_KEY": "k"}
    result = run_process(*args, "--json", env=settings, cwd=folder, unprivileged=True)
    assert result.returncode == 78, result.stderr
    assert len(result.stderr.splitlines()) == 1
    error = json.loads(result.stdout)["error"]
    assert (error["code"], f"kylink: {error['message']}\n") == ("DATABASE", result.stderr)
    assert {path: path.is_file() and path.lstat().st_size for path in folder.rglob("*")} == before


def test_a_read_only_database_can_be_neither_changed_nor_broken(stocked: Installation) -> None:
    stocked.database.close()
    for path in (stocked.folder, *stocked.folder.iterdir()):
        path.chmod(path.stat().st_mode & ~0o222)
    result = run_process("campaigns", "pause", "1", env=stocked.settings, cwd=stocked.folder, unprivileged=True)
    stocked.folder.chmod(0o700)
    assert result.returncode == 78
    assert len(result.stderr.splitlines()) == 1
    assert "can't be written: check who owns" in result.stderr


def test_an_unreadable_env_file_is_bad_configuration(kylink: Installation) -> None:
    (kylink.folder / ".env").write_text("STOCK_BATCH_SIZE=7\n")
    (kylink.folder / ".env").chmod(0)
    result = run_process("config", "show", env=kylink.settings, cwd=kylink.folder, unprivileged=True)
    assert (result.returncode, result.stderr) == (78, "kylink: the env file .env can't be read: permission denied\n")
