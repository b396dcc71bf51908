"""Kinds of suppliers that other packages add, through the entry-point group `kylink.suppliers`.

The entry point's name is the scheme of PROXY_API_URL; its object is called with `SupplierOptions`, returns a supplier.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points

from kylink_cli.errors import ConfigError, KylinkError
from kylink_cli.language import tr
from kylink_cli.rules.text import ERROR_LENGTH, one_line, without_secrets
from kylink_cli.supply.base import Supplier

GROUP = "kylink.suppliers"


@dataclass(frozen=True, slots=True)
class SupplierOptions:
    """What a supplier of another package is built from."""

    url: str  # PROXY_API_URL, whole
    key: str | None = field(repr=False)  # PROXY_API_KEY, None if it is not set
    timeout_seconds: float  # for one whole call

    @property
    def place(self) -> str:
        """What follows the kind."""
        return self.url.partition(":")[2]


def build_plugin(kind: str, options: SupplierOptions, built_in: Iterable[str]) -> Supplier:
    """Build a supplier of a kind that another package has added.

    Args:
        kind: the scheme of PROXY_API_URL.
        options: what it is built from.
        built_in: the kinds that kylink has itself, to name them beside those of other packages.

    Raises:
        ConfigError: no package has added that kind, or its package does not give a supplier.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    if kind not in found:
        known = ", ".join([*built_in, *sorted(found)])
        raise ConfigError(
            tr("PROXY_API_URL is of the kind {kind}: known are {known}", kind=one_line(kind), known=known)
        )
    supplier = _build(found[kind], options)
    if not isinstance(supplier, Supplier):
        raise ConfigError(
            tr(
                "the supplier kind {kind} can't be used: {target} gives no supplier",
                kind=kind,
                target=found[kind].value,
            )
        )
    return supplier


def _build(point: EntryPoint, options: SupplierOptions) -> object:
    try:
        return point.load()(options)
    except KylinkError:
        raise
    except Exception as error:
        # Another package may fail in its own ways.
        reason = without_secrets(str(error) or type(error).__name__, options.key, options.url.partition(":")[2])
        raise ConfigError(
            tr(
                "the supplier kind {name} can't be loaded: {reason}",
                name=point.name,
                reason=one_line(reason, ERROR_LENGTH),
            )
        ) from error
