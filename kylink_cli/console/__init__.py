"""The only place that prints: results to standard output; log lines, progress and errors to standard error."""

from kylink_cli.console.output import Console, Output

__all__ = ["Console", "Output"]
