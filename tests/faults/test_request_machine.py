"""Whatever two runs, the service, an operator and time do in whatever order: what was paid for is never written off.

The runs here do what `jobs/requests.py` does, each from its own memory: they claim, ask, judge and store. They are
stopped and wake, are killed, taken for dead by others while they go on, and answers come when it is too late for them.
"""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import SQLModel

from kylink_cli.errors import LockedError
from kylink_cli.jobs import writes
from kylink_cli.jobs.assignment import Assignment, FillLimits
from kylink_cli.jobs.claiming import Batch, Claimed, claim
from kylink_cli.jobs.writes import NewOrders
from kylink_cli.rules.replenishment import Demand
from kylink_cli.rules.supply_requests import is_too_old
from kylink_cli.rules.vocabulary import RequestState
from kylink_cli.store import claims, request_list, runs, supply_requests
from kylink_cli.store.engine.database import Database
from kylink_cli.store.levels import Scope, read_levels
from kylink_cli.store.request_list import Settlement
from kylink_cli.store.runs import RunEnd
from kylink_cli.store.supply_requests import Arrival, NewItem, OpenRequest, Verdict
from kylink_cli.store.tables import Run, StockItem, SupplyRequest, table
from kylink_cli.store.upkeep.check import check
from kylink_cli.supply.retry import RetryPolicy
from tests.support.database import add_campaigns
from tests.support.policies import COVER

pytestmark = pytest.mark.slow

REQUEST = table(SupplyRequest).c
LIMITS = FillLimits(3, 5, max_per_call=2, item_ttl=timedelta(days=9), retry=RetryPolicy(1, 1))
ASSIGNMENT = Assignment(Scope(), replace(COVER, batch_size=4), Demand(), LIMITS, 60)
KEPT = timedelta(hours=24)
ENDINGS = ("answer", "a part", "cut off", "refusal", "never sent")


@dataclass
class Process:
    """A run's process, with what it remembers."""

    run_id: int
    held: dict[str, Claimed] = field(default_factory=dict)
    open: dict[int, OpenRequest] = field(default_factory=dict)
    doubtful: set[int] = field(default_factory=set)
    # Calls in flight: what the service will answer, None if nothing.
    answers: dict[int, list[str] | None] = field(default_factory=dict)


class Requests(RuleBasedStateMachine):
    """Two campaigns, up to three processes, and a service that keeps its books and forgets keys after a day."""

    def __init__(self, database: Database) -> None:
        """Begin anew, in the database of the example before: statements are compiled once for all of them."""
        super().__init__()
        self._database = database
        with database.writing() as session:
            for rows in reversed(SQLModel.metadata.sorted_tables):
                session.execute(rows.delete())
        self._now = datetime(2026, 3, 1, tzinfo=UTC)
        add_campaigns(self._database, "1", "2")
        self._processes: list[Process] = []
        # The service's books: values by key, and when each key was charged.
        self._charged: dict[str, list[str]] = {}
        self._charged_at: dict[str, datetime] = {}

    def teardown(self) -> None:
        """Whoever is left ends in order, each unaware of the others."""
        while self._processes:
            self._finish(self._processes[0])
        self.what_was_charged_is_in_stock_or_can_still_be_had()
        assert [found.name for found in self._database.read(check) if not found.ok] == []

    @precondition(lambda self: len(self._processes) < 3)
    @rule()
    def start(self) -> None:
        row = Run(
            job="stock_replenish",
            trigger="manual",
            host="h",
            pid=1,
            status="running",
            started_at=self._now,
            heartbeat_at=self._now,
        )
        self._processes.append(Process(self._database.commit(lambda session: runs.start(session, row))))
        self._claim(self._processes[-1])

    @precondition(lambda self: len(self._processes) == 1)
    @rule(ending=st.sampled_from(ENDINGS))
    def take_over(self, ending: str) -> None:
        """A run is taken for dead while it goes on; another begins, and asks for what the first has recorded."""
        self._bury(self._processes[0].run_id)
        self.start()
        self._ask_for_all(self._processes[-1], ending)

    @precondition(lambda self: self._processes)
    @rule(data=st.data())
    def claim(self, data: st.DataObject) -> None:
        self._claim(self._some(data))

    def _claim(self, process: Process) -> None:
        def act(session: Session) -> list[Claimed]:
            levels = read_levels(session, self._now, Scope())
            wanted = [level for level in levels if level.campaign_id not in process.held]
            [found] = claim(session, [Batch(process.run_id, ASSIGNMENT, wanted)], self._now)
            return list(found.won)

        for won in self._database.commit(act):
            process.held[won.claim.campaign_id] = won
            process.open |= {request.id: request for request in (*won.inherited, *won.quiet, *won.ordered)}
            process.doubtful |= {request.id for request in (*won.inherited, *won.quiet)}

    @precondition(lambda self: self._processes)
    @rule(data=st.data())
    def order_more(self, data: st.DataObject) -> None:
        process = self._some(data)
        for campaign_id, won in process.held.items():
            orders = NewOrders(process.held[campaign_id].claim, won.need.level, 2, ASSIGNMENT.limits)
            [recorded] = self._database.commit(partial(writes.record, orders=[orders], now=self._now))
            process.open |= {request.id: request for request in recorded or ()}

    @precondition(lambda self: any(process.open for process in self._processes))
    @rule(data=st.data(), ending=st.sampled_from(ENDINGS))
    def ask(self, data: st.DataObject, ending: str) -> None:
        process = data.draw(st.sampled_from([process for process in self._processes if process.open]))
        self._ask(process, process.open[data.draw(st.sampled_from(sorted(process.open)))], ending)

    @precondition(lambda self: any(process.open for process in self._processes))
    @rule(data=st.data(), ending=st.sampled_from(ENDINGS))
    def ask_for_all(self, data: st.DataObject, ending: str) -> None:
        self._ask_for_all(data.draw(st.sampled_from([process for process in self._processes if process.open])), ending)

    def _ask_for_all(self, process: Process, ending: str) -> None:
        for request in list(process.open.values()):
            self._ask(process, request, ending)

    def _ask(self, process: Process, request: OpenRequest, ending: str) -> None:
        if request.id in process.answers:
            return
        if is_too_old(request.created_at, self._now):
            self._end(process, request)
        elif ending == "never sent":
            self._judge(process, request, RequestState.OPEN)
        elif ending == "refusal":
            self._end(process, request)
        else:
            process.doubtful.add(request.id)
            process.answers[request.id] = self._charge(request, ending)

    @precondition(lambda self: any(process.answers for process in self._processes))
    @rule(data=st.data())
    def arrive(self, data: st.DataObject) -> None:
        """A call ends, perhaps long after everybody has given up on it."""
        process = data.draw(st.sampled_from([process for process in self._processes if process.answers]))
        request_id = data.draw(st.sampled_from(sorted(process.answers)))
        request, values = process.open[request_id], process.answers.pop(request_id)
        if values is None:
            self._judge(process, request, RequestState.OPEN, was_asked=True)
            return
        is_whole = len(values) == request.request.quantity
        items = [NewItem(value, self._now + timedelta(days=9)) for value in values]
        answer = Arrival(request_id, request.request.campaign_id, items, None if is_whole else "not all")
        self._database.commit(lambda session: supply_requests.store_answers(session, [answer], self._now))
        if is_whole:
            del process.open[request_id]

    @precondition(lambda self: self._processes)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """A run ends in order: it leaves open what may have been charged, and cancels the rest."""
        self._finish(self._some(data))

    def _finish(self, process: Process) -> None:
        self._processes.remove(process)
        for request in process.open.values():
            state = RequestState.OPEN if request.id in process.doubtful else RequestState.CANCELLED
            self._judge(process, request, state)
        end = RunEnd("succeeded", 1, {})

        def act(session: Session) -> None:
            runs.finish(session, process.run_id, end, self._now)
            claims.free_all(session, [process.run_id])

        self._database.commit(act)

    @precondition(lambda self: self._processes)
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        """A process dies without an end; what it had in flight is never answered."""
        self._processes.remove(self._some(data))

    @precondition(lambda self: self._processes)
    @rule(data=st.data())
    def bury(self, data: st.DataObject) -> None:
        """Somebody takes a run for dead, rightly or not."""
        running = self._database.read(lambda session: [run.id or 0 for run in runs.running(session)])
        if not running:
            return
        self._bury(data.draw(st.sampled_from(running)))

    def _bury(self, run_id: int) -> None:
        def act(session: Session) -> None:
            claims.free_all(session, runs.mark_crashed(session, [run_id], self._now))

        self._database.commit(act)

    @rule(hours=st.sampled_from([1, 9, 22, 26]))
    def let_time_pass(self, hours: int) -> None:
        self._now += timedelta(hours=hours)

    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """An operator asks the service, and says what it says."""
        keys = self._database.read(
            lambda session: session.scalars(select(REQUEST.key).where(REQUEST.state == "in_doubt")).all()
        )
        if not keys:
            return
        key = data.draw(st.sampled_from(sorted(keys)))
        if any(key == p.open[request_id].request.key for p in self._processes for request_id in p.answers):
            return
        values = self._charged.get(key)
        items = None if values is None else [NewItem(value, self._now + timedelta(days=9)) for value in values]
        with suppress(LockedError):
            self._database.commit(partial(request_list.settle, settlement=Settlement(key, items, "me"), now=self._now))

    @invariant()
    def what_was_charged_is_in_stock_or_can_still_be_had(self) -> None:
        def look(session: Session) -> tuple[dict[str, str], set[str]]:
            rows = session.execute(select(REQUEST.key, REQUEST.state)).all()
            values = session.scalars(select(table(StockItem).c.value)).all()
            return {row.key: row.state for row in rows}, set(values)

        states, stock = self._database.read(look)
        on_the_way = {p.open[i].request.key for p in self._processes for i, values in p.answers.items() if values}
        for key, values in self._charged.items():
            if states[key] not in {"open", "in_doubt"} and key not in on_the_way:
                assert set(values) <= stock, f"{key} is {states[key]}"

    def _some(self, data: st.DataObject) -> Process:
        return data.draw(st.sampled_from(self._processes))

    def _charge(self, request: OpenRequest, ending: str) -> list[str] | None:
        key = request.request.key
        if key in self._charged:
            assert self._now - self._charged_at[key] < KEPT, "asked again after the service forgot: charged twice"
        else:
            self._charged[key] = [f"{key}-{number}" for number in range(request.request.quantity)]
            self._charged_at[key] = self._now
        if ending == "cut off":
            return None
        return self._charged[key][:1] if ending == "a part" else self._charged[key]

    def _end(self, process: Process, request: OpenRequest) -> None:
        state = RequestState.IN_DOUBT if request.id in process.doubtful else RequestState.REFUSED
        del process.open[request.id]
        self._judge(process, request, state)

    def _judge(self, process: Process, request: OpenRequest, state: RequestState, *, was_asked: bool = False) -> None:
        verdict = Verdict(request.id, process.held[request.request.campaign_id].claim, state, "why", was_asked)
        self._database.commit(lambda session: supply_requests.judge(session, [verdict], self._now))


@pytest.mark.parametrize("examples", [15, pytest.param(10_000, marks=pytest.mark.long)])
def test_nothing_that_was_paid_for_is_written_off(embedded: Database, examples: int) -> None:
    class Here(Requests):
        def __init__(self) -> None:
            super().__init__(embedded)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
