"""Two pristine Debians, in which an ordinary user has a clone of this repository."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kylink_cli.demo.service import SupplyService
from tests.support.debian import OPERATOR, as_user, booted_debian, make_root
from tests.support.instructions import ROOT, commands
from tests.support.machine import Machine, why_impossible

CLONE = "/srv/kylink.git"
KEY = "key-of-the-shop"
# Other interpreters of this machine's, where there are such.
PYTHONS = sorted(Path(os.environ.get("PYENV_ROOT", "/root/.pyenv")).glob("versions/3.1[234].*"))


@pytest.fixture(scope="package")
def service() -> Iterator[SupplyService]:
    """A supply service on loopback, which the machines share with us."""
    with SupplyService(KEY) as started:
        yield started


@pytest.fixture(scope="class")
def debian(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """A booted Debian with a clone, made as docs/installation.md says."""
    reason = why_impossible()
    if reason is not None:
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="kylink-debian-", dir="/var/tmp") as folder:
        made = os.environ.get("KYLINK_DEBIAN_ROOTS")
        root = Path(made, request.cls.release) if made else Path(folder, "root")
        if not root.exists():
            make_root(request.cls.release, root)
        Path(folder, "machine").mkdir()
        binds = {CLONE: str(ROOT)} | {f"/opt/{path.name}": str(path) for path in PYTHONS}
        with booted_debian(root, Path(folder, "machine"), binds) as machine:
            _clone(machine)
            yield machine


def _clone(machine: Machine) -> None:
    as_user(machine, "git config --global --add safe.directory '*'")
    for command in commands("docs/installation.md", "How do I install it on a server?"):
        as_user(machine, command.replace("ADDRESS", CLONE))
    as_user(machine, "printf 'campaign_id,user_id\\n42,alice\\n43,alice\\n' >kylink/campaigns.csv")
    as_user(machine, f"echo {KEY} >kylink/proxy_api_key")
    # Nobody else may look into a home.
    machine.shell(f"chmod 700 /home/{OPERATOR}")
