"""The layers: which modules may import which, so that each question keeps its one place."""

import ast
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import kylink_cli

ROOT = Path(kylink_cli.__file__).parent
MODULES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))

DOMAIN = {"rules", "errors", "language", "reasons"}
PLAIN = DOMAIN | {"children", "countries", "files", "places", "trust"}
ADAPTERS = {"store", "supply", "locks", "notify"}
ACTS = PLAIN | ADAPTERS | {"running", "alerting", "leasing"}
JOBS = ACTS | {"jobs", "overview", "scheduling", "settings"}
OUTSIDE = JOBS | {
    "setting_up",
    "imports",
    "wiring",
    "console",
    "demo",
    "report",
    "simulation",
    "metrics",
    "documents",
    "serving",
}

# What each layer may import of kylink itself, beside its own modules.
ALLOWED = {
    "language": set(),
    "rules": {"language"},
    "errors": {"language", "rules"},
    "reasons": {"language", "rules"},
    "files": {"language"},
    "places": DOMAIN,
    "children": set(),
    "countries": {"language", "rules"},
    "trust": {"language"},
    **dict.fromkeys(ADAPTERS, PLAIN),
    "imports": PLAIN,
    "settings": PLAIN,
    "scheduling": PLAIN | {"settings"},
    "setting_up": PLAIN | {"scheduling", "settings"},
    "running": PLAIN | ADAPTERS | {"alerting"},
    "alerting": PLAIN | ADAPTERS | {"running"},
    "leasing": PLAIN | {"store"},
    "jobs": ACTS,
    "overview": ACTS | {"scheduling", "settings"},
    "console": DOMAIN | {"running", "overview"},
    "simulation": {"rules"},
    "report": DOMAIN | {"scheduling", "simulation"},
    "metrics": DOMAIN,
    "documents": ACTS | {"overview", "scheduling"},
    "serving": JOBS | {"documents", "metrics", "report"},
    "wiring": JOBS,
    "demo": OUTSIDE,
    "cli": OUTSIDE,
    "consumer": {"errors", "leasing", "settings", "store", "wiring"},
    "__init__": {"consumer"},
    "__main__": {"cli"},
}
# The home of every library: the folders or files that may import it. What stands here for nobody is refused.
HOMES = {
    "aiohttp": {"supply/http_transport.py", "demo"},
    "alembic": {"store/engine/schema.py", "store/migrations"},
    "annotated_types": {"settings/messages.py"},
    "apprise": {"notify/apprise_child.py"},
    "certifi": {"supply/http.py"},
    "dotenv": {"settings/env_files.py", "setting_up/env_text.py"},
    "fastapi": {"serving"},
    "filelock": {"locks/file.py"},
    "httpx": {"imports/download.py", "notify/http.py", "supply/http.py", "supply/http_transport.py"},
    "jinja2": {"report/page.py", "serving/pages/templates.py"},
    "markupsafe": {"report/page.py"},
    "prometheus_client": {"metrics.py"},
    "pycountry": {"countries.py"},
    "psycopg": {"store/names.py", "store/engine"},
    "pydantic": {
        "settings/fields.py",
        "settings/addresses.py",
        "settings/loading.py",
        "settings/messages.py",
        "settings/salvage.py",
        "serving",
    },
    "pydantic_core": {"settings/messages.py"},
    "redis": {"locks/redis.py"},
    "requests": {"notify/apprise_child.py"},  # comes with Apprise, which is told through it what to read
    "rich": {"cli", "console"},
    "sqlalchemy": {"store"},
    "sqlmodel": {"store"},
    "starlette": {"serving"},
    "tenacity": {"supply/retry.py", "jobs/fill.py"},
    "textual": {"console/watch"},
    "typer": {"cli"},
    "typing_extensions": {"documents", "serving"},  # pydantic reads no other TypedDict before Python 3.12
    "uvicorn": {"serving"},
}
# A job hands a session on from one statement to the next; that is no SQL.
HANDED_ON = "sqlalchemy.orm.Session"


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"))


@cache
def nodes(module: Path) -> list[ast.AST]:
    return list(ast.walk(tree(module)))


def imports(module: Path) -> Iterator[str]:
    for node in nodes(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer(module: Path) -> str:
    return module.parts[0].removesuffix(".py")


def offenders(modules: list[Path], offences: Callable[[Path], set[str]]) -> dict[str, set[str]]:
    return {str(module): found for module in modules if (found := offences(module))}


def test_imports_run_one_way() -> None:
    def forbidden(module: Path) -> set[str]:
        own = {name.split(".")[1] for name in imports(module) if name.startswith("kylink_cli.")}
        return own - {layer(module), "__version__"} - ALLOWED[layer(module)]

    assert offenders(MODULES, forbidden) == {}


def is_at_home(module: Path, homes: set[str]) -> bool:
    return any(module.as_posix() == home or module.as_posix().startswith(f"{home}/") for home in homes)


def libraries(module: Path) -> set[str]:
    names = {name.split(".")[0] for name in imports(module) if name != HANDED_ON}
    return names - sys.stdlib_module_names - {"kylink_cli"}


def test_a_library_is_used_only_at_its_home() -> None:
    def strays(module: Path) -> set[str]:
        return {name for name in libraries(module) if not is_at_home(module, HOMES.get(name, set()))}

    assert offenders(MODULES, strays) == {}


def test_rules_import_only_the_standard_library() -> None:
    assert offenders([module for module in MODULES if layer(module) == "rules"], libraries) == {}


def test_only_the_console_prints() -> None:
    def printing(module: Path) -> set[str]:
        return {node.id for node in nodes(module) if isinstance(node, ast.Name)} & {"print", "input"}

    assert offenders([module for module in MODULES if layer(module) not in {"cli", "console"}], printing) == {}


def test_no_two_classes_have_one_name() -> None:
    places = defaultdict(list)
    for module in MODULES:
        for node in nodes(module):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(module))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_the_map_names_every_folder_and_file_of_the_top() -> None:
    page = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = {f"{path.name}/" for path in ROOT.rglob("*") if path.is_dir() and any(path.glob("*.py"))}
    files = {path.name for path in ROOT.glob("*.py") if not path.name.startswith("__")}
    folders -= {"kylink_cli/", "versions/"}
    assert [name for name in sorted(folders | files) if name not in page] == []


def test_no_page_and_no_list_of_steps_names_a_file_that_is_not_there() -> None:
    root = ROOT.parent
    there = [f"/{path.relative_to(root)}" for place in (ROOT, root / "tests") for path in place.rglob("*.py")]
    texts = {page: (root / page).read_text(encoding="utf-8") for page in ("CONTRIBUTING.md", "docs/architecture.md")}
    texts |= {str(module): ast.get_docstring(tree(module)) or "" for module in MODULES}
    named = {page: set(re.findall(r"`([\w/]+\.py)`", text)) for page, text in texts.items()}
    assert {
        page: missing
        for page, names in named.items()
        if (missing := {name for name in names if not any(path.endswith(f"/{name}") for path in there)})
    } == {}


def test_the_page_says_of_every_library_what_it_does_and_where() -> None:
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    page = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = "\n".join(line.split("|")[1] for line in page.partition("## Libraries")[2].splitlines() if "|" in line)
    names = {re.split(r"[\[<>=]", requirement)[0] for requirement in wanted}
    assert names - set(re.findall(r"[\w-]+", table)) == set()
