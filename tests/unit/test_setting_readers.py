"""A setting that nothing reads would be ignored in silence."""

import ast
from pathlib import Path
from typing import Any

import pytest

import kylink_cli
from kylink_cli.scheduling.jobs import JOBS
from kylink_cli.settings.fields import Settings

ROOT = Path(kylink_cli.__file__).parent
BY_NAME = {name for job in JOBS for name in (job.interval_setting, job.heartbeat_setting)}


class Recording(Settings):
    """Settings that remember what was read of them."""

    def __getattribute__(self, name: str) -> Any:
        read_by_properties.add(name)
        return super().__getattribute__(name)


read_by_properties: set[str] = set()
recording = Recording()
read_by_properties.clear()  # of what only a validator looks at
for own in [name for name, value in vars(Settings).items() if isinstance(value, property)]:
    getattr(recording, own)
read_elsewhere = {
    node.attr
    for path in ROOT.rglob("*.py")
    if path.name != "fields.py"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
}


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_every_setting_is_read(setting: str) -> None:
    """By the name of it, or by a property that hands settings on together, such as the policy."""
    assert setting in BY_NAME | read_by_properties | read_elsewhere
