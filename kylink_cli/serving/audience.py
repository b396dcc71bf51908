"""Those who follow something for long: so many, and no more."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from kylink_cli.language import tr
from kylink_cli.serving.problems import Problem

_LIMIT: Final = 50


class Audience:
    """How many follow."""

    def __init__(self) -> None:
        self._present = 0

    def require_room(self) -> None:
        """Refuse one more if all seats are taken.

        Raises:
            Problem: they are.
        """
        if self._present >= _LIMIT:
            raise Problem(503, "BUSY", tr("too many are following runs: try again"), {"Retry-After": "5"})

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Be one of them."""
        self._present += 1
        try:
            yield
        finally:
            self._present -= 1
