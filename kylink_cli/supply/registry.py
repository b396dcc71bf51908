"""Kinds of suppliers that other packages add, through the entry-point group `kylink.suppliers`.

The entry point's name is the scheme of PROXY_API_URL; its object is called with `SupplierOptions`, returns a supplier.
"""

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from kylink_cli.errors import ConfigError
from kylink_cli.rules.text import one_line
from kylink_cli.supply.base import Supplier

GROUP = "kylink.suppliers"
BUILT_IN = ("https", "http", "exec", "file")


@dataclass(frozen=True, slots=True)
class SupplierOptions:
    """What a supplier of another package is built from.

    Attributes:
        url: PROXY_API_URL, whole.
        key: PROXY_API_KEY, None if it is not set.
        timeout_seconds: limit for one whole call.
    """

    url: str
    key: str | None
    timeout_seconds: float


def build_plugin(kind: str, options: SupplierOptions) -> Supplier:
    """Build a supplier of a kind that another package has added.

    Args:
        kind: the scheme of PROXY_API_URL.
        options: what it is built from.

    Raises:
        ConfigError: no package has added that kind, or its package can't be loaded.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    if kind not in found:
        known = ", ".join([*BUILT_IN, *sorted(found)])
        raise ConfigError(f"PROXY_API_URL is of the kind {one_line(kind)}: known are {known}")
    supplier: Supplier = _load(found[kind])(options)
    return supplier


def _load(point: EntryPoint) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"the supplier kind {point.name} can't be loaded: {one_line(str(error))}") from error
