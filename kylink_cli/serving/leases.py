"""What consumers do over HTTP: the functions of `leasing/`, in threads; who waits holds none."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from kylink_cli import leasing
from kylink_cli.documents.leases import LeaseDocument, LeaseResultDocument, lease_documents, result_document
from kylink_cli.leasing import LeaseResult, TakeRequest
from kylink_cli.leasing.several import TakeOutcome, Takers, join, leave, take_several
from kylink_cli.rules.leases import COUNT_LIMIT, TTL_LIMIT_MINUTES
from kylink_cli.rules.text import ERROR_LENGTH
from kylink_cli.serving.answers import Reply
from kylink_cli.serving.authentication import Consumer
from kylink_cli.serving.backend import Backend, Served
from kylink_cli.serving.keyring import Caller
from kylink_cli.serving.texts import Body, PlainText

REQUESTS_LIMIT: Final = 500
WAIT_LIMIT_SECONDS: Final = 300
_TOKENS_LIMIT: Final = 1_000

router = APIRouter(prefix="/leases", tags=["leases"])

Minutes = Annotated[int, Field(ge=1, le=TTL_LIMIT_MINUTES)]
Tokens = Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=_TOKENS_LIMIT)]


class WantedLeases(Body):
    """What is wanted of one campaign."""

    campaign_id: PlainText
    count: Annotated[int, Field(ge=1, le=COUNT_LIMIT)] = 1
    key: PlainText | None = Field(default=None, description="Idempotency key: the same one gets the same leases again.")
    holder: PlainText | None = Field(default=None, description="Who takes the items, for people.")
    ttl_minutes: Minutes | None = Field(default=None, description="How long the leases last; else LEASE_TTL_MINUTES.")


class Take(Body):
    """What is wanted, of how many campaigns."""

    requests: Annotated[list[WantedLeases], Field(min_length=1, max_length=REQUESTS_LIMIT)]
    wait_seconds: Annotated[float, Field(ge=0, le=WAIT_LIMIT_SECONDS)] = Field(
        default=0, description="How long to wait while nothing at all can be had."
    )


class Confirm(Body):
    """Leases whose items were used."""

    tokens: Tokens


class Release(Body):
    """Leases whose items are given back."""

    tokens: Tokens
    error: Annotated[str, Field(max_length=ERROR_LENGTH)] | None = Field(
        default=None, description="Why they could not be used."
    )
    discard: bool = Field(default=False, description="Whether nobody is to get the items any more.")


class Extend(Body):
    """Leases that are to last longer."""

    tokens: Tokens
    ttl_minutes: Minutes


class ErrorDocument(TypedDict):
    """Why one of several requests got nothing."""

    code: str
    message: str


class TakenDocument(TypedDict):
    """What one request got."""

    campaign_id: str
    leases: list[LeaseDocument]
    error: ErrorDocument | None


class TakeDocument(TypedDict):
    """What each request got, in the order in which they were asked."""

    results: list[TakenDocument]


class ResultsDocument(TypedDict):
    """What became of each lease, in the order in which they were named."""

    results: list[LeaseResultDocument]


@router.post("", response_model=TakeDocument)
async def take(body: Take, caller: Consumer, backend: Served, request: Request) -> Response:
    """Lease items of up to 500 campaigns, in one transaction.

    Each request has its own result. With `wait_seconds`, the call waits while nothing at all can be had, and
    answers as soon as something comes.
    """
    default = backend.settings.lease_ttl_minutes
    wanted = [
        TakeRequest(one.campaign_id, one.ttl_minutes or default, one.count, one.holder, one.key)
        for one in body.requests
    ]
    taking = _Taking(backend, caller, request)
    outcomes = await taking.attempt(wanted, is_patient=body.wait_seconds > 0)
    if any(outcome.may_wait for outcome in outcomes):
        outcomes = await taking.wait(outcomes, body.wait_seconds)
    if await request.is_disconnected():
        await taking.give_back(outcomes)
    return Reply({"results": [_taken_document(outcome) for outcome in outcomes]})


@router.post("/confirm", response_model=ResultsDocument)
async def confirm(body: Confirm, caller: Consumer, backend: Served) -> Response:
    """Say that items were used; this is final, and twice does no harm."""
    return await _close(
        backend, lambda: leasing.confirm(backend.database, body.tokens, backend.now(), user_id=caller.user_id)
    )


@router.post("/release", response_model=ResultsDocument)
async def release(body: Release, caller: Consumer, backend: Served) -> Response:
    """Give items back to the stock; twice does no harm."""
    return await _close(
        backend,
        lambda: leasing.release(
            backend.database,
            body.tokens,
            backend.now(),
            error=body.error,
            discard=body.discard,
            user_id=caller.user_id,
        ),
    )


@router.post("/extend", response_model=ResultsDocument)
async def extend(body: Extend, caller: Consumer, backend: Served) -> Response:
    """Let leases end that many minutes from now; one that lasts longer already is left as it is."""
    return await _close(
        backend,
        lambda: leasing.extend(backend.database, body.tokens, body.ttl_minutes, backend.now(), user_id=caller.user_id),
    )


class _Taking:
    """One call of a consumer."""

    def __init__(self, backend: Backend, caller: Caller, request: Request) -> None:
        self._backend = backend
        self._caller = caller
        self._request = request

    async def attempt(
        self, wanted: Sequence[TakeRequest], places: Sequence[int] = (), *, is_patient: bool
    ) -> list[TakeOutcome]:
        """Take what there is."""
        backend = self._backend

        def act() -> list[TakeOutcome]:
            takers = Takers(backend.now(), backend.parts.bell, self._caller.user_id, places, is_patient)
            return take_several(backend.database, wanted, takers)

        return await backend.workers.write(act)

    async def wait(self, outcomes: Sequence[TakeOutcome], seconds: float) -> list[TakeOutcome]:
        """Wait until those who may wait get something, or the time is over."""
        backend = self._backend
        waiting = [number for number, outcome in enumerate(outcomes) if outcome.may_wait]
        wanted = [outcomes[number].request for number in waiting]
        until = backend.database.now() + timedelta(seconds=seconds)
        places = await backend.workers.write(lambda: join(backend.database, wanted, until))
        try:
            late = await self._wait_in_line(wanted, places, seconds)
        finally:
            await backend.workers.write(lambda: leave(backend.database, places, backend.now()))
        after = dict(zip(waiting, late, strict=True))
        return [after.get(number, outcome) for number, outcome in enumerate(outcomes)]

    async def _wait_in_line(
        self, wanted: Sequence[TakeRequest], places: Sequence[int], seconds: float
    ) -> list[TakeOutcome]:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        room = self._backend.waiting_room
        with room.seat([one.campaign_id for one in wanted], places) as called:
            while True:
                is_called = await _is_set(called, end - loop.time())
                called.clear()
                is_over = not is_called or room.is_closed or await self._request.is_disconnected()
                outcomes = await self.attempt(wanted, places, is_patient=not is_over)
                if is_over or not any(outcome.may_wait for outcome in outcomes):
                    return outcomes

    async def give_back(self, outcomes: Sequence[TakeOutcome]) -> None:
        """Release what a caller has taken who is gone: without a key, nobody would ever know the tokens."""
        backend = self._backend
        lost = [
            lease.token
            for outcome in outcomes
            if outcome.taken is not None and outcome.request.key is None
            for lease in outcome.taken.leases
        ]
        if lost:
            await backend.workers.write(lambda: leasing.release(backend.database, lost, backend.now()))


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event is set within a time."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            return await event.wait()
    except TimeoutError:
        return False


async def _close(backend: Backend, act: Callable[[], list[LeaseResult]]) -> Response:
    results = await backend.workers.write(act)
    return Reply({"results": [result_document(result) for result in results]})


def _taken_document(outcome: TakeOutcome) -> dict[str, Any]:
    error = outcome.error
    return {
        "campaign_id": outcome.request.campaign_id,
        "leases": [] if outcome.taken is None else lease_documents(outcome.taken),
        "error": None if error is None else {"code": error.code, "message": str(error)},
    }
