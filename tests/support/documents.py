"""The keys of every JSON document: what programs rely on, so that a key may be added but never renamed or taken away.

    python -m tests.support.documents

adds to `tests/data/json_keys.txt` the keys that are new; it removes none.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.installation import Installation

PATH = Path(__file__).parents[1] / "data" / "json_keys.txt"

DOUBTFUL = """
INSERT INTO supply_requests (key, campaign_id, quantity, body, state, created_at, finished_at, produced, duplicates)
VALUES ('doubtful', '1', 1, '{}', 'in_doubt', '2026-02-06 08:00:00.000000', '2026-02-06 08:00:00.000000', 0, 0)
"""

# A day with kylink: every command that has a document, in an order in which each has something to show.
DAY = (
    "db init",
    "db upgrade",
    "campaigns add 1 --user u",
    "campaigns import sheet.csv",
    "campaigns set 1 --low-watermark 2 --target-stock 4",
    "replenish --all --dry-run",
    "replenish --all",
    "replenish --campaign 2",
    "replenish --all --scheduled",
    "recover-leases --dry-run",
    "recover-leases",
    "recover-leases --scheduled",
    "alert-check --dry-run",
    "alert-check",
    "alert-check --scheduled",
    "jobs status",
    "jobs history",
    "jobs show 1",
    "jobs pause lease_recovery",
    "jobs resume lease_recovery",
    "campaigns list",
    "campaigns show 1",
    "campaigns pause 2",
    "campaigns resume 2",
    "stock import 1 values.txt",
    "stock list",
    "stock export",
    "stock discard 1",
    "leases take 1 --key a",
    "leases confirm TOKEN",
    "leases release TOKEN",
    "leases extend TOKEN --ttl 20",
    "leases list",
    "supply requests",
    "supply show doubtful",
    "supply settle doubtful --charged late.txt",
    "alerts list",
    "alerts show 1",
    "alerts ack 1",
    "alerts resolve 1",
    "alerts silence --type LOW_STOCK --for 1h",
    "alerts silences",
    "alerts unsilence 1",
    "alerts test",
    "alerts purge --days 0",
    "keys add shop --user u --can consume,read",
    "keys list",
    "keys rotate shop",
    "keys revoke shop",
    "db check",
    "db stats",
    "db backup copy.db",
    "config show",
    "config check",
    "audit",
    "doctor",
    "report --out report.html",
    "metrics --out metrics.prom",
    "simulate --demand demand.csv --warm-up 0 --outage 5:0.5 --policy forecast:COVER_MINUTES=60",
    "campaigns remove 2 --yes",
    "db restore copy.db",
    "db restored --trust",
    "campaigns show nobody",
)


def found() -> set[str]:
    """The keys of the documents of such a day, each with its command."""
    with TemporaryDirectory() as name, _host(Path(name)) as host:
        return {f"{command}: {key}" for command, document in _documents(host) for key in keys(document)}


def keys(document: Any, path: str = "") -> Iterator[str]:
    """The paths of all keys in a document; `[]` is what every entry of a list has."""
    if isinstance(document, list):
        for entry in document:
            yield from keys(entry, f"{path}[]")
    elif isinstance(document, dict):
        for key, value in document.items():
            yield f"{path}.{key}".lstrip(".")
            yield from keys(value, f"{path}.{key}")


def recorded() -> set[str]:
    """The keys that programs may rely on."""
    return set(PATH.read_text(encoding="utf-8").splitlines())


@contextmanager
def _host(folder: Path) -> Iterator[Installation]:
    values = folder / "values.txt"
    values.write_text("".join(f"value-{n}\n" for n in range(9)), encoding="utf-8")
    (folder / "late.txt").write_text("late\n", encoding="utf-8")
    (folder / "sheet.csv").write_text("campaign_id,user_id,campaign_name\n2,u,Two\n3,u,Three\n", encoding="utf-8")
    (folder / "demand.csv").write_text("minute,count\n" + "".join(f"{n},1\n" for n in range(60)), encoding="utf-8")
    # One campaign after the other: who gets the last values is the same every time.
    settings = {"ALERT_WEBHOOK_URL": "http://127.0.0.1:9/", "CAMPAIGN_CONCURRENCY": "1"}
    with Installation.at(folder, f"file:{values}", "", **settings) as host:
        yield host


def _documents(host: Installation) -> Iterator[tuple[str, Any]]:
    token = "none"
    for line in DAY:
        args = line.replace("TOKEN", token).split()
        if line == "supply requests":
            host.execute(DOUBTFUL)
            host.database.close()
        document = json.loads(host.run(*args, "--json").stdout)
        if line.startswith("leases take"):
            token = document["leases"][0]["token"]
        yield line, document


if __name__ == "__main__":
    PATH.write_text("\n".join(sorted(found() | (recorded() if PATH.exists() else set()))) + "\n", encoding="utf-8")
