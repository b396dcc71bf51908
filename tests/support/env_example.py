"""`.env.example`, written from the settings themselves: `python -m tests.support.env_example` writes it anew."""

import textwrap
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from kylink_cli.settings.fields import Settings
from kylink_cli.settings.messages import limits

PATH = Path(__file__).parents[2] / ".env.example"
HEAD = """\
# kylink's settings, each with its default. Copy this file to .env, or to /etc/kylink/kylink.env for the timers, and
# uncomment what is to be different. A variable of the environment wins over this file; a name without a value counts
# as not set; values are taken literally, so that a $ or % means itself. 'kylink config check' looks it over.
"""


def render() -> str:
    """The whole file."""
    return "\n".join([HEAD, *[_setting(field, info) for field, info in Settings.model_fields.items()]])


def _setting(field: str, info: FieldInfo) -> str:
    allowed = limits(info)
    explanation = f"{info.description} Allowed: {allowed}." if allowed else f"{info.description}"
    lines = textwrap.wrap(explanation, width=116, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines) + f"#{field.upper()}={_default(info.default)}\n"


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float | str) else ""


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
