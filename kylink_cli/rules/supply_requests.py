"""What may become of a supply request, and who may say so; `store/supply_requests.py` enforces it, `db check` looks.

    from        to          who                                          guard
    (none)      open        a run that claimed the campaign              before it is sent
    open        open        a run that holds the claim                   asked without an answer: it is noted
    open        in_doubt    a run that holds the claim                   too old to be asked again; or refused, although
                                                                         an earlier call may have been charged
    open        refused     the run that recorded it, under its claim    no call under its key may have been charged
    open        cancelled   the run that recorded it, under its claim    no call under its key may have been charged
    any         answered    whoever has the answer                       none: it was paid for
    refused,    open        whoever has a part of the answer             none: so it was charged, and the rest is owed
    cancelled
    any but     answered,   an operator                                  no run holds the claim
    answered    cancelled

A request whose recorder died may have been sent: nobody else calls it refused or cancelled.
"""

from datetime import datetime, timedelta

from kylink_cli.rules.vocabulary import RequestState

# The service keeps an answer under its key for 24 hours; after 23 nobody asks again without being told to.
ASKED_AGAIN_WITHIN = timedelta(hours=23)
# So many runs that asked in vain make a request quiet: it holds up no further orders, and is asked now and then.
QUIET_AFTER_RUNS = 3
QUIET_ASKED_EVERY = timedelta(hours=1)

# What a run that holds the campaign's claim may make of an open request, and what only its recorder may.
BY_CLAIMANT = frozenset({RequestState.OPEN, RequestState.IN_DOUBT})
BY_RECORDER = frozenset({RequestState.REFUSED, RequestState.CANCELLED})
# What an operator may still settle.
BY_OPERATOR = frozenset(RequestState) - {RequestState.ANSWERED}


def is_too_old(created_at: datetime, now: datetime) -> bool:
    """Whether the service may have forgotten a request's key, so that asking again could charge again."""
    return now - created_at > ASKED_AGAIN_WITHIN


def is_quiet(unanswered_runs: int) -> bool:
    """Whether a request has been asked in vain so often that it holds up no further orders."""
    return unanswered_runs >= QUIET_AFTER_RUNS


def is_due(unanswered_runs: int, asked_at: datetime | None, now: datetime) -> bool:
    """Whether an open request is asked in this run: a quiet one only now and then."""
    return not is_quiet(unanswered_runs) or asked_at is None or now - asked_at >= QUIET_ASKED_EVERY


def after_answer(state: RequestState, *, is_whole: bool) -> RequestState:
    """The state of a request that brought something."""
    if is_whole or state == RequestState.ANSWERED:
        return RequestState.ANSWERED
    return RequestState.IN_DOUBT if state == RequestState.IN_DOUBT else RequestState.OPEN


def still_to_order(order: int, target: int, awaited: int, quiet: int) -> int:
    """Items to be ordered under new keys.

    Args:
        order: items that the campaign lacks.
        target: its order-up-to level.
        awaited: items that open requests may bring.
        quiet: items that quiet requests may bring after all; they are replaced up to one target, and no further.
    """
    lacking = order - awaited
    return max(0, min(lacking, order + target - awaited - quiet) if quiet else lacking)
