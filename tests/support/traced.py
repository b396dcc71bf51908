"""The files of kylink that a command executes: `python -m tests.support.traced replenish --all`."""

import inspect
import sys
import threading
from pathlib import Path
from types import FrameType

import kylink_cli
from kylink_cli.__main__ import main

ROOT = str(Path(kylink_cli.__file__).parent)
executed: set[str] = set()


def note(frame: FrameType, _event: str, _argument: object) -> None:
    """Remember the file of a function that is called; what only declares has no locals of its own."""
    code = frame.f_code
    if code.co_flags & inspect.CO_OPTIMIZED and code.co_filename.startswith(ROOT):
        executed.add(code.co_filename.removeprefix(f"{ROOT}/"))


if __name__ == "__main__":
    threading.settrace(note)
    sys.settrace(note)
    try:
        main()
    finally:
        sys.settrace(None)
        sys.stderr.write("".join(f"{name}\n" for name in sorted(executed)) + f"{len(executed)} files\n")
