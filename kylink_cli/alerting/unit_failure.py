"""`kylink systemd record-failure`: what a unit's `OnFailure=` starts.

1. The failure is entered into the alert book, and messages into the outbox, as a run would do it (`posting.py`).
2. What is in the outbox is sent: there may be no next run that does it.
3. Where the database fails or is not known, which may be why the unit failed, people are told past book and outbox:
   once, until a run of a timer goes well.
"""

import asyncio
from collections.abc import Callable
from uuid import uuid4

from kylink_cli.alerting import told_failures
from kylink_cli.alerting.delivery import PostOffice, send_directly
from kylink_cli.alerting.posting import Alerting, post
from kylink_cli.errors import KylinkError
from kylink_cli.language import tr
from kylink_cli.rules.notices import unrecorded
from kylink_cli.rules.unit_failures import UnitFailure, unit_failed
from kylink_cli.running.events import Observer, Warned


def report(failure: UnitFailure, alerting: Alerting, observe: Observer, office: Callable[[], PostOffice]) -> bool:
    """Tell people that a unit failed.

    Args:
        office: opens what records it.

    Returns:
        Whether this is news that nobody was notified of.
    """
    try:
        return _record(office(), failure)
    except KylinkError as error:
        return _tell_directly(failure, alerting, observe, error)


def _record(office: PostOffice, failure: UnitFailure) -> bool:
    now = office.clock()
    posted = office.database.commit(lambda session: post(session, office.alerting, [unit_failed(failure)], [], now))
    delivered = asyncio.run(office.deliver(None, only_due=True))
    nobody_heard = not office.alerting.channels or (delivered.failed > 0 and not delivered.sent)
    return nobody_heard and bool(posted.opened)


def _tell_directly(failure: UnitFailure, alerting: Alerting, observe: Observer, reason: KylinkError) -> bool:
    if told_failures.is_told(failure.scope):
        return False
    results = send_directly(alerting, unrecorded(str(uuid4()), unit_failed(failure), str(reason)))
    is_in_journal = told_failures.is_told(failure.scope, by_journal=True)
    for result in results:
        if result.error is not None and not is_in_journal:
            text = tr("the notification through {name} failed: {error}", name=result.channel, error=result.error)
            observe(Warned(text))
    is_told = any(result.error is None for result in results)
    told_failures.remember(failure.scope, by_journal=not is_told)
    return not is_told and not is_in_journal
