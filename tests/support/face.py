"""A `kylink serve` of a test's own: a real process on a real port."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from kylink_cli.rules.alerts import Concern, NewAlert
from kylink_cli.rules.vocabulary import AlertLevel, AlertType
from kylink_cli.store import alerts
from tests.support.database import LONG_AGO, add_campaigns, add_items, new_database, url_of
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer
from tests.support.waiting import PATIENCE_SECONDS, wait_until

if TYPE_CHECKING:
    import subprocess

_SAYS = "listening on "
_numbers = count(1)


@dataclass
class Face:
    """A server that listens, and the installation behind it.

    Attributes:
        url: where it listens.
        log: the lines that it has written.
    """

    host: Installation
    process: "subprocess.Popen[str]"
    url: str = ""
    log: list[str] = field(default_factory=list)

    @cached_property
    def everybodys_key(self) -> str:
        """A key that can do everything, with every campaign."""
        return self.key("--can", "consume,operate,read")

    def key(self, *options: str) -> str:
        """A new key, as an operator makes it."""
        return str(self.host.document("keys", "add", f"key-{next(_numbers)}", *options)["key"])

    def client(self, key: str | None = None, **options: Any) -> httpx.Client:
        """Somebody who shows a key: everybody's, unless another is given; the caller closes it."""
        shown = self.everybodys_key if key is None else key
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_SECONDS, **options)

    def campaign(self, items: int = 0, *, user: str = "u1") -> str:
        """A new campaign with some items in stock."""
        name = f"c{next(_numbers)}"
        add_campaigns(self.host.database, name, user=user)
        if items:
            add_items(self.host.database, name, items)
        return name

    def alert(self, *users: str, title: str = "low") -> int:
        """A new alert that is about a new campaign of each of these users."""
        concerns = [Concern(self.campaign(user=user), user) for user in users]
        metadata = {"campaigns": [{"campaignId": one.campaign_id, "userId": one.user_id} for one in concerns]}
        fingerprint = f"test {next(_numbers)}"
        new = NewAlert(AlertType.LOW_STOCK, AlertLevel.WARNING, fingerprint, title, title, metadata, concerns=concerns)
        with self.host.database.writing() as session:
            return alerts.add(session, new, LONG_AGO).id or 0

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def serving(host: Installation, *options: str, **settings: str) -> Iterator[Face]:
    """A server that listens for the length of a `with` block."""
    process = host.start("serve", *(options or ("--port", "0")), **settings)
    face = Face(host, process)
    reader = threading.Thread(target=_read, args=(face,), daemon=True)
    reader.start()
    try:
        wait_until(lambda: face.url or process.poll() is not None, "the server to listen")
        assert face.url, "\n".join(face.log)
        yield face
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reader.join()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


@contextmanager
def installed(kind: str, folder: Path, postgres: PostgresServer) -> Iterator[Installation]:
    """A host with an empty database of a kind: `sqlite` or `postgresql`."""
    values = folder / "values.txt"
    values.write_text("".join(f"value-{number}\n" for number in range(10_000)), encoding="utf-8")
    if kind == "sqlite":
        new_database(folder).close()
        with Installation.at(folder, f"file:{values}", "") as host:
            yield host
        return
    with postgres.database() as opened:
        own = {
            "DATABASE_URL": url_of(opened),
            "KYLINK_LOCK_URL": f"file:{folder / 'locks'}",
            "PROXY_API_URL": f"file:{values}",
            "REPLENISH_RETRY_DELAY_MS": "20",
            "REPLENISH_RULE": "cover",
        }
        host = Installation(folder, own)
        yield host
        host.database.close()


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem document of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = json.loads(answer.text)
    assert found["status"] == answer.status_code
    return found


def _read(face: Face) -> None:
    assert face.process.stderr is not None
    for line in face.process.stderr:
        face.log.append(line.rstrip("\n"))
        if _SAYS in line:
            face.url = line.rsplit(_SAYS, 1)[1].strip()
