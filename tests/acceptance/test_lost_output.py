"""What can't be written never stops the work: a job goes on, counts what it could not say, and ends by its result."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kylink_cli.demo.service import SupplyService
from kylink_cli.scheduling.cron import render
from kylink_cli.scheduling.units import Installed
from kylink_cli.settings.fields import Settings
from tests.support.cli import clean_environment
from tests.support.installation import Installation


@pytest.fixture
def kylink(tmp_path: Path) -> Iterator[Installation]:
    """A kylink with an empty database and a supply service that gives what it is asked for."""
    with SupplyService("key-of-a-test") as service, Installation.at(tmp_path, service.url, service.key) as installation:
        yield installation


UNWRITABLE = {
    "log on a full disk": "2>/dev/full",
    "all on a full disk": ">/dev/full 2>&1",
    "results on a full disk": ">/dev/full",
    "all closed": ">&- 2>&-",
    "log closed": "2>&-",
    "all closed, standard input too": "<&- >&- 2>&-",
}
JOBS = {"replenish": ["replenish", "--all"], "recover-leases": ["recover-leases"], "alert-check": ["alert-check"]}


def in_shell(kylink: Installation, command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of a shell in which `kylink` is the command."""
    line = f'kylink() {{ "{sys.executable}" -m kylink_cli "$@"; }}; {command}'
    env = clean_environment(kylink.folder) | kylink.settings | environment
    return subprocess.run(
        ["/bin/bash", "-c", line], env=env, cwd=kylink.folder, capture_output=True, text=True, check=False
    )


def figures_of_the_last_run(kylink: Installation) -> dict[str, Any]:
    (text,) = kylink.rows("SELECT figures FROM runs ORDER BY id DESC LIMIT 1")
    found: dict[str, Any] = json.loads(text)
    return found


def available(kylink: Installation) -> int:
    (count,) = kylink.rows("SELECT count(*) FROM stock_items WHERE state = 'available'")
    return int(count)


@pytest.mark.parametrize("where", UNWRITABLE.values(), ids=UNWRITABLE)
@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_a_job_does_its_work_and_ends_by_its_result(kylink: Installation, job: list[str], where: str) -> None:
    kylink.add_campaigns("1")
    assert in_shell(kylink, f"kylink {' '.join(job)} {where}").returncode == 0
    assert kylink.rows("SELECT status FROM runs") == ["succeeded"]
    assert available(kylink) == (10 if job[0] == "replenish" else 0)


def test_what_could_not_be_said_is_counted_in_the_run_s_record(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    assert in_shell(kylink, "kylink replenish --all 2>/dev/full").returncode == 0
    assert figures_of_the_last_run(kylink)["unsaid"] > 0
    findings = kylink.document("doctor")["checks"]
    assert any("could not be written" in finding["text"] for finding in findings)
    kylink.run("replenish", "--all")
    assert "unsaid" not in figures_of_the_last_run(kylink)


def test_a_failing_run_still_raises_its_alert(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    kylink.settings |= {"PROXY_API_URL": "http://127.0.0.1:1/", "REPLENISH_RETRY_TIMES": "1"}
    assert in_shell(kylink, "kylink replenish --all >/dev/full 2>&1").returncode == 69
    assert kylink.rows("SELECT type FROM alerts") == ["STOCK_REPLENISH_FAILED"]


def test_a_log_whose_reader_has_gone_stops_no_job(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    done = in_shell(kylink, "kylink replenish --all 2>&1 >/dev/null | true; echo ${PIPESTATUS[0]}")
    assert (done.stdout, available(kylink)) == ("0\n", 10)


LOGGERS = {
    "util-linux": 'case "$*" in *--tag*|*-t*) cat >> "$0.log";; esac',
    "busybox": 'for w; do case $w in --*) echo "unrecognized option" >&2; exit 1;; esac; done; cat >> "$0.log"',
    "none": "exit 127",
}


@pytest.mark.parametrize("kind", LOGGERS)
def test_cron_s_line_works_with_every_logger(kylink: Installation, tmp_path: Path, kind: str) -> None:
    kylink.add_campaigns("1")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    logger = bin_folder / "logger"
    logger.write_text(f"#!/bin/sh\n{LOGGERS[kind]}\n")
    env_file = kylink.folder / "kylink.env"
    env_file.write_text(
        "".join(f"{name}={value}\n" for name, value in kylink.settings.items()) + "ENABLE_AUTO_CRON=true\n"
    )
    program = bin_folder / "kylink"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m kylink_cli "$@"\n')
    for path in (logger, program):
        path.chmod(0o755)
    lines = render(Installed(program, Path(sys.executable), env_file, of_user=False), Settings()).splitlines()
    (line,) = [line for line in lines if "replenish --all" in line]
    command = re.sub(r"^.*? kylink (sleep \d+; )?", "", line, count=1).replace("\\%", "%")
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env=clean_environment(kylink.folder) | {"PATH": f"{bin_folder}:/usr/bin:/bin"},
        cwd=kylink.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, available(kylink)) == ("", 10)
    if kind != "none":
        assert "stock_replenish" in Path(f"{logger}.log").read_text()


@pytest.mark.parametrize("where", UNWRITABLE.values(), ids=UNWRITABLE)
def test_exit_codes_hold(kylink: Installation, where: str) -> None:
    kylink.add_campaigns("1")
    for command, code in {
        "leases take 1": 11,
        "leases take 1 --json": 11,
        "leases confirm nonsense": 11,
        "campaigns show 9 --json": 11,
        "bogus": 2,
        "campaigns pause 1": 0,
        "config check --env-file missing.env": 78,
    }.items():
        assert (command, in_shell(kylink, f"kylink {command} {where}").returncode) == (command, code)


@pytest.mark.parametrize(("where", "code"), [(">/dev/full", 1), ("| true; exit ${PIPESTATUS[0]}", 141)])
@pytest.mark.parametrize("form", ["", "--json"])
def test_an_item_whose_token_could_not_be_printed_is_given_back(
    kylink: Installation, where: str, code: int, form: str
) -> None:
    kylink.add_campaigns("1")
    kylink.run("stock", "import", "1", "-", input="v\n")
    assert in_shell(kylink, f"kylink leases take 1 {form} {where}").returncode == code
    assert kylink.rows("SELECT state FROM stock_items") == ["available"]


def test_under_a_key_the_same_call_gets_the_item_that_could_not_be_told_of(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    kylink.run("stock", "import", "1", "-", input="v\nw\n")
    assert in_shell(kylink, "kylink leases take 1 --key k >/dev/full").returncode == 1
    (lease,) = kylink.document("leases", "take", "1", "--key", "k")["leases"]
    assert lease["reused"]


@pytest.mark.parametrize("command", ["campaigns list", "stock export", "stock export --json", "--help", "config show"])
def test_head_ends_a_command_silently(kylink: Installation, command: str) -> None:
    kylink.add_campaigns("1")
    kylink.run("stock", "import", "1", "-", input="".join(f"value-{n:04}{'x' * 100}\n" for n in range(2000)))
    done = in_shell(kylink, f"kylink {command} | head -1; echo ${{PIPESTATUS[0]}}")
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] in {"0", "141"}


def test_a_database_is_never_opened_under_the_number_of_a_closed_stream(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    done = in_shell(kylink, "kylink campaigns show 9 <&- >&- 2>&-; kylink db check")
    assert done.returncode == 0
