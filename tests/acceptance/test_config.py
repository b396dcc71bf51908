"""`kylink config`: what an operator sees of the settings."""

import json
from pathlib import Path

import pytest

from kylink_cli.settings.fields import Settings
from tests.support.cli import run_kylink

SECRETS = {"PROXY_API_KEY": "hush-key", "HEARTBEAT_URL_REPLENISH": "https://ping.example/hush-uuid"}


def test_show_names_every_setting_with_its_value_and_source(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STOCK_BATCH_SIZE=7\n", encoding="utf-8")
    result = run_kylink("config", "show", "--json", env={"ENABLE_AUTO_CRON": "true"}, cwd=tmp_path)
    document = json.loads(result.stdout)
    settings = {setting["name"]: setting for setting in document["settings"]}
    assert (result.returncode, document["env_file"], list(settings)) == (
        0,
        ".env",
        [f.upper() for f in Settings.model_fields],
    )
    shown = [
        [settings[name][key] for key in ("value", "source", "secret")]
        for name in ("STOCK_BATCH_SIZE", "ENABLE_AUTO_CRON", "PROXY_API_KEY")
    ]
    assert shown == [[7, "file", False], [True, "environment", False], [None, "default", True]]


def test_show_shows_no_secret(tmp_path: Path) -> None:
    env = {**SECRETS, "PROXY_API_URL": "https://supply.example/v1?token=hush-token"}
    for arguments in ([], ["--json"], ["--debug"]):
        result = run_kylink("config", "show", *arguments, env=env, cwd=tmp_path)
        assert "********" in result.stdout
        assert "hush" not in result.stdout + result.stderr


def test_show_says_which_env_file_was_read(tmp_path: Path) -> None:
    assert run_kylink("config", "show", cwd=tmp_path).stdout.startswith("env file: none (neither .env nor ")
    (tmp_path / "other.env").write_text("", encoding="utf-8")
    result = run_kylink("config", "show", "--env-file", "other.env", cwd=tmp_path)
    assert result.stdout.startswith("env file: other.env\n")


def test_check_is_content_with_good_settings(tmp_path: Path) -> None:
    env = {"PROXY_API_URL": "https://supply.example/v1", "PROXY_API_KEY": "hush"}
    result = run_kylink("config", "check", env=env, cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "configuration is fine\n", "")


def test_check_lists_every_bad_setting_on_a_line_of_its_own(tmp_path: Path) -> None:
    env = {"STOCK_BATCH_SIZE": "0", "WATERMARK_MIN": "few", "PROXY_API_KEY": "hush\x01"}
    result = run_kylink("config", "check", env=env, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr.splitlines() == [
        "kylink: STOCK_BATCH_SIZE is '0': must be a whole number, 1 to 10000",
        "kylink: WATERMARK_MIN is 'few': must be a whole number, 1 to 10000",
        "kylink: PROXY_API_KEY is (secret): must be printable ASCII, since it is sent in an HTTP header",
    ]


def test_check_under_json_is_one_document_either_way(tmp_path: Path) -> None:
    bad = run_kylink("config", "check", "--json", env={"STOCK_BATCH_SIZE": "0"}, cwd=tmp_path)
    problem = "STOCK_BATCH_SIZE is '0': must be a whole number, 1 to 10000"
    assert (bad.returncode, json.loads(bad.stdout)) == (
        78,
        {
            "error": {"code": "CONFIG", "message": problem},
            "ok": False,
            "problems": [problem],
            "warnings": [],
            "notes": [],
        },
    )
    good = run_kylink("config", "check", "--json", env={"PROXY_API_URL": "file:/v"}, cwd=tmp_path)
    assert (good.returncode, json.loads(good.stdout)) == (0, {"ok": True, "problems": [], "warnings": [], "notes": []})


def test_check_warns_of_what_is_seldom_meant_and_succeeds(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KYLINK_LOK_URL=file:/x\n", encoding="utf-8")
    result = run_kylink("config", "check", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, "configuration is fine\n")
    assert result.stderr.splitlines() == [
        "warning: KYLINK_LOK_URL means nothing: did you mean KYLINK_LOCK_URL?",
        "warning: PROXY_API_URL is not set: there is no supply service to order from",
    ]


def test_check_says_that_a_service_is_called_without_a_key(tmp_path: Path) -> None:
    result = run_kylink("config", "check", env={"PROXY_API_URL": "https://supply.example"}, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, "configuration is fine\n")
    assert result.stderr == "PROXY_API_KEY is not set: the supply service is called without a key\n"


def test_any_other_command_ends_on_a_bad_setting_with_one_line(tmp_path: Path) -> None:
    env = {"STOCK_BATCH_SIZE": "0", "WATERMARK_MIN": "few"}
    result = run_kylink("db", "stats", env=env, cwd=tmp_path)
    assert (result.returncode, result.stdout, len(result.stderr.splitlines())) == (78, "", 1)
    assert "STOCK_BATCH_SIZE is '0'" in result.stderr
    assert "WATERMARK_MIN is 'few'" in result.stderr


def test_an_env_file_that_is_named_and_missing_is_bad_configuration(tmp_path: Path) -> None:
    result = run_kylink("--env-file", "nowhere.env", "config", "show", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (
        78,
        "kylink: the env file nowhere.env can't be read: there is no such file\n",
    )


@pytest.mark.parametrize(
    ("name", "ending"),
    [("STOCK_BACH_SIZE", "Did you mean STOCK_BATCH_SIZE?"), ("zz", "'kylink config show' shows them all")],
)
def test_a_setting_that_is_not_there_may_be_a_slip(tmp_path: Path, name: str, ending: str) -> None:
    result = run_kylink("config", "show", name, cwd=tmp_path)
    assert result.returncode == 11
    assert result.stderr.startswith(f"kylink: there is no setting {name}")
    assert result.stderr.endswith(f"{ending}\n")


def test_check_says_which_settings_the_rule_in_force_does_not_read(tmp_path: Path) -> None:
    env = {"WATERMARK_MAX": "30", "PROXY_API_URL": "file:/values"}
    result = run_kylink("config", "check", env=env, cwd=tmp_path)
    assert result.returncode == 0
    assert "WATERMARK_MAX: read by REPLENISH_RULE=cover only" in result.stdout + result.stderr
    quiet = run_kylink("config", "check", env=env | {"REPLENISH_RULE": "cover"}, cwd=tmp_path)
    assert "read by" not in quiet.stdout + quiet.stderr
