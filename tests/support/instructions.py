"""The commands that the documents tell people to type, read out of these documents."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def commands(document: str, heading: str) -> list[str]:
    """The commands of a section, without what is said of them behind `#`.

    Args:
        document: its path in the repository.
        heading: the section's, without its `#`s; its subsections are not a part of it.
    """
    text = (ROOT / document).read_text(encoding="utf-8")
    sections = re.split(r"^#+ (.*)$", text, flags=re.MULTILINE)
    section = dict(zip(sections[1::2], sections[2::2], strict=True))[heading]
    lines = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    return [re.sub(r"\s+# .*", "", line) for line in lines]
