"""File locks: one holder at a time, named to others, and freed by the kernel whatever becomes of him."""

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kylink_cli.errors import ConfigError, LockedError
from kylink_cli.locks.base import Holder
from kylink_cli.locks.file import FileLocks

HOLDER = """
import sys
from pathlib import Path
from kylink_cli.locks.file import FileLocks

with FileLocks(Path(sys.argv[1])).hold("job"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A real process that holds the lock `job` until its standard input ends."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def locks(tmp_path: Path) -> FileLocks:
    return FileLocks(tmp_path / "locks")


def test_a_lock_is_free_before_and_after_it_is_held(locks: FileLocks) -> None:
    assert locks.is_free("job")
    with locks.hold("job"):
        assert not FileLocks(locks.folder).is_free("job")
    assert locks.is_free("job")


def test_a_lock_is_free_after_an_error_within(locks: FileLocks) -> None:
    with pytest.raises(ValueError, match="within"), locks.hold("job"):
        raise ValueError("within")
    assert locks.is_free("job")


def test_another_holder_is_named_with_pid_host_and_start(locks: FileLocks) -> None:
    with another_holder(locks.folder) as process:
        with pytest.raises(LockedError) as caught, locks.hold("job"):
            pytest.fail("two hold the lock")
        host, today = os.uname().nodename, datetime.now(UTC)
        expected = f"another run holds the lock job: pid {process.pid} on {host} since "
        assert str(caught.value).startswith(expected)
        since = datetime.strptime(str(caught.value).removeprefix(expected), "%Y-%m-%d %H:%M:%S UTC")  # noqa: DTZ007  (the text names UTC)
        assert abs(since.replace(tzinfo=UTC) - today) < timedelta(days=1)


def test_other_names_are_other_locks(locks: FileLocks) -> None:
    with another_holder(locks.folder), locks.hold("other"):
        assert not locks.is_free("job")


def test_a_holder_that_says_nothing_legible_is_unknown(locks: FileLocks) -> None:
    with another_holder(locks.folder):
        (locks.folder / "job.lock").write_text("\x1b[31mnonsense")
        with (
            pytest.raises(LockedError, match=r"^another run holds the lock job: its holder is not known$"),
            locks.hold("job"),
        ):
            pytest.fail("two hold the lock")


def test_the_kernel_frees_the_lock_of_a_killed_holder(locks: FileLocks) -> None:
    with another_holder(locks.folder) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert locks.is_free("job")
        with locks.hold("job"):
            pass


def test_who_waits_gets_the_lock_when_it_is_let_go(locks: FileLocks) -> None:
    with another_holder(locks.folder) as process:
        assert process.stdin is not None
        letting_go = threading.Timer(0.2, process.stdin.close)
        letting_go.start()
        with locks.hold("job", wait_seconds=60):
            assert not FileLocks(locks.folder).is_free("job")
        letting_go.join()


def test_who_waits_in_vain_is_told_of_the_holder(locks: FileLocks) -> None:
    with (
        another_holder(locks.folder) as process,
        pytest.raises(LockedError, match=f"pid {process.pid} "),
        locks.hold("job", wait_seconds=0.2),
    ):
        pytest.fail("two hold the lock")


def test_a_link_in_the_place_of_a_lock_is_refused_and_not_followed(locks: FileLocks, tmp_path: Path) -> None:
    locks.folder.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("content")
    (locks.folder / "job.lock").symlink_to(precious)
    with (
        pytest.raises(ConfigError, match=r"^the lock .*/job\.lock can't be used: .*KYLINK_LOCK_URL$"),
        locks.hold("job"),
    ):
        pytest.fail("a link was locked")
    assert precious.read_text() == "content"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"[" * 100_000,
        b'{"pid": 1e999, "host": "h", "since": "2026-01-01"}',
        b'{"pid": "' + b"9" * 10_000 + b'", "host": "h", "since": "2026-01-01"}',
        b'{"pid": 1, "host": "h", "since": "0001-01-01T00:00:00+14:00"}',
        b'{"pid": 1, "host": "h", "since": "9999-12-31T23:59:59-14:00"}',
        b'{"pid": 1, "host": "\\ud800\\u001b[31m", "since": "2026-01-01T00:00:00Z"}',
        b'{"pid": 1, "host": {"a": [1]}, "since": "2026-01-01T00:00:00Z"}',
        b'{"pid": 1, "host": "' + b"h" * 10_000_000 + b'", "since": "2026-01-01T00:00:00Z"}',
    ],
    ids=range(11),
)
def test_whatever_a_lock_s_file_holds_who_finds_it_held_is_told_so_in_a_line(locks: FileLocks, content: bytes) -> None:
    with locks.hold("job"):
        (locks.folder / "job.lock").write_bytes(content)
        with pytest.raises(LockedError) as caught, FileLocks(locks.folder).hold("job"):
            pytest.fail("two hold the lock")
    text = str(caught.value)
    assert len(text) < 1000
    assert text.isprintable()


def test_a_folder_that_cannot_be_made_is_a_matter_of_configuration(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="check who owns it"), FileLocks(tmp_path / "file" / "locks").hold("job"):
        pytest.fail("a lock without a folder")


def test_lock_files_are_private_and_stay(locks: FileLocks) -> None:
    with locks.hold("job"):
        pass
    path = locks.folder / "job.lock"
    assert [oct(stat.S_IMODE(p.stat().st_mode)) for p in (locks.folder, path)] == ["0o700", "0o600"]


def test_a_forgotten_lock_leaves_no_file(locks: FileLocks) -> None:
    with locks.hold("run-1"):
        pass
    locks.forget("run-1")
    locks.forget("run-2")
    assert list(locks.folder.iterdir()) == []


def test_what_a_holder_writes_can_be_read_back() -> None:
    holder = Holder.myself(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert Holder.parse(holder.dump()) == holder


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"pid": "x", "host": "h", "since": "now"}', "\x00"])
def test_anything_else_names_no_holder(text: str) -> None:
    assert Holder.parse(text) is None
