"""Coverage-guided fuzzing of what reads other people's text: `python -m tests.faults.fuzz_parsers TARGET -runs=N`.

`make fuzz` runs every target for a while. A crash leaves a file with the input that caused it.
"""

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kylink_cli"]):
    from kylink_cli.imports.campaigns import COLUMNS, parse_campaigns
    from kylink_cli.imports.records import read_csv, read_json_lines
    from kylink_cli.imports.values import parse_values
    from kylink_cli.supply.answer import parse_answer
    from kylink_cli.supply.errors import InvalidResponseError, parse_retry_after

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def answer(data: bytes) -> None:
    """An answer of the supply service is a supply or invalid."""
    try:
        supply = parse_answer(data, 5, NOW)
    except InvalidResponseError:
        return
    if len(supply.items) > 5:
        raise AssertionError("more items than were asked for")


def campaigns(data: bytes) -> None:
    """A file of campaigns is read, or its lines are named."""
    text = data.decode("utf-8", errors="replace")
    for records in (read_csv(text, COLUMNS), read_json_lines(text, COLUMNS)):
        parse_campaigns(records, "u1")


def values(data: bytes) -> None:
    """A file of values is read, or its lines are named."""
    parse_values(data.decode("utf-8", errors="replace"), NOW)


def retry_after(data: bytes) -> None:
    """A header is a wait or nothing."""
    wait = parse_retry_after(data.decode("latin-1"), NOW)
    if wait is not None and wait < 0:
        raise AssertionError("a negative wait")


TARGETS: dict[Callable[[bytes], None], bytes] = {
    answer: b'{"items": ["a", {"value": "b", "expires_at": "2026-02-06T08:00:00Z"}]}',
    campaigns: b'campaign_id,user_id,low_watermark,status\n1,u1,5,"active"\n{"campaignId": "2", "targetStock": 9}\n',
    values: b'value,expires_at\n"a=1&b=2",2026-02-06T08:00:00Z\nplain\n',
    retry_after: b"Wed, 21 Oct 2026 07:28:00 GMT",
}


def main() -> None:
    """Fuzz the target that is named first, from its seed."""
    name = sys.argv.pop(1)
    [(target, seed)] = [(target, seed) for target, seed in TARGETS.items() if target.__name__ == name]
    with tempfile.TemporaryDirectory() as corpus:
        (Path(corpus) / "seed").write_bytes(seed)
        atheris.Setup([*sys.argv, corpus], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
