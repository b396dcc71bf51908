"""`kylink systemd record-failure`: what a unit's `OnFailure=` starts.

1. The failure is entered into the alert book, and messages into the outbox, as a run would do it (`alerting.py`).
2. What is in the outbox is sent: there may be no next run that does it.
3. Where the database fails, which may be why the unit failed, people are told past book and outbox.
"""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

from kylink_cli.alerting.delivery import Delivered, PostOffice, Probed, send_directly
from kylink_cli.alerting.posting import Alerting, post
from kylink_cli.errors import KylinkError
from kylink_cli.rules.notices import unrecorded
from kylink_cli.rules.unit_failures import UnitFailure, unit_failed


def record_failure(office: PostOffice, failure: UnitFailure) -> Delivered:
    """Record that a unit failed, and tell people."""
    now = office.clock()
    office.database.commit(lambda session: post(session, office.alerting, [unit_failed(failure)], [], now))
    return asyncio.run(office.deliver(None, only_due=True))


def tell_directly(alerting: Alerting, failure: UnitFailure, reason: KylinkError) -> Sequence[Probed]:
    """Tell people of a failure that could not be recorded."""
    return send_directly(alerting, unrecorded(str(uuid4()), unit_failed(failure), str(reason)))
