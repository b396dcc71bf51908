"""The layers: which modules may import which, so that each question keeps its one place."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import kylink_cli

ROOT = Path(kylink_cli.__file__).parent
MODULES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))

DOMAIN = {"rules", "errors", "language", "scheduling"}
PLAIN = DOMAIN | {"env_files", "files", "places"}
ADAPTERS = {"store", "supply", "locks", "notify"}
JOBS = PLAIN | ADAPTERS | {"imports", "jobs", "settings", "settings_loading", "settings_messages"}
OUTSIDE = JOBS | {"wiring", "console", "demo", "report", "metrics"}

# What each layer may import of kylink itself, beside its own modules.
ALLOWED = {
    "language": set(),
    "rules": {"language"},
    "errors": {"language"},
    "files": {"language"},
    "places": set(),
    "env_files": DOMAIN,
    **dict.fromkeys(ADAPTERS, PLAIN),
    "imports": PLAIN,
    "scheduling": PLAIN | {"settings"},
    "settings": PLAIN,
    "settings_messages": PLAIN | {"settings"},
    "settings_loading": PLAIN | {"settings", "settings_messages"},
    "console": DOMAIN | {"jobs"},
    "report": DOMAIN,
    "metrics": DOMAIN,
    "jobs": JOBS,
    "wiring": JOBS,
    "demo": OUTSIDE,
    "cli": OUTSIDE,
    "consumer": JOBS | {"wiring"},
    "__init__": {"consumer"},
    "__main__": {"cli"},
}
# Libraries that only some layers may import.
RESERVED = {
    "typer": {"cli"},
    "rich": {"cli", "console"},
    "alembic": {"store"},
    "sqlmodel": {"store"},
    "sqlalchemy": {"store"},
    "httpx": {"supply", "notify"},
    "filelock": {"locks"},
    "jinja2": {"report"},
    "prometheus_client": {"metrics"},
}


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_run_one_way(module: Path) -> None:
    own = {name.split(".")[1] for name in imports(module) if name.startswith("kylink_cli.")}
    assert own - {layer(module), "__version__"} <= ALLOWED.get(layer(module), set())


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_library_is_used_only_where_it_belongs(module: Path) -> None:
    # A job hands a session on from one statement to the next; that is no SQL.
    libraries = {name.split(".")[0] for name in imports(module) if name != "sqlalchemy.orm.Session"}
    assert [name for name in libraries & RESERVED.keys() if layer(module) not in RESERVED[name]] == []


@pytest.mark.parametrize("module", [path for path in MODULES if layer(path) == "rules"], ids=str)
def test_rules_import_only_the_standard_library(module: Path) -> None:
    foreign = {name.split(".")[0] for name in imports(module)} - sys.stdlib_module_names
    assert foreign <= {"kylink_cli"}


@pytest.mark.parametrize("module", [path for path in MODULES if layer(path) not in {"cli", "console"}], ids=str)
def test_only_the_console_prints(module: Path) -> None:
    names = {
        node.id
        for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8")))
        if isinstance(node, ast.Name)
    }
    assert names.isdisjoint({"print", "input"})
