"""The settings: where values come from, which are allowed, and what is said of bad ones."""

import re
from pathlib import Path

import pytest

from kylink_cli.errors import ConfigError
from kylink_cli.places import BELL_PATH_UNIT
from kylink_cli.settings.fields import Settings, is_secret
from kylink_cli.settings.loading import load, unknown_names
from kylink_cli.settings.messages import shown
from kylink_cli.settings.salvage import salvage
from tests.support import env_example


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)
    for name in ("CREDENTIALS_DIRECTORY", "STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def env_file(folder: Path, text: str) -> Path:
    path = folder / "settings.env"
    path.write_text(text, encoding="utf-8")
    return path


def credential(monkeypatch: pytest.MonkeyPatch, folder: Path, value: str) -> None:
    (folder / "proxy_api_key").write_text(value, encoding="utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))


def key(path: Path | None = None) -> tuple[str, str | None]:
    """The supply service's key, and where it came from."""
    loaded = load(path)
    secret = loaded.settings.proxy_api_key
    return loaded.sources["proxy_api_key"], None if secret is None else secret.get_secret_value()


def test_environment_wins_over_file_over_credential_over_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert key() == ("default", None)
    credential(monkeypatch, tmp_path, "from-credential\n")
    assert key() == ("credential", "from-credential")
    path = env_file(tmp_path, "PROXY_API_KEY=from-file\n")
    assert key(path) == ("file", "from-file")
    monkeypatch.setenv("PROXY_API_KEY", "from-environment")
    assert key(path) == ("environment", "from-environment")


@pytest.mark.parametrize("blank", ["", "   ", "\t"])
def test_a_blank_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, blank: str) -> None:
    monkeypatch.setenv("PROXY_API_KEY", blank)
    credential(monkeypatch, tmp_path, blank)
    assert key(env_file(tmp_path, f"PROXY_API_KEY={blank}\n")) == ("default", None)
    assert key(env_file(tmp_path, "PROXY_API_KEY=from-file\n")) == ("file", "from-file")


def test_dot_env_of_the_working_directory_is_read_unless_another_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("STOCK_BATCH_SIZE=7\n", encoding="utf-8")
    assert load().settings.stock_batch_size == 7
    assert load(env_file(tmp_path, "")).settings.stock_batch_size == 10


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("abc", "abc"),
        ("a$HOME${HOME}%h", "a$HOME${HOME}%h"),
        ("'a b#c'", "a b#c"),
        ('"a b"', "a b"),
        ("  abc  ", "abc"),
        ("abc # a comment", "abc"),
    ],
)
def test_values_of_a_file_are_taken_literally(tmp_path: Path, written: str, meant: str) -> None:
    assert key(env_file(tmp_path, f"export PROXY_API_KEY={written}\n")) == ("file", meant)


@pytest.mark.parametrize("line", ['PROXY_API_KEY="abc', "PROXY_API_KEY='abc", "PROXY_API_KEY", "= 5"])
def test_a_line_that_cannot_be_understood_is_named_and_its_text_is_not(tmp_path: Path, line: str) -> None:
    path = env_file(tmp_path, f"STOCK_BATCH_SIZE=5\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == f"the env file {path} can't be understood from line 2 on: write NAME=value"


def test_an_env_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"env file .*nowhere can't be read: there is no such file"):
        load(tmp_path / "nowhere")
    (tmp_path / "latin").write_bytes(b"PROXY_API_KEY=\xe9\n")
    with pytest.raises(ConfigError, match=r"env file .*latin is not UTF-8 text"):
        load(tmp_path / "latin")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("REPLENISH_RETRY_TIMES", "0", "REPLENISH_RETRY_TIMES is '0': must be a whole number, 1 to 10"),
        ("REPLENISH_RETRY_TIMES", "11", "REPLENISH_RETRY_TIMES is '11': must be a whole number, 1 to 10"),
        ("REPLENISH_RETRY_TIMES", "many", "REPLENISH_RETRY_TIMES is 'many': must be a whole number, 1 to 10"),
        ("REPLENISH_RETRY_TIMES", "2.5", "REPLENISH_RETRY_TIMES is '2.5': must be a whole number, 1 to 10"),
        ("REPLENISH_DEADLINE_SECONDS", "0", "REPLENISH_DEADLINE_SECONDS is '0': must be a whole number, 1 to 86400"),
        ("PROXY_TIMEOUT_SECONDS", "0", "PROXY_TIMEOUT_SECONDS is '0': must be above 0 and at most 600"),
        ("PROXY_TIMEOUT_SECONDS", "nan", "PROXY_TIMEOUT_SECONDS is 'nan': must be above 0 and at most 600"),
        ("ENABLE_AUTO_CRON", "maybe", "ENABLE_AUTO_CRON is 'maybe': must be true or false"),
        ("REPLENISH_RETRY_BACKOFF", "linear", "REPLENISH_RETRY_BACKOFF is 'linear': must be fixed or exponential"),
        (
            "DATABASE_URL",
            "mysql://me:hush@db/x",
            "DATABASE_URL is 'mysql://********@db/********': must be sqlite:///FILE or postgresql://USER@HOST/NAME",
        ),
        (
            "PROXY_API_URL",
            "https://me:hu/sh@supply.example/",
            "PROXY_API_URL is 'https://********': must have a port from 0 to 65535, if any",
        ),
        (
            "PROXY_API_URL",
            "https://me:hush@supply.example/",
            (
                "PROXY_API_URL is 'https://********@supply.example/': must not contain a user or password: "
                "put the key in PROXY_API_KEY"
            ),
        ),
        (
            "PROXY_API_URL",
            "https://supply.example:http/",
            "PROXY_API_URL is 'https://********': must have a port from 0 to 65535, if any",
        ),
        (
            "PROXY_API_KEY",
            "hush\x01",
            "PROXY_API_KEY is (secret): must be printable ASCII, since it is sent in an HTTP header",
        ),
        (
            "HEARTBEAT_URL_REPLENISH",
            "ftp://hush",
            "HEARTBEAT_URL_REPLENISH is (secret): must be an https:// or http:// address",
        ),
        (
            "KYLINK_LOCK_URL",
            "here",
            "KYLINK_LOCK_URL is 'here': must be file:/absolute/path/of/a/folder, database: or redis://HOST",
        ),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load()
    assert str(caught.value) == message
    assert "hush" not in repr(caught.value)


def test_every_bad_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STOCK_BATCH_SIZE", "WATERMARK_MIN", "STOCK_TTL_HOURS"):
        monkeypatch.setenv(name, "none")
    with pytest.raises(ConfigError) as caught:
        load()
    assert [problem.split()[0] for problem in caught.value.problems] == [
        "STOCK_BATCH_SIZE",
        "STOCK_TTL_HOURS",
        "WATERMARK_MIN",
    ]


def test_the_lowest_watermark_is_not_above_the_highest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLENISH_RULE", "cover")
    monkeypatch.setenv("WATERMARK_MIN", "21")
    with pytest.raises(ConfigError, match=r"^WATERMARK_MIN \(21\) must not be above WATERMARK_MAX \(20\)$"):
        load()


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"REPLENISH_INTERVAL_MINUTES": "10"}, 540),
        ({"REPLENISH_INTERVAL_MINUTES": "1"}, 30),
        ({"REPLENISH_INTERVAL_MINUTES": "10", "REPLENISH_DEADLINE_SECONDS": "90"}, 90),
    ],
)
def test_a_run_ends_a_minute_before_the_next_is_due(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], seconds: int
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert load().settings.deadline_seconds == seconds


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/kylink:/other"}, "sqlite:////var/lib/kylink/kylink.db"),
        ({"XDG_STATE_HOME": "/home/me/state"}, "sqlite:////home/me/state/kylink/kylink.db"),
        ({"HOME": "/home/me"}, "sqlite:////home/me/.local/state/kylink/kylink.db"),
    ],
)
def test_the_database_stands_in_the_state_directory(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert load().settings.database_url == expected


def test_unknown_names_come_with_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KYLINK_LOK_URL", "x")
    monkeypatch.setenv("PROXY_API_KYE", "somebody else's")
    path = env_file(tmp_path, "PROXY_API_ULR=x\nKYLINK_QQXXZZ=x\nEDITOR=vi\n")
    assert unknown_names(path) == {
        "KYLINK_LOK_URL": "KYLINK_LOCK_URL",
        "KYLINK_QQXXZZ": None,
        "PROXY_API_ULR": "PROXY_API_URL",
    }


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("proxy_api_key", "hush", "********"),
        ("proxy_api_key", None, None),
        (
            "proxy_api_url",
            "https://supply.example/v1?api_key=hush&x=1",
            "https://supply.example/********",
        ),
        ("database_url", "postgresql://me:hush@db/k?password=hush", "postgresql://********@db/********"),
        ("stock_batch_size", 10, 10),
    ],
)
def test_secrets_are_masked_where_values_are_shown(field: str, value: object, expected: object) -> None:
    assert shown(field, value) == expected


def test_what_sounds_secret_is_secret() -> None:
    sound_secret = [
        field for field in Settings.model_fields if field.endswith(("_key", "_secret")) or "heartbeat_url" in field
    ]
    assert sound_secret
    assert [field for field in sound_secret if not is_secret(field)] == []


def test_the_example_file_tells_every_setting_and_its_default() -> None:
    """If this fails, the settings have changed: `python -m tests.support.env_example` writes the file anew."""
    assert env_example.PATH.read_text(encoding="utf-8") == env_example.render()


def test_the_example_file_changes_nothing(tmp_path: Path) -> None:
    # In a clone, a user's own group may write it.
    copy = tmp_path / "example"
    copy.write_text(env_example.PATH.read_text(encoding="utf-8"), encoding="utf-8")
    assert set(load(copy).sources.values()) == {"default"}


@pytest.mark.parametrize("name", [field.upper() for field in Settings.model_fields])
def test_no_bad_value_is_answered_in_a_library_s_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    file = env_file(tmp_path, "")
    for bad in ("x", "-1", "1e99", "9" * 400, "\x01", "nan", "ture", "://"):
        monkeypatch.setenv(name, bad)
        said = salvage(file).problems
        assert all(line.startswith(f"{name} is ") for line in said)
        assert not re.search("[Ii]nput|String|[Vv]alid|parse", " ".join(said).replace(name, ""))


@pytest.mark.parametrize("is_installed", [True, False])
@pytest.mark.parametrize(
    ("bell", "auto_cron", "heard"),
    [
        ("auto", "true", "where the path unit is installed"),
        ("path", "true", "always"),
        ("spawn", "true", "always"),
        ("off", "true", "never"),
        ("auto", "false", "never"),
        ("spawn", "false", "never"),
    ],
)
def test_the_reorder_point_waits_for_the_bell_where_it_is_heard_and_else_for_the_timer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bell: str, auto_cron: str, heard: str, is_installed: bool
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("BELL", bell)
    monkeypatch.setenv("ENABLE_AUTO_CRON", auto_cron)
    if is_installed:
        units = tmp_path / "systemd" / "user"
        units.mkdir(parents=True)
        (units / BELL_PATH_UNIT).write_text("[Path]\nPathExists=/var/lib/kylink/bell/rung\n", encoding="utf-8")
    is_heard = heard == "always" or (heard != "never" and is_installed)
    assert load().settings.policy.look_minutes == (0.1 if is_heard else 10)
