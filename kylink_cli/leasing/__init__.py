"""The consumer's side: take leases on items, then confirm, release or extend them. Each act is one transaction."""

from kylink_cli.leasing.closing import LeaseResult, confirm, extend, release
from kylink_cli.leasing.requests import SILENT, Bell, Taken, TakeRequest, check_ttl
from kylink_cli.leasing.taking import take

__all__ = ["SILENT", "Bell", "LeaseResult", "TakeRequest", "Taken", "check_ttl", "confirm", "extend", "release", "take"]
