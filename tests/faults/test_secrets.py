"""Known secrets in every place where one is kept, and then a search for them in all that kylink writes or shows."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from kylink_cli.demo.service import Call, SupplyService
from tests.support.cli import run_kylink
from tests.support.gate import Gate
from tests.support.installation import Installation

pytestmark = pytest.mark.slow

SECRETS = {
    "PROXY_API_KEY": "hunter2-supply-key",
    "HEARTBEAT_URL_REPLENISH": "http://127.0.0.1:9/ping/hunter2-heartbeat",
    "HEARTBEAT_URL_RECOVER_LEASES": "http://127.0.0.1:9/ping/hunter2-heartbeat",
    "HEARTBEAT_URL_ALERT_CHECK": "http://127.0.0.1:9/ping/hunter2-heartbeat",
    "ALERT_WEBHOOK_URL": "http://127.0.0.1:9/hook/hunter2-webhook",
    "ALERT_WEBHOOK_SECRET": "hunter2-signature",
    "ALERT_NOTIFY_URLS": "json://user:hunter2-password@127.0.0.1:9/hunter2-path",
}
NEEDLE = "hunter2"


@pytest.fixture
def service() -> Iterator[SupplyService]:
    with SupplyService(SECRETS["PROXY_API_KEY"]) as running:
        yield running


@pytest.fixture
def kylink(tmp_path: Path, service: SupplyService) -> Iterator[Installation]:
    """The secrets are in the env file, in the service's URL, and nowhere on a command line."""
    with Installation.at(tmp_path, f"{service.url}?token=hunter2-query", "unused") as installed:
        installed.settings.update(SECRETS)
        installed.add_campaigns("1", "2")
        yield installed


def _written(kylink: Installation) -> str:
    """Everything that is in kylink's files, whatever its form."""
    kylink.database.close()
    files = [path for path in kylink.folder.rglob("*") if path.is_file()]
    return "".join(path.read_bytes().decode("latin-1") for path in files)


async def _echo(call: Call) -> web.Response:
    """A service that gives away in its errors what it was sent."""
    return web.Response(status=500, text=f"bad call: {dict(call.request.headers)} to {call.request.url}")


COMMANDS = [
    ["replenish", "--all"],
    ["replenish", "--all", "--dry-run"],
    ["recover-leases"],
    ["alert-check"],
    ["alerts", "test"],
    ["alerts", "list"],
    ["config", "show"],
    ["config", "check"],
    ["doctor"],
    ["jobs", "status"],
    ["jobs", "history"],
    ["jobs", "show", "1"],
    ["campaigns", "show", "1"],
]


@pytest.mark.parametrize(
    "verbosity",
    [
        ["--debug", "--verbose"],
        *[pytest.param(options, marks=pytest.mark.long) for options in ([], ["--json"], ["--log-format", "json"])],
    ],
    ids=str,
)
def test_no_command_shows_or_writes_a_secret(
    kylink: Installation, service: SupplyService, verbosity: list[str]
) -> None:
    for command in COMMANDS:
        result = kylink.run(*command, *verbosity)
        assert NEEDLE not in result.stdout + result.stderr, command
    assert service.charges
    assert NEEDLE not in _written(kylink)


@pytest.mark.parametrize(
    "settings",
    [
        {"PROXY_API_URL": "http://127.0.0.1:9/?token=hunter2-query"},
        {"PROXY_API_URL": "http://nowhere.invalid/?token=hunter2-query"},
        {"PROXY_API_URL": "exec:/nonexistent/hunter2"},
        {"PROXY_API_KEY": "hunter2-wrong"},
        {"PROXY_API_KEY": "hunter2-\x01"},
        {"PROXY_API_KEY": "hunter2-ü"},
        {"PROXY_API_URL": "http://user:hunter2@127.0.0.1:9/"},
        {"HEARTBEAT_URL_REPLENISH": "hunter2"},
        {"DATABASE_URL": "postgresql://user:hunter2@127.0.0.1:9/kylink"},
    ],
    ids=str,
)
def test_no_failure_shows_a_secret(kylink: Installation, settings: dict[str, str]) -> None:
    for command in (["replenish", "--all"], ["doctor"], ["config", "show"]):
        result = kylink.run(*command, "--debug", **settings)
        shown = (result.stdout + result.stderr).replace("/nonexistent/hunter2", "")
        assert NEEDLE not in shown, command


def test_a_service_that_echoes_the_key_does_not_get_it_into_logs_and_alerts(
    kylink: Installation, service: SupplyService
) -> None:
    service.behave = _echo
    result = kylink.run("replenish", "--all", "--verbose")
    assert "HTTP 500: bad call" in result.stderr
    assert SECRETS["PROXY_API_KEY"] not in result.stdout + result.stderr
    assert SECRETS["PROXY_API_KEY"] not in _written(kylink)


def test_no_command_line_holds_a_secret(kylink: Installation, service: SupplyService, tmp_path: Path) -> None:
    """A supplier program and kylink itself, looked at while they run."""
    service.behave = gate = Gate()
    run = kylink.start("replenish", "--all")
    gate.wait_for_calls(1)
    assert NEEDLE not in Path(f"/proc/{run.pid}/cmdline").read_text()
    gate.open()
    run.communicate()
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\ntr '\\0' ' ' < /proc/$$/cmdline >&2\nexit 1\n")
    program.chmod(0o700)
    result = kylink.run("replenish", "--campaign", "2", "--force", PROXY_API_URL=f"exec:{program}")
    assert str(program) in result.stderr
    assert NEEDLE not in result.stderr


def test_a_crash_shows_no_secret(kylink: Installation) -> None:
    """An unexpected error in the middle of a run, with everything that --debug prints of it."""
    crash = "import kylink_cli.jobs.replenish as r, kylink_cli.__main__ as m; r.urgency = lambda need: 1 / 0; m.main()"
    result = subprocess.run(
        [sys.executable, "-c", crash, "replenish", "--all", "--debug"],
        env=kylink.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, "ZeroDivisionError" in result.stderr) == (1, True)
    assert NEEDLE not in result.stdout + result.stderr + _written(kylink)


TYPED = ["hunter2", "hun@ter2", "hun/ter2", "hun#ter2", "hun?ter2", "hun:ter2", "h@/#?unter2", "99/hunter2"]
AWRY = [
    "postgresql://me:{}@127.0.0.1:1/kylink",
    "postgresql://me:{}@127.0.0.1:1/kylink?sslmode={}",
    "postgresql://127.0.0.1:1/kylink?port={}",
    "postgresql://127.0.0.1:{}hush/kylink",
    "postgres://me:{}@127.0.0.1:1",
    "host=127.0.0.1 port=1 password={}",
    "mysql://me:{}@127.0.0.1/kylink",
    "sqlite://me:{}@127.0.0.1/kylink",
    "postgresql://me:{}\u2100@127.0.0.1:1/kylink",
]
PIECES = ("hunter2", "ter2", "unter")


def awry(address: str, password: str) -> str:
    """An address with a password where it belongs or not; behind an @ is the host, by its place."""
    return address.replace("{}", password.replace("@", "") if ":{}hush" in address else password)


@pytest.mark.parametrize("address", AWRY)
@pytest.mark.parametrize("password", TYPED)
def test_no_piece_of_a_mistyped_password_comes_out(tmp_path: Path, address: str, password: str) -> None:
    url = awry(address, password)
    for command in (["config", "show"], ["campaigns", "list", "--debug"]):
        result = run_kylink(*command, "--json", env={"DATABASE_URL": url}, cwd=tmp_path)
        told = result.stdout + result.stderr
        assert [piece for piece in PIECES if piece in told] == []


@pytest.mark.parametrize("password", TYPED)
@pytest.mark.parametrize(
    "url", ["redis://:{}@127.0.0.1:1/0", "redis://127.0.0.1:{}hush/0", "rediss://me:{}@127.0.0.1:1"]
)
def test_no_piece_of_a_lock_server_s_password_comes_out(kylink: Installation, url: str, password: str) -> None:
    for command in (["config", "show"], ["replenish", "--all"]):
        result = kylink.run(*command, KYLINK_LOCK_URL=awry(url, password))
        assert [piece for piece in PIECES if piece in result.stdout + result.stderr] == []


@pytest.mark.parametrize(
    "value", ["http://[hunter2", "http://me:hunter2\u2100@x.example/", "http://x.example:hunter2/"]
)
@pytest.mark.parametrize("name", [name for name in SECRETS if "URL" in name] + ["PROXY_API_URL"])
def test_no_piece_of_an_address_that_can_t_be_read_comes_out(kylink: Installation, name: str, value: str) -> None:
    result = kylink.run("config", "check", **{name: value})
    assert "hunter2" not in result.stdout + result.stderr
