"""The command in Chinese: what people read is translated, what programs read is not."""

import json
import re
from pathlib import Path

import pytest

from kylink_cli.console.wrapping import cells
from tests.support.cli import run_kylink, run_process
from tests.support.installation import Installation

CHINESE = {"KYLINK_LANG": "zh"}
HAN = re.compile(r"[\u4e00-\u9fff]")


def refusing(folder: Path, **settings: str) -> Installation:
    """An installation whose supply service refuses every order."""
    own = {
        "DATABASE_URL": f"sqlite:///{folder / 'kylink.db'}",
        "PROXY_API_URL": "exec:/bin/false",
        "REPLENISH_RETRY_TIMES": "1",
    }
    return Installation(folder, own | settings)


def test_help_is_in_the_language_of_the_environment() -> None:
    result = run_process("replenish", "--help", env=CHINESE)
    assert "为库存偏低的 campaign 补货。" in result.stdout
    assert "--dry-run                       显示会订多少以及原因" in result.stdout
    assert "选项" in result.stdout
    assert "作业名" in run_process("jobs", "pause", "--help", env={"LANG": "zh_CN.UTF-8"}).stdout


def test_every_command_has_help_in_chinese() -> None:
    groups = re.findall(r"^  ([a-z][a-z-]*)  ", run_process("--help", env=CHINESE).stdout, re.MULTILINE)
    assert "campaigns" in groups
    for name in groups:
        text = run_process(name, "--help", env=CHINESE).stdout
        described = [line for line in text.splitlines() if re.match(r"  (\S.*?)  +\S", line)]
        english = [line for line in described if not HAN.search(line) and "--help" not in line]
        assert english == [], name


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("args", [[], ["leases", "take"], ["db", "copy"]], ids=" ".join)
def test_no_line_of_help_is_wider_than_the_terminal(language: str, args: list[str]) -> None:
    page = run_process(*args, "--help", env={"KYLINK_LANG": language, "COLUMNS": "64"}).stdout
    # Examples are there to be copied.
    lines = [line for line in page.splitlines() if not line.startswith("  kylink ")]
    assert [line for line in lines if cells(line) > 62 and len(line.split()) > 2] == []


def test_an_error_is_one_line_in_chinese(tmp_path: Path) -> None:
    result = run_kylink("jobs", "status", env=CHINESE | {"DATABASE_URL": f"sqlite:///{tmp_path}/no.db"})
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr == f"kylink: {tmp_path}/no.db 没有数据库：请运行 'kylink db init'，或检查 DATABASE_URL\n"


def test_the_env_file_sets_the_language(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KYLINK_LANG=zh\n", encoding="utf-8")
    assert "配置没有问题" in run_kylink("config", "check", cwd=tmp_path).stdout


def test_an_unknown_language_is_refused(tmp_path: Path) -> None:
    result = run_kylink("config", "check", env={"KYLINK_LANG": "fr"}, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (78, "kylink: KYLINK_LANG is 'fr': must be en or zh\n")


def test_tables_translate_states_and_leave_names_alone(tmp_path: Path) -> None:
    installation = refusing(tmp_path, **CHINESE)
    installation.run("campaigns", "add", "low", "--user", "paused", "--name", "failed")
    shown = installation.run("campaigns", "list").stdout.splitlines()[:2]
    assert [line.split() for line in shown] == [
        ["CAMPAIGN", "名称", "用户", "状态", "库存", "水位线", "目标", "可用时长"],
        ["low", "failed", "paused", "偏低", "0", "5", "10", "空"],
    ]


def test_json_is_the_same_in_every_language(tmp_path: Path) -> None:
    installation = refusing(tmp_path)
    installation.run("campaigns", "add", "1", "--user", "u")
    for command in (["campaigns", "list"], ["jobs", "status"], ["campaigns", "show", "1"], ["db", "check"]):
        english, chinese = (installation.run(*command, "--json", KYLINK_LANG=name).stdout for name in ("en", "zh"))
        assert _comparable(english) == _comparable(chinese)


@pytest.mark.parametrize(("failures", "more"), [(3, None), (12, 2)])
def test_a_failed_replenishment_is_told_in_chinese(tmp_path: Path, failures: int, more: int | None) -> None:
    installation = refusing(tmp_path, **CHINESE)
    for number in range(failures):
        installation.run("campaigns", "add", f"c{number:02}", "--user", "u")
    assert installation.run("replenish", "--all").returncode == 1
    alert = json.loads(installation.run("alerts", "list", "--json").stdout)["alerts"][0]
    lines = alert["message"].splitlines()
    assert (alert["type"], lines[0]) == ("STOCK_REPLENISH_FAILED", f"自动补货任务失败 {failures} 个 campaigns：")
    assert lines[1] == "- c00 (c00): 程序拒绝，退出码 1"
    assert lines[-1] == (
        f"... 还有 {more} 个失败" if more else f"- c{failures - 1:02} (c{failures - 1:02}): 程序拒绝，退出码 1"
    )


def _comparable(text: str) -> str:
    """A document without what differs from one second to the next, and the reason that is worded for people."""
    return re.sub(r'"([^"]*_at|why)": "[^"]*"', "", text)
