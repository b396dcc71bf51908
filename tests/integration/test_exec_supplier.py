"""A program as a supplier, run for real."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from kylink_cli.errors import ConfigError
from kylink_cli.supply.base import Order
from kylink_cli.supply.errors import (
    CutOffError,
    InvalidResponseError,
    InWorkError,
    RefusedError,
    SupplyError,
    UnreachableError,
)
from kylink_cli.supply.exec import ExecSupplier
from tests.support.waiting import wait_until

ORDER = Order("0b0e7c1e-0000-4000-8000-000000000001", "42", 2, '{"campaign_id": "42", "quantity": 2}')
GOOD = """printf '{"items": ["a", "b"]}'"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o700)
    return path


def ask(program: Path, script: str, *, seconds: float = 30, key: str | None = "the-secret-key") -> list[str]:
    program.write_text(f"#!/bin/sh\n{script}\n")
    supply = asyncio.run(ExecSupplier(str(program), key, seconds).supply(ORDER))
    return [item.value for item in supply.items]


def test_the_order_is_its_input_and_the_answer_its_output(program: Path) -> None:
    assert ask(program, f"cat > {program}.input; {GOOD}") == ["a", "b"]
    assert Path(f"{program}.input").read_text() == ORDER.body


def test_key_and_idempotency_key_are_in_its_environment(program: Path) -> None:
    script = """printf '{"items": ["%s", "%s"]}' "$PROXY_API_KEY" "$KYLINK_IDEMPOTENCY_KEY" """
    assert ask(program, script) == ["the-secret-key", ORDER.key]


def test_nothing_else_of_kylink_s_environment_is_in_its(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERT_WEBHOOK_SECRET", "hush")
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}::.")
    ask(program, f"env > {program}.env; {GOOD}")
    names = {line.partition("=")[0] for line in Path(f"{program}.env").read_text().splitlines()}
    shell_s_own = {"PWD", "OLDPWD", "_", "SHLVL"}
    shared = {"PATH", "HOME", "TZ", "TMPDIR", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES"}
    assert names - shell_s_own - shared == {"PROXY_API_KEY", "KYLINK_IDEMPOTENCY_KEY"}
    assert "PATH=" + os.environ["PATH"].removesuffix("::.") in Path(f"{program}.env").read_text()


def test_a_program_is_named_by_its_whole_path() -> None:
    with pytest.raises(ConfigError, match="whole path"):
        ExecSupplier("./program", None, 1)


def test_without_a_key_there_is_none_in_its_environment(program: Path) -> None:
    assert ask(program, """printf '{"items": ["%s"]}' "${PROXY_API_KEY-none}" """, key=None) == ["none"]


def test_a_program_may_decide_without_reading_its_order(program: Path) -> None:
    order = Order(ORDER.key, "42", 2, "x" * 10_000_000)
    program.write_text(f"#!/bin/sh\nexec <&-\n{GOOD}\n")
    supply = asyncio.run(ExecSupplier(str(program), None, 30).supply(order))
    assert len(supply.items) == 2


@pytest.mark.parametrize(
    ("script", "kind", "reason"),
    [
        ("exit 75", InWorkError, "the program asks to try again"),
        ("echo later >&2; exit 75", InWorkError, "later"),
        ("exit 3", RefusedError, "the program refused with exit code 3"),
        ("echo first >&2; echo 'no such campaign' >&2; exit 1", RefusedError, "no such campaign"),
        ("printf '\\033[31mred' >&2; exit 1", RefusedError, "[31mred"),
        ("echo $PROXY_API_KEY >&2; exit 1", RefusedError, "***"),
        ("kill -9 $$", CutOffError, "the program was ended by signal 9"),
        ("echo nonsense", InvalidResponseError, "the answer is not JSON in UTF-8"),
        ("yes | head -c 9000000", InvalidResponseError, "the answer is larger than 8 MiB"),
        ("yes", InvalidResponseError, "the answer is larger than 8 MiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_its_ending_is_judged(program: Path, script: str, kind: type[SupplyError], reason: str) -> None:
    with pytest.raises(SupplyError) as caught:
        ask(program, script)
    assert (type(caught.value), str(caught.value)) == (kind, reason)


def test_a_flood_of_complaints_is_bounded_and_its_last_line_counts(program: Path) -> None:
    with pytest.raises(RefusedError, match=r"^the end$"):
        ask(program, "yes | head -c 3000000 >&2; echo the end >&2; exit 1")


def test_a_program_that_takes_too_long_is_ended_with_all_that_it_started(program: Path) -> None:
    with pytest.raises(CutOffError, match=r"no whole answer within 0\.5 s"):
        ask(program, f"sleep 1000 & echo $! > {program}.child; wait", seconds=0.5)
    child = int(Path(f"{program}.child").read_text())
    wait_until(lambda: not _is_running(child), "the child to be gone")


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_that_outlives_the_answer_is_ended(program: Path) -> None:
    assert ask(program, f"sleep 1000 >/dev/null 2>&1 & echo $! > {program}.child; {GOOD}") == ["a", "b"]
    child = int(Path(f"{program}.child").read_text())
    wait_until(lambda: not _is_running(child), "the child to be gone")


def test_a_flood_that_nobody_reads_any_more_does_not_outlast_the_time(program: Path) -> None:
    with pytest.raises(CutOffError):
        ask(program, "yes >&2", seconds=0.5)


def test_a_child_that_has_left_its_group_is_not_waited_for(program: Path) -> None:
    with pytest.raises(CutOffError):
        ask(program, f"setsid sleep 30 & echo $! > {program}.child; exit 0", seconds=0.5)
    os.kill(int(Path(f"{program}.child").read_text()), signal.SIGKILL)


@pytest.mark.parametrize("name", ["/nonexistent/program", "true", ""])
def test_what_cannot_be_executed_is_a_bad_setting(name: str) -> None:
    with pytest.raises(ConfigError, match="PROXY_API_URL"):
        ExecSupplier(name, None, 30)


def test_a_file_without_permission_is_a_bad_setting(program: Path) -> None:
    program.chmod(0o600)
    with pytest.raises(ConfigError, match="can't be executed"):
        ExecSupplier(str(program), None, 30)


def test_a_program_that_has_gone_is_unreachable(program: Path) -> None:
    supplier = ExecSupplier(str(program), None, 30)
    assert asyncio.run(supplier.check()) == f"the program {program} is there"
    program.unlink()
    for act in (supplier.check(), supplier.supply(ORDER)):
        with pytest.raises(UnreachableError):
            asyncio.run(act)
