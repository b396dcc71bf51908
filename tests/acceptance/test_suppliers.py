"""Every kind of supplier, named by PROXY_API_URL alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kylink_cli.wiring import SUPPLIERS
from tests.support.installation import Installation

PLUGIN = """
from kylink_cli.errors import ConfigError
from kylink_cli.supply.base import SuppliedItem, Supply

class Made:
    def __init__(self, options):
        self.options = options

    async def supply(self, order):
        return Supply(tuple(SuppliedItem(f"{self.options.url}-{order.key}-{n}") for n in range(order.quantity)))

    async def check(self):
        return "always there"

    async def close(self):
        pass

def broken(options):
    raise ValueError(f"no licence for {options.key}")

def empty(options):
    raise KeyError

def choosy(options):
    raise ConfigError("PROXY_API_URL=made: needs a plan, as in made:gold")
"""


@pytest.fixture
def kylink(tmp_path: Path) -> Iterator[Installation]:
    with Installation.at(tmp_path, "https://unused.invalid/", "the-secret-key") as installed:
        installed.add_campaigns("1")
        yield installed


def _install_plugin(folder: Path, entry: str) -> str:
    """A distribution with an entry point, as pip would leave it; the path that finds it."""
    info = folder / "site" / "made-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[kylink.suppliers]\nmade = {entry}\n")
    (folder / "site" / "made.py").write_text(PLUGIN)
    return str(folder / "site")


def _stock(kylink: Installation) -> list[str]:
    return kylink.rows("SELECT value FROM stock_items ORDER BY id")


def test_a_program(kylink: Installation) -> None:
    program = kylink.folder / "program"
    program.write_text("""#!/bin/sh\nprintf '{"items": ["%s"]}' "$KYLINK_IDEMPOTENCY_KEY"\n""")
    program.chmod(0o700)
    result = kylink.run("replenish", "--all", PROXY_API_URL=f"exec:{program}")
    assert (result.returncode, len(_stock(kylink))) == (0, 10), result.stderr


def test_a_file(kylink: Installation) -> None:
    (kylink.folder / "values").write_text("".join(f"v{number}\n" for number in range(12)))
    url = f"file:{kylink.folder}/values"
    assert kylink.run("replenish", "--all", PROXY_API_URL=url, PROXY_API_KEY="").returncode == 0
    assert set(_stock(kylink)) == {f"v{number}" for number in range(10)}
    forced = kylink.document("replenish", "--campaign", "1", "--force", PROXY_API_URL=url)
    assert (forced["campaigns"][0]["status"], forced["produced"]) == ("partial", 2)


def test_a_kind_that_another_package_adds(kylink: Installation, tmp_path: Path) -> None:
    site = _install_plugin(tmp_path, "made:Made")
    result = kylink.run("replenish", "--all", PROXY_API_URL="made:something", PYTHONPATH=site)
    assert (result.returncode, len(_stock(kylink))) == (0, 10), result.stderr
    assert "always there" in kylink.run("doctor", PROXY_API_URL="made:something", PYTHONPATH=site).stdout


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("made:Missing", "the supplier kind made can't be loaded: module 'made' has no attribute 'Missing'"),
        ("nowhere:Made", "the supplier kind made can't be loaded: No module named 'nowhere'"),
        ("made:broken", "the supplier kind made can't be loaded: no licence for ***"),
        ("made:empty", "the supplier kind made can't be loaded: KeyError"),
        ("made:str", "the supplier kind made can't be loaded: module 'made' has no attribute 'str'"),
        ("builtins:repr", "the supplier kind made can't be used: builtins:repr gives no supplier"),
        ("made:choosy", "PROXY_API_URL=made: needs a plan, as in made:gold"),
    ],
)
def test_a_kind_whose_package_is_broken(kylink: Installation, tmp_path: Path, entry: str, reason: str) -> None:
    site = _install_plugin(tmp_path, entry)
    result = kylink.run("replenish", "--all", PROXY_API_URL="made:something", PYTHONPATH=site)
    assert (result.returncode, result.stderr) == (78, f"kylink: {reason}\n")


def test_a_kind_that_nobody_knows(kylink: Installation) -> None:
    result = kylink.run("replenish", "--all", PROXY_API_URL="gopher:something")
    line = f"kylink: PROXY_API_URL is of the kind gopher: known are {', '.join(SUPPLIERS)}\n"
    assert (result.returncode, result.stderr) == (78, line)
