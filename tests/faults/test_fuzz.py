"""Anything at all, to every parser and every command: an answer or one clear line, never a traceback."""

import contextlib
import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from typer.main import get_command

from kylink_cli.cli import app
from kylink_cli.errors import ConfigError
from kylink_cli.imports.campaigns import COLUMNS, parse_campaigns
from kylink_cli.imports.records import read_csv, read_json_lines
from kylink_cli.imports.values import parse_values
from kylink_cli.rules.text import has_control_characters, one_line
from kylink_cli.settings.loading import load
from kylink_cli.supply.answer import parse_answer
from kylink_cli.supply.errors import InvalidResponseError, parse_retry_after
from tests.support.installation import Installation

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NESTED = b"[" * 100_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["items", "value", "expires_at"]) | st.text(), inner)
    ),
)
ANSWERS = JSON.map(lambda items: json.dumps({"items": items}).encode()) | JSON.map(lambda d: json.dumps(d).encode())


@given(st.binary() | ANSWERS, st.integers(1, 20))
@example(NESTED, 1)
@example(b'{"items": [{"value": "a", "expires_at": 1e999}]}', 1)
@example(b'{"items": [NaN, "a"]}', 1)
@example(b'{"items": ["\\ud800"]}', 1)
def test_an_answer_is_a_supply_or_invalid(body: bytes, quantity: int) -> None:
    try:
        supply = parse_answer(body, quantity, NOW)
    except InvalidResponseError:
        return
    assert len(supply.items) <= quantity
    for item in supply.items:
        assert 0 < len(item.value) <= 4096
        assert not has_control_characters(item.value)
        item.value.encode("utf-8")


@given(st.text())
def test_a_retry_after_is_a_wait_or_nothing(header: str) -> None:
    wait = parse_retry_after(header, NOW)
    assert wait is None or 0 <= wait < 1e12


@given(st.text())
@example("campaign_id,user_id\n" + '"' * 1000)
@example("campaign_id,user_id,low_watermark\n1,u," + "9" * 5000)
def test_a_file_of_campaigns_is_read_or_its_lines_are_named(text: str) -> None:
    for records in (read_csv(text, COLUMNS), read_json_lines(text, COLUMNS)):
        for fault in parse_campaigns(records, "u1").faults:
            assert fault.line >= 1
            assert not has_control_characters(str(fault))


@given(st.text())
def test_a_file_of_values_is_read_or_its_lines_are_named(text: str) -> None:
    found = parse_values(text, NOW)
    assert not any(has_control_characters(value) for value in found.ends)
    assert not any(has_control_characters(str(fault)) for fault in found.faults)


@given(st.text())
def test_one_line_is_one_harmless_line(text: str) -> None:
    assert not has_control_characters(one_line(text))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | st.text().map(str.encode))
@example(b"PROXY_API_KEY='unfinished\n")
@example(b"\xff\xfe")
def test_an_env_file_is_read_or_refused_as_a_bad_setting(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kylink.env"
    path.write_bytes(content)
    with contextlib.suppress(ConfigError):
        load(path)


def _commands() -> list[tuple[str, ...]]:
    """Every command that ends by itself and needs nobody else."""
    return [path for path in _paths(get_command(app)) if path[0] not in {"demo", "serve", "watch"}]


def _paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not hasattr(command, "commands"):
        yield path
        return
    for name, inner in command.commands.items():
        yield from _paths(inner, (*path, name))


def _options(path: tuple[str, ...]) -> list[str]:
    """What a command may be given: its options, by all of their names."""
    command: Any = get_command(app)
    for name in path:
        command = command.commands[name]
    return [name for parameter in command.params for name in getattr(parameter, "opts", []) if name.startswith("--")]


# What could lead out of the folder, or ask for a minute of waiting, is no mistake that needs a clear line.
HOSTILE = st.sampled_from(
    [
        "",
        " ",
        "-1",
        "0",
        "1e999",
        "99999999999999999999",
        "NaN",
        "[/nope]",
        "\x1b[31m",
        "a\nb",
        "٣",
        "é" * 300,
        "1",
        "2",
    ]
) | st.text(st.characters(exclude_characters="/\x00", exclude_categories=["Cs"]), max_size=20)
ENDINGS = {0, 1, 2, 10, 11, 69, 75, 77, 78}


@pytest.mark.parametrize("path", _commands(), ids=" ".join)
def test_a_command_takes_any_arguments_without_a_traceback(
    path: tuple[str, ...], kylink: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    kylink.add_campaigns("1")
    monkeypatch.chdir(kylink.folder)
    for name, value in (kylink.settings | {"PROXY_API_URL": "http://127.0.0.1:9/", "HOME": "/nonexistent"}).items():
        monkeypatch.setenv(name, value)
    arguments = st.lists(HOSTILE | st.sampled_from(_options(path)), max_size=6)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(arguments)
    def attack(arguments: list[str]) -> None:
        assume("--wait" not in arguments)
        assume("--env-file" not in arguments)
        assume("--debug" not in arguments)
        code, shown = _run([*path, *arguments])
        assert code in ENDINGS, shown
        assert "unexpected error" not in shown, shown
        assert "Traceback" not in shown

    attack()


EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))


def _run(arguments: list[str]) -> tuple[object, str]:
    """Run a command in this process; its exit code, and all that it has shown."""
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown), pytest.raises(SystemExit) as ended:
        get_command(app).main(args=arguments, prog_name="kylink")
    return ended.value.code, shown.getvalue()
