"""Arming the faults of `shim.c` for a command that a test starts."""

import errno
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")


@dataclass(frozen=True, slots=True)
class Shim:
    """The compiled library.

    Attributes:
        library: its file.
    """

    library: Path

    @classmethod
    def compiled(cls, folder: Path) -> "Shim":
        """Compile it."""
        library = folder / "shim.so"
        compiler = (sysconfig.get_config_var("CC") or "cc").split()
        options = ["-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run([*compiler, *options], check=True)
        return cls(library)

    def failing_disk(self, call: str, error: int, *, path: str, after: int = 0, once: bool = False) -> dict[str, str]:
        """The environment in which calls on files fail.

        Args:
            call: `pwrite` or `sync`.
            error: the errno that they fail with.
            path: only for files whose path holds this.
            after: so many calls succeed before.
            once: whether only one call fails.
        """
        armed = {"FAULT_CALL": call, "FAULT_ERRNO": str(error), "FAULT_PATH": path, "FAULT_AFTER": str(after)}
        return self._preloaded() | armed | ({"FAULT_ONCE": "1"} if once else {})

    def full_disk(self, path: str, after: int = 0) -> dict[str, str]:
        """The environment in which the disk is full once so many writes have succeeded."""
        return self.failing_disk("pwrite", errno.ENOSPC, path=path, after=after)

    def clock(self, file: Path) -> dict[str, str]:
        """The environment in which the wall clock is off by the seconds that a file holds at each look."""
        return self._preloaded() | {"FAULT_CLOCK": str(file)}

    def sleeping(self, file: Path) -> dict[str, str]:
        """The same, as if the machine had slept for so long: boot time goes on meanwhile, monotonic time does not."""
        return self.clock(file) | {"FAULT_SLEEP": "1"}

    def _preloaded(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library)}
