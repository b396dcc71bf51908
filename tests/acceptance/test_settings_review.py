"""`kylink config check` and `doctor` judge what settings hold by what a run does with it."""

import json
from pathlib import Path

import pytest

from tests.support.cli import run_kylink

GOOD = {"PROXY_API_URL": "https://supply.example/v1", "PROXY_API_KEY": "hush-key"}


def checked(folder: Path, env: dict[str, str], *arguments: str) -> dict[str, list[str]]:
    result = run_kylink("config", "check", "--json", *arguments, env={**GOOD, **env}, cwd=folder)
    document = json.loads(result.stdout)
    assert result.returncode == (78 if document["problems"] else 0)
    return {key: document[key] for key in ("problems", "warnings")}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("ALERT_NOTIFY_URLS", "slak://hush/a/b", "Apprise does not know this kind of address: did you mean slack?"),
        ("ALERT_NOTIFY_URLS", "qqqqqq://hush", "the channel qqqqqq can't be used: Apprise does not know this kind"),
        ("ALERT_NOTIFY_URLS", "json://localhost slack://hush", "the channel slack can't be used: the address is not"),
        ("ALERT_NOTIFY_URLS", "mailto://me:hu#sh@smtp.example", "or holds a # / @ or ? in a user or password"),
        ("ALERT_NOTIFY_URLS", "feishu://hush@", "the channel feishu can't be used: the address holds no token"),
        ("PROXY_API_URL", "ftp://x", "PROXY_API_URL is of the kind ftp: known are https, http, exec, file"),
        ("PROXY_API_URL", "exec:/nope", "PROXY_API_URL names the program /nope, which can't be executed"),
        ("PROXY_API_URL", "exec:/bin/sh -c x", "names the program /bin/sh -c x, which can't be executed"),
        ("PROXY_API_URL", "exec:sh", "PROXY_API_URL names the program sh: write its whole path"),
        ("PROXY_API_URL", "https://a..b/", "PROXY_API_URL can't be called"),
        ("DATABASE_URL", "postgres://", "must be sqlite:///FILE or postgresql://USER@HOST/NAME"),
        ("DATABASE_URL", "postgresql://u@h/d?schema=public", "schema= is no parameter of libpq"),
        ("DATABASE_URL", "postgresql://u@h/d?sslmode=on", "sslmode= in DATABASE_URL must be one of disable, allow"),
        ("DATABASE_URL", "postgresql://u@h/d?hush=1", "with parameters as libpq knows them"),
        ("DATABASE_URL", "postgresql://u@h/d?pooler=yes", "pooler= in DATABASE_URL must be session or transaction"),
        ("DATABASE_URL", "postgresql://u:hu#sh@h/d", "# as %23"),
        ("DATABASE_URL", "sqlite:////tmp", "DATABASE_URL names the folder /tmp: it must be a file"),
        ("KYLINK_LOCK_URL", "redis://h/0?socket_timeout=hush", "KYLINK_LOCK_URL"),
    ],
)
def test_what_a_run_could_not_work_with_is_a_problem(tmp_path: Path, name: str, value: str, problem: str) -> None:
    found = checked(tmp_path, {name: value})
    assert problem in "\n".join(found["problems"])
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    ("env", "warning"),
    [
        ({"DATABASE_URL": "sqlite:///kylink.db"}, "DATABASE_URL names kylink.db relative to the working directory"),
        (
            {"DATABASE_URL": "sqlite://///srv/k.db"},
            "more slashes than the four of an absolute path: /srv/k.db is meant",
        ),
        ({"DATABASE_URL": "sqlite:////srv/k.db?key=hush"}, "an embedded database takes no parameters"),
        ({"REPLENISH_DEADLINE_SECONDS": "601"}, "REPLENISH_DEADLINE_SECONDS (601) is beyond the interval of 600 s"),
        ({"REPLENISH_RETRY_DELAY_MS": "300000"}, "3 tries wait 600 s, and the run ends after 540 s"),
        ({"PROXY_TIMEOUT_SECONDS": "540"}, "PROXY_TIMEOUT_SECONDS (540) leaves no time for an answer"),
        ({"CAMPAIGN_CONCURRENCY": "1000", "STOCK_CONCURRENCY": "300"}, "allows 300,000 calls at once"),
        ({"PROXY_API_URL": "file:values"}, "PROXY_API_URL names a file relative to the working directory"),
        ({"PROXY_API_URL": "https://x.example/#v1"}, "PROXY_API_URL: what follows the # is never sent"),
        ({"HEARTBEAT_URL_REPLENISH": "https://x.example/#a"}, "HEARTBEAT_URL_REPLENISH: what follows the #"),
        ({"HEARTBEAT_URL_REPLENISH": "https://x.example/{hush}"}, "only {state} and {message} are replaced"),
        ({"PROXY_API_KEY": "Bearer hush"}, "PROXY_API_KEY begins with 'Bearer'"),
        ({"ALERT_WEBHOOK_SECRET": "hush"}, "ALERT_WEBHOOK_SECRET signs nothing"),
        ({"ALERT_LOW_STOCK_WARNING": "7"}, "ALERT_LOW_STOCK_ERROR is reached before ALERT_LOW_STOCK_WARNING"),
        ({"ALERT_DISK_WARNING_PERCENT": "96"}, "ALERT_DISK_ERROR_PERCENT is reached before"),
        ({"ALERT_SUPPLY_WARNING_PERCENT": "40"}, "ALERT_SUPPLY_ERROR_PERCENT is reached before"),
    ],
)
def test_what_is_allowed_and_seldom_meant_is_a_warning(tmp_path: Path, env: dict[str, str], warning: str) -> None:
    found = checked(tmp_path, env)
    assert found["problems"] == []
    assert [text for text in found["warnings"] if warning in text] == found["warnings"] != []
    assert "hush" not in str(found)


def test_an_env_file_says_where_it_means_something_else(tmp_path: Path) -> None:
    lines = ["PROXY_API_KEY=hush #hush", "", "# more", "STOCK_BATCH_SIZE=7 # items", 'ALERT_WEBHOOK_SECRET="a #b"']
    lines += ["ALERT_WEBHOOK_URL=https://x.example", "stock_batch_size=8", "STOCK_BACH_SIZE=9"]
    (tmp_path / "kylink.env").write_text("\n".join(lines) + "\n")
    result = run_kylink("config", "check", "--env-file", "kylink.env", "--json", cwd=tmp_path)
    assert json.loads(result.stdout)["warnings"][:3] == [
        "STOCK_BACH_SIZE means nothing: did you mean STOCK_BATCH_SIZE?",
        (
            "of PROXY_API_KEY on line 1 of kylink.env, what follows the # counts as a comment: "
            "if it belongs to the value, write quotation marks around it"
        ),
        "STOCK_BATCH_SIZE is given twice in kylink.env, on lines 4 and 7: the last one counts",
    ]
    assert "hush" not in result.stdout


@pytest.mark.parametrize("command", ["config check", "doctor"])
def test_a_misspelt_name_is_shown_even_where_another_value_is_bad(tmp_path: Path, command: str) -> None:
    (tmp_path / ".env").write_text("STOCK_BACH_SIZE=7\nSTOCK_TTL_HOURS=never\n")
    result = run_kylink(*command.split(), cwd=tmp_path)
    said = result.stdout + result.stderr
    assert "STOCK_TTL_HOURS is 'never'" in said
    assert "STOCK_BACH_SIZE means nothing: did you mean STOCK_BATCH_SIZE?" in said


def test_what_a_run_could_not_work_with_is_shown_even_where_another_value_is_bad(tmp_path: Path) -> None:
    found = checked(tmp_path, {"STOCK_TTL_HOURS": "never", "PROXY_API_URL": "exec:/nope"})
    assert [problem.partition(" ")[0] for problem in found["problems"]] == ["STOCK_TTL_HOURS", "PROXY_API_URL"]


def test_doctor_judges_alike_and_says_each_thing_once(tmp_path: Path) -> None:
    env = {**GOOD, "PROXY_API_URL": "exec:/nope", "ALERT_NOTIFY_URLS": "slak://x", "CAMPAIGN_CONCURRENCY": "1000"}
    env["DATABASE_URL"] = f"sqlite:///{tmp_path}/k.db"
    assert run_kylink("db", "init", env=env, cwd=tmp_path).returncode == 0
    result = run_kylink("doctor", "--json", env=env, cwd=tmp_path)
    checks = json.loads(result.stdout)["checks"]
    assert result.returncode == 1
    settings = [(check["verdict"], check["text"].partition(":")[0]) for check in checks if check["area"] == "settings"]
    assert settings == [
        ("error", "PROXY_API_URL names the program /nope, which can't be executed"),
        ("error", "the channel slak can't be used"),
        ("warning", "CAMPAIGN_CONCURRENCY times STOCK_CONCURRENCY allows 5,000 calls at once"),
    ]
    assert [check for check in checks if check["area"] == "supply"] == []
