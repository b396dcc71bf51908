"""The catalogs of kylink's texts: found in the code, translated in `kylink_cli/locale/`, compiled for use.

    python -m tests.support.catalogs

brings the translations up to date with the code (what is new stands there untranslated, what is gone is dropped) and
compiles them. Babel keeps the files; which texts there are is kylink's own convention, and said here.
"""

import ast
import inspect
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import kylink_cli

ROOT = Path(kylink_cli.__file__).parent
LOCALES = ROOT / "locale"
LANGUAGES = ("zh",)

# Functions whose first arguments are texts, with how many of them.
_SAYING = {"tr": 1, "marked": 1, "ntr": 2, "Column": 1}
# What the command line's parser looks up by itself.
_OF_THE_PARSER = (
    "Arguments",
    "Options",
    "Commands",
    "required",
    "default: {default}",
    "(dynamic)",
)

Text = str | tuple[str, str]


def texts() -> list[Text]:
    """Every text of kylink's, once; one with a plural form is a pair."""
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))]
    return list(dict.fromkeys([*_OF_THE_PARSER, *(text for module in modules for text in texts_in(module))]))


def texts_in(tree: ast.AST) -> Iterator[Text]:
    """The texts of one module: what is said, the help of options and groups, and the docstrings of commands."""
    commands = {"_root", *_registered(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _said(node)
            yield from _texts_of(keyword.value for keyword in node.keywords if keyword.arg == "help")
        elif isinstance(node, ast.FunctionDef) and (node.name in commands or any(map(_registers, node.decorator_list))):
            yield inspect.cleandoc(ast.get_docstring(node) or "")


def translated(language: str) -> Catalog:
    """A translation as it stands in its file."""
    with _file(language, "po").open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalog: Catalog) -> bytes:
    """A catalog in the form that gettext reads."""
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def compiled_file(language: str) -> Path:
    """Where a compiled translation is kept."""
    return _file(language, "mo")


def update(language: str) -> None:
    """Bring one translation up to date with the code, and compile it."""
    found = Catalog()
    for text in texts():
        found.add(text)
    catalog = translated(language)
    catalog.update(found, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    with _file(language, "po").open("wb") as file:
        write_po(file, catalog, width=110)
    compiled_file(language).write_bytes(compiled(catalog))


def _file(language: str, kind: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / f"kylink.{kind}"


def _said(call: ast.Call) -> Iterator[Text]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name == "group":
        yield from _texts_of(call.args[1:])
    words = list(_texts_of(call.args[: _SAYING.get(name, 0)]))
    if len(words) == 2:
        yield (words[0], words[1])
    else:
        yield from words


def _texts_of(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
            yield node.value


def _registers(node: ast.expr) -> bool:
    """Whether an expression is `command(group, name)`, which makes a function a command."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "command"


def _registered(tree: ast.AST) -> Iterator[str]:
    """The functions that are handed to `command(group, name)` other than as a decorator."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _registers(node.func):
            yield from (argument.id for argument in node.args if isinstance(argument, ast.Name))


if __name__ == "__main__":
    for each in LANGUAGES:
        update(each)
