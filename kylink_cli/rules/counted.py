"""Things with their number, as a sentence holds them: 1 item, 2 items."""

from kylink_cli.language import ntr


def alerts(n: int) -> str:
    """So many alerts."""
    return ntr("{n:,} alert", "{n:,} alerts", n)


def calls(n: int) -> str:
    """So many calls of the supply service."""
    return ntr("{n:,} call", "{n:,} calls", n)


def campaigns(n: int) -> str:
    """So many campaigns."""
    return ntr("{n:,} campaign", "{n:,} campaigns", n)


def cells(n: int) -> str:
    """So many cells of a row."""
    return ntr("{n:,} cell", "{n:,} cells", n)


def checks(n: int) -> str:
    """So many checks."""
    return ntr("{n:,} check", "{n:,} checks", n)


def days(n: int) -> str:
    """So many days."""
    return ntr("{n:,} day", "{n:,} days", n)


def items(n: int) -> str:
    """So many items."""
    return ntr("{n:,} item", "{n:,} items", n)


def leases(n: int) -> str:
    """So many leases."""
    return ntr("{n:,} lease", "{n:,} leases", n)


def log_lines(n: int) -> str:
    """So many lines of a log."""
    return ntr("{n:,} log line", "{n:,} log lines", n)


def minutes(n: int) -> str:
    """So many minutes."""
    return ntr("{n:,} minute", "{n:,} minutes", n)


def notifications(n: int) -> str:
    """So many notifications."""
    return ntr("{n:,} notification", "{n:,} notifications", n)


def rows(n: int) -> str:
    """So many rows."""
    return ntr("{n:,} row", "{n:,} rows", n)


def runs(n: int) -> str:
    """So many runs."""
    return ntr("{n:,} run", "{n:,} runs", n)


def supply_requests(n: int) -> str:
    """So many supply requests."""
    return ntr("{n:,} supply request", "{n:,} supply requests", n)


def tables(n: int) -> str:
    """So many tables."""
    return ntr("{n:,} table", "{n:,} tables", n)


def times(n: int) -> str:
    """How often."""
    return ntr("{n:,} time", "{n:,} times", n)
