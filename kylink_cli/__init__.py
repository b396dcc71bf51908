"""kylink keeps every advertising campaign's stock of single-use items filled, unattended."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kylink_cli.consumer import Lease, Stock

__version__ = "0.1.0"
__all__ = ["Lease", "Stock", "__version__"]


def __getattr__(name: str) -> Any:
    """Load the consumers' face when somebody asks for it: the command line does without."""
    if name not in {"Lease", "Stock"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kylink_cli import consumer

    return getattr(consumer, name)
