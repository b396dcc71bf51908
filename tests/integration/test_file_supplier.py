"""A file of values as a supplier: each value is handed out once, and the database remembers which."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import event

from kylink_cli.store.engine.database import Database
from kylink_cli.store.file_values import FileValues
from kylink_cli.supply.base import Order, SuppliedItem, Supply
from kylink_cli.supply.errors import InvalidResponseError, UnreachableError
from kylink_cli.supply.file import FileSupplier


@pytest.fixture
def values(tmp_path: Path) -> Path:
    path = tmp_path / "values"
    path.write_text("a\nb\n\nc\nd\ne\n")
    return path


def ask(supplier: FileSupplier, key: str, quantity: int) -> list[str]:
    return [item.value for item in asyncio.run(supplier.supply(_order(key, quantity))).items]


def _order(key: str, quantity: int) -> Order:
    return Order(key, "42", quantity, "{}")


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
    [(b"\xef\xbb\xbfa\r\nb\r\n", ["a", "b"]), ("ü=春\n".encode(), ["ü=春"]), (b"a\nlast line", ["a"]), (b"", [])],
    ids=repr,
)
def test_files_of_every_editor_are_read(database: Database, values: Path, content: bytes, expected: list[str]) -> None:
    values.write_bytes(content)
    assert ask(FileSupplier(values, FileValues(database)), "k1", 9) == expected


def test_a_last_line_waits_for_its_end(database: Database, values: Path) -> None:
    values.write_text("a\nhal")
    assert ask(FileSupplier(values, FileValues(database)), "k1", 9) == ["a"]
    values.write_text("a\nhalf\n")
    assert ask(FileSupplier(values, FileValues(database)), "k2", 9) == ["half"]


def test_comments_blanks_and_quotation_marks_are_no_part_of_values(database: Database, values: Path) -> None:
    values.write_text('# of May\nsep=;\n a\u00a0\n"b,c"\n\u200b\nvalue\n')
    supplier = FileSupplier(values, FileValues(database))
    assert ask(supplier, "k1", 9) == ["a", "b,c"]


@pytest.mark.parametrize("text", ["code,amount\nA,5\nB,6\n", "value;expires_at\nA;\n", "Coupon Code\nABC1\n"])
def test_a_sheet_is_refused_as_a_whole(database: Database, values: Path, text: str) -> None:
    values.write_text(text)
    supplier = FileSupplier(values, FileValues(database))
    with pytest.raises(InvalidResponseError, match="is a sheet: one value a line is expected"):
        ask(supplier, "k1", 1)
    with pytest.raises(InvalidResponseError, match="is a sheet"):
        asyncio.run(supplier.check())


BAD_LINES = pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"x" * 4097, "the value has 4097 characters: at most 4096 are allowed"),
        (b"b\x1b[31m", "the value holds control characters"),
        (b"\xff\xfe", "it is not UTF-8 text"),
    ],
    ids=lambda value: repr(value)[:20],
)


@BAD_LINES
def test_a_line_that_cannot_be_a_value_is_passed_over(
    database: Database, values: Path, line: bytes, reason: str
) -> None:
    """Only an order that is not met because of it hears of it; nothing else in the file is held up."""
    values.write_bytes(b"a\n" + line + b"\nb\nc\n" + line + b"\n")
    supplier = FileSupplier(values, FileValues(database))
    assert asyncio.run(supplier.supply(_order("k1", 2))) == Supply((SuppliedItem("a"), SuppliedItem("b")))
    short = asyncio.run(supplier.supply(_order("k2", 2)))
    assert (short.items, str(short.fault)) == ((SuppliedItem("c"),), f"line 2 of {values}: {reason}")
    with pytest.raises(InvalidResponseError, match=r"^line 2 of "):
        ask(supplier, "k3", 1)


def test_an_order_that_bad_lines_left_short_is_met_once_they_are_mended(database: Database, values: Path) -> None:
    values.write_text("a\nb\x1b\n")
    assert ask(FileSupplier(values, FileValues(database)), "k1", 2) == ["a"]
    values.write_text("a\nb\n")
    supply = asyncio.run(FileSupplier(values, FileValues(database)).supply(_order("k1", 2)))
    assert supply == Supply((SuppliedItem("a"), SuppliedItem("b")))


def test_a_long_used_up_beginning_is_passed_over_by_few_statements(database: Database, values: Path) -> None:
    values.write_text("".join(f"v{number}\n" for number in range(10_001)))
    ask(FileSupplier(values, FileValues(database)), "k1", 10_000)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    assert ask(FileSupplier(values, FileValues(database)), "k2", 1) == ["v10000"]
    assert len([statement for statement in statements if statement.startswith("SELECT")]) < 20
    assert len([statement for statement in statements if statement.startswith("INSERT INTO file_values")]) == 1


def test_two_runs_at_once_hand_out_each_value_once(database: Database, values: Path) -> None:
    """Both have read ahead before either takes."""
    values.write_text("".join(f"v{number}\n" for number in range(20)))
    first, second = (FileSupplier(values, FileValues(database)) for _ in range(2))
    taken = ask(first, "k1", 1) + ask(second, "k2", 1)
    for number in range(9):
        taken += ask(first, f"first {number}", 1) + ask(second, f"second {number}", 1)
    assert sorted(taken) == sorted(f"v{number}" for number in range(20))


def test_a_file_that_is_not_there_is_unreachable(database: Database, values: Path) -> None:
    supplier = FileSupplier(values, FileValues(database))
    assert asyncio.run(supplier.check()) == f"the file {values} can be read"
    values.unlink()
    with pytest.raises(UnreachableError, match="can't be read: there is no such file"):
        asyncio.run(supplier.check())
    with pytest.raises(UnreachableError):
        ask(supplier, "k1", 1)
    values.write_text("back\n")
    assert ask(supplier, "k1", 1) == ["back"]
