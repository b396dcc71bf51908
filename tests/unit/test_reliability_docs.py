"""Every row of docs/reliability.md and SECURITY.md names a test that exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "docs" / "reliability.md", ROOT / "SECURITY.md"]
ROWS = [row for doc in DOCS for row in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", doc.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("file", "name"), ROWS, ids=[name for _, name in ROWS])
def test_the_test_that_a_row_names_exists(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_there_are_rows() -> None:
    assert len(ROWS) > 30
