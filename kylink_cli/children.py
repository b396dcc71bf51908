"""Processes that kylink starts: nothing is searched for in the working directory, which anybody may have filled."""

import os
import sys
from collections.abc import Mapping

# What a program of somebody else's gets to know of kylink's environment.
_SHARED = ("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "TZ", "HOME", "TMPDIR")


def own_command(module: str = "kylink_cli") -> list[str]:
    """The beginning of a command line that runs this very kylink, or one of its modules, once more."""
    return [sys.executable, "-P", "-m", module]


def bare_environment() -> dict[str, str]:
    """The environment for a program of somebody else's: a path, a language, a home; no settings and no secrets."""
    shared = {name: os.environ[name] for name in _SHARED if name in os.environ}
    return {"PATH": search_path(os.environ), **shared}


def search_path(environment: Mapping[str, str]) -> str:
    """Where programs are searched for, without places that depend on the working directory."""
    places = environment.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(place for place in places if os.path.isabs(place))  # noqa: PTH117  (an empty one is no path)
