"""A file of values as a supplier: each value is handed out once, and the database remembers which."""

import asyncio
from pathlib import Path

import pytest

from kylink_cli.store.database import Database
from kylink_cli.store.file_values import FileValues
from kylink_cli.supply.base import Order
from kylink_cli.supply.errors import InvalidResponseError, UnreachableError
from kylink_cli.supply.file import FileSupplier


@pytest.fixture
def values(tmp_path: Path) -> Path:
    path = tmp_path / "values"
    path.write_text("a\nb\n\nc\nd\ne\n")
    return path


def ask(supplier: FileSupplier, key: str, quantity: int) -> list[str]:
    supply = asyncio.run(supplier.supply(Order(key, "42", quantity, "{}")))
    return [item.value for item in supply.items]


def test_each_value_is_handed_out_once_also_by_later_runs(database: Database, values: Path) -> None:
    supplier = FileSupplier(values, FileValues(database))
    assert (ask(supplier, "k1", 2), ask(supplier, "k2", 1)) == (["a", "b"], ["c"])
    later = FileSupplier(values, FileValues(database))
    assert (ask(later, "k3", 9), ask(later, "k4", 1)) == (["d", "e"], [])


def test_the_same_key_gets_the_same_values_and_what_was_missing(database: Database, values: Path) -> None:
    supplier = FileSupplier(values, FileValues(database))
    assert ask(supplier, "k1", 4) == ["a", "b", "c", "d"]
    assert sorted(ask(FileSupplier(values, FileValues(database)), "k1", 4)) == ["a", "b", "c", "d"]
    assert ask(supplier, "k2", 3) == ["e"]
    values.write_text("a\nb\nc\nd\ne\nf\ng\nh\n")
    assert sorted(ask(FileSupplier(values, FileValues(database)), "k2", 3)) == ["e", "f", "g"]


def test_a_value_that_stands_there_twice_is_handed_out_once(database: Database, values: Path) -> None:
    values.write_text("a\na\nb\n")
    assert ask(FileSupplier(values, FileValues(database)), "k1", 3) == ["a", "b"]


def test_two_files_do_not_know_of_each_other(database: Database, values: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("a\n")
    assert ask(FileSupplier(values, FileValues(database)), "k1", 1) == ["a"]
    assert ask(FileSupplier(tmp_path / "other", FileValues(database)), "k2", 1) == ["a"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"\xef\xbb\xbfa\r\nb\r\n", ["a", "b"]), ("ü=春\n".encode(), ["ü=春"]), (b"last line", ["last line"]), (b"", [])],
    ids=repr,
)
def test_files_of_every_editor_are_read(database: Database, values: Path, content: bytes, expected: list[str]) -> None:
    values.write_bytes(content)
    assert ask(FileSupplier(values, FileValues(database)), "k1", 9) == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a\n" + b"x" * 4097, "line 2 of "),
        (b"a\nb\x1b[31m\n", "line 2 of "),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_cannot_be_a_value_is_named_with_its_line(
    database: Database, values: Path, content: bytes, reason: str
) -> None:
    values.write_bytes(content)
    with pytest.raises(InvalidResponseError, match=reason):
        ask(FileSupplier(values, FileValues(database)), "k1", 9)


def test_a_file_that_is_not_there_is_unreachable(database: Database, values: Path) -> None:
    supplier = FileSupplier(values, FileValues(database))
    assert asyncio.run(supplier.check()) == f"the file {values} can be read"
    values.unlink()
    with pytest.raises(UnreachableError, match="can't be read: No such file"):
        asyncio.run(supplier.check())
    with pytest.raises(UnreachableError):
        ask(supplier, "k1", 1)
