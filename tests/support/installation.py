"""A kylink of a test's own: a folder with a database and settings, and the installed command run in it."""

import json
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kylink_cli.demo.service import SupplyService
from kylink_cli.running.liveness import own_lock
from kylink_cli.store import runs
from kylink_cli.store.engine.database import Database, open_database
from kylink_cli.store.engine.postgresql import open_server
from kylink_cli.store.tables import Run
from tests.support.cli import clean_environment, run_kylink
from tests.support.database import add_campaigns, new_database
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Installation:
    """One operator's kylink.

    Attributes:
        folder: where its database is.
        settings: what the environment of its commands holds beside what every process needs.
    """

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def at(cls, folder: Path, service_url: str, key: str, **settings: str) -> "Iterator[Installation]":
        """An empty one, whose supply service answers at a URL; retries wait next to nothing."""
        own = {
            "DATABASE_URL": f"sqlite:///{folder / 'kylink.db'}",
            "PROXY_API_URL": service_url,
            "PROXY_API_KEY": key,
            "REPLENISH_RETRY_DELAY_MS": "20",
            # Its numbers can be told beforehand; tests of the forecast say otherwise.
            "REPLENISH_RULE": "cover",
        }
        new_database(folder).close()
        installation = cls(folder, own | settings)
        yield installation
        installation.database.close()

    @classmethod
    @contextmanager
    def on_server(
        cls, folder: Path, database_url: str, service: SupplyService, **settings: str
    ) -> "Iterator[Installation]":
        """One of several hosts that share a database."""
        own = {
            "DATABASE_URL": database_url,
            "KYLINK_LOCK_URL": f"file:{folder / 'locks'}",
            "PROXY_API_URL": service.url,
            "PROXY_API_KEY": service.key,
            "REPLENISH_RETRY_DELAY_MS": "20",
            "REPLENISH_RULE": "cover",
        }
        installation = cls(folder, own | settings)
        yield installation
        installation.database.close()

    @classmethod
    @contextmanager
    def without_supply(cls, folder: Path) -> "Iterator[Installation]":
        """An empty one that knows of no supply service."""
        new_database(folder).close()
        installation = cls(folder, {"DATABASE_URL": f"sqlite:///{folder / 'kylink.db'}"})
        yield installation
        installation.database.close()

    @cached_property
    def database(self) -> Database:
        """Its database, opened beside whatever runs."""
        url = self.settings["DATABASE_URL"]
        return open_server(url) if url.startswith("postgresql:") else open_database(self.folder / "kylink.db")

    def let_go(self) -> None:
        """Close the database, and open it anew when it is looked into again: another file may be in its place."""
        self.database.close()
        del self.database

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its commands."""
        return clean_environment(self.folder) | self.settings

    def add_campaigns(self, *ids: str) -> None:
        """Add campaigns without stock: watermark 3, target 10."""
        add_campaigns(self.database, *ids)

    def execute(self, sql: str) -> None:
        """Change the database past kylink."""
        with self.database.writing() as session:
            session.connection().exec_driver_sql(sql)

    def record_run(self, job: str, status: str, started_at: datetime, **facts: Any) -> int:
        """Record a run of this host that took a second unless the facts say otherwise; its id."""
        ended: dict[str, Any] = {"finished_at": started_at + timedelta(seconds=1), "duration_ms": 1000}
        usual = {"trigger": "manual", "host": socket.gethostname(), "pid": 1, "heartbeat_at": started_at, "figures": {}}
        own: dict[str, Any] = {**usual, **({} if status == "running" else ended), **facts}
        with self.database.writing() as session:
            return runs.start(session, Run(job=job, status=status, started_at=started_at, **own))

    def lock_of(self, run_id: int) -> str:
        """The name of the lock that a run holds while it lives."""
        run = self.database.read(lambda session: runs.get(session, run_id))
        assert run is not None
        return own_lock(run)

    def run(
        self,
        *args: str,
        input: str | None = None,  # noqa: A002  (as subprocess names it)
        **settings: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return run_kylink(*args, env=self.settings | settings, cwd=self.folder, input=input)

    def start(self, *args: str, **settings: str) -> "subprocess.Popen[str]":
        """Start a command; the caller ends it."""
        return subprocess.Popen(
            [sys.executable, "-m", "kylink_cli", *args],
            env=self.environment | settings,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def document(self, *args: str, **settings: str) -> dict[str, Any]:
        """What a command says under `--json`, whatever its exit code."""
        document: dict[str, Any] = json.loads(self.run(*args, "--json", **settings).stdout)
        return document

    def rows(self, sql: str) -> list[Any]:
        """What a look into the database shows: the only column of a query, or its rows."""
        with self.database.reading() as session:
            found = session.connection().exec_driver_sql(sql).all()
        return [row[0] if len(row) == 1 else tuple(row) for row in found]

    def wait_for_rows(self, sql: str, expected: list[Any]) -> None:
        """Wait until a query of the database shows what is expected."""
        wait_until(lambda: self.rows(sql) == expected, f"{sql} to give {expected}")
