"""A real PgBouncer of a test's own in front of a PostgreSQL server."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Literal, Self

import psycopg
import pytest

from tests.support.ports import free_port
from tests.support.postgres import UNPRIVILEGED, PostgresServer
from tests.support.waiting import wait_until

PoolMode = Literal["session", "transaction", "statement"]


class PgBouncer:
    """A pooler on a port of loopback, for the length of a `with` block.

    Attributes:
        mode: how long it lends a backend.
        port: where it listens.
    """

    def __init__(self, server: PostgresServer, mode: PoolMode, **options: str) -> None:
        self._server = server
        self.mode = mode
        self._options = {"pool_mode": mode, "default_pool_size": "20", "max_client_conn": "200"} | options
        self._program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        if self._program is None:
            pytest.skip("PgBouncer is not installed (make packages)")

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="kylink-pgbouncer-", dir="/var/tmp"))
        self._folder.chmod(0o755)
        self.port = free_port()
        (self._folder / "users").write_text('"kylink" ""\n')
        (self._folder / "ini").write_text(self._configuration())
        user = UNPRIVILEGED if os.geteuid() == 0 else None
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                [str(self._program), str(self._folder / "ini")], user=user, cwd="/", stdout=log, stderr=log
            )
        wait_until(self._answers, "PgBouncer to start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder)

    def url(self, server_url: str) -> str:
        """The address of a database by way of this pooler."""
        return server_url.replace(f":{self._server.port}/", f":{self.port}/")

    def _configuration(self) -> str:
        lines = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(self.port),
            "unix_socket_dir": "",
            "auth_type": "any",
            "auth_file": str(self._folder / "users"),
            "admin_users": "kylink",
        }
        options = "\n".join(f"{name} = {value}" for name, value in (lines | self._options).items())
        return f"[databases]\n* = host=127.0.0.1 port={self._server.port} user=kylink\n[pgbouncer]\n{options}\n"

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            psycopg.connect(f"postgresql://kylink@127.0.0.1:{self.port}/postgres").close()
        except psycopg.OperationalError:
            return False
        return True
