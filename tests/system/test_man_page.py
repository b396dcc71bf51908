"""The man page: what the help texts say, shipped in the wheel, and readable."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.support import man_page


def test_the_man_page_says_what_help_says() -> None:
    assert man_page.PATH.read_text(encoding="utf-8") == man_page.render(), "make man"


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed (make packages)")
def test_groff_finds_nothing_to_complain_of() -> None:
    command = ["groff", "-man", "-Tutf8", "-P-cbou", "-ww", str(man_page.PATH)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for text in (
        "kylink leases take CAMPAIGN",
        "--log-format <auto|text|journal|json>",
        "69     The supply service is",
    ):
        assert text in done.stdout


def test_the_wheel_ships_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (inside,) = [name for name in archive.namelist() if name.endswith("share/man/man1/kylink.1")]
        assert archive.read(inside) == man_page.PATH.read_bytes()
