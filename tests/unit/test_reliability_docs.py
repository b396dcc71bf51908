"""Every row of docs/reliability.md and SECURITY.md names a test that exists."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "docs" / "reliability.md", ROOT / "SECURITY.md"]
ROWS = [row for doc in DOCS for row in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", doc.read_text(encoding="utf-8"))]


def test_the_test_that_a_row_names_exists() -> None:
    named = defaultdict(set)
    for file, name in ROWS:
        named[file].add(name)
    assert {file: missing for file, names in named.items() if (missing := names - _functions(ROOT / file))} == {}


def test_there_are_rows() -> None:
    assert len(ROWS) > 30


def _functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
