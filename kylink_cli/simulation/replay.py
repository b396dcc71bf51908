"""One campaign under one policy, from its first minute to its last: production's rule decides, this keeps the time.

A run looks at the stock at each minute that the interval divides; where takes ring the bell, also at once after a take
that leaves the stock below the reorder point as it was last seen. An order arrives whole after the shop's lead. What
the shop refuses is tried again after the delay, so often as the settings say; then a take rings again, or a timer
looks.
"""

import math
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from kylink_cli.rules.demand import KEPT_HOURS, MINUTES_AN_HOUR, Asked, DemandHistory
from kylink_cli.rules.forecast import DemandProfile, profile
from kylink_cli.rules.order_limits import NO_LIMITS, OrderLimits, PlannedOrder, within_limits
from kylink_cli.rules.replenishment import RECENT_MINUTES, Level, Need, Policy, need, settled_hours
from kylink_cli.rules.vocabulary import ReplenishRule
from kylink_cli.simulation.demand import Asking
from kylink_cli.simulation.shop import Shop
from kylink_cli.simulation.till import Book, Till, no_book

NEVER = math.inf
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES_A_DAY = 24 * MINUTES_AN_HOUR


@dataclass(frozen=True, slots=True)
class Terms:
    """Under what a campaign is replayed."""

    policy: Policy
    bell: bool
    interval: int  # between two looks of the timer, minutes
    tries: int
    retry_minutes: float
    shop: Shop
    start: float
    end: float
    counts_from: float  # what happens before this minute is no figure
    limits: OrderLimits = NO_LIMITS  # of each campaign; that of all is nothing that one campaign's replay can see

    @property
    def decisive(self) -> Policy:
        """The policy, with the time until somebody looks again: the bell's run, or the timer's."""
        return replace(self.policy, look_minutes=self.shop.lead if self.bell else self.interval)


@dataclass(slots=True)
class Replay:
    """A campaign being replayed."""

    asking: Asking
    terms: Terms
    book: Book = no_book
    till: Till = field(default_factory=Till)
    _batches: deque[list[float]] = field(default_factory=deque)  # end of life and items of what came, oldest first
    _bought: deque[tuple[float, int]] = field(default_factory=deque)  # when, and how many, of a day
    _policy: Policy = field(init=False)
    _stock: int = 0
    _since: float = 0  # when the stock last changed
    _point: int = 0
    _profile: DemandProfile | None = None
    _hours: dict[int, Asked] = field(default_factory=dict)
    _next_hour: int = 0  # the first that is not in the hours yet
    _seen: int = 0  # takes, in the hours before that
    _ordered: int = 0
    _tries: int = 0
    _arrives: float = NEVER
    _retries: float = NEVER
    _rings_from: float = 0
    _rung: bool = False
    _asked_at: float = -NEVER
    _settled_until: float = -NEVER

    def run(self) -> Till:
        """Replay the campaign from the first minute to the last."""
        terms, minutes = self.terms, self.asking.minutes
        self._policy = terms.decisive
        self._since = terms.counts_from
        self._next_hour = int(terms.start // MINUTES_AN_HOUR)
        looks = math.ceil(terms.start / terms.interval) * terms.interval
        at = 0
        while True:
            take = minutes[at] if at < len(minutes) else NEVER
            now = min(take, looks, self._arrives, self._retries)
            if now >= terms.end:
                self._expire(terms.end)
                self._change(terms.end, 0)
                return self.till
            self._expire(now)
            if now == self._arrives:
                self._arrive(now)
            elif now == self._retries:
                self._try(now)
            elif now == take:
                at += 1
                self._take(now)
            else:
                looks += terms.interval
                if not self._is_claimed:
                    self._tick(now)

    @property
    def _is_claimed(self) -> bool:
        return self._arrives < NEVER or self._retries < NEVER

    def _take(self, now: float) -> None:
        counts = now >= self.terms.counts_from
        self._asked_at = now
        self.till.asked += counts
        if self._stock:
            self._sell(now)
            self.till.served += counts
            self._tell(now, "take", 1)
        else:
            self.till.lost += counts
            self._tell(now, "lost", 1)
        if self.terms.bell and self._stock < self._point:
            self._ring(now)

    def _sell(self, now: float) -> None:
        oldest = self._batches[0]
        oldest[1] -= 1
        if not oldest[1]:
            self._batches.popleft()
        self._change(now, -1)

    def _ring(self, now: float) -> None:
        if self._is_claimed:
            self._rung = True
        elif now >= self._rings_from:
            self._look(now)

    def _tick(self, now: float) -> None:
        """A timer's run: it reckons only where the reorder point may have moved, or the stock is below it."""
        is_recent = now - self._asked_at < RECENT_MINUTES
        if is_recent or now >= self._settled_until or self._stock < self._point:
            self._look(now)
        else:
            self.till.runs += now >= self.terms.counts_from

    def _look(self, now: float) -> None:
        """A run looks at the campaign, and orders what the rule says."""
        self.till.runs += now >= self.terms.counts_from
        found = self._limited(need(self._level(now), self._policy, self._moment(now)), now)
        self._point, self._rung = found.watermark.items, False
        if self._policy.rule == ReplenishRule.FORECAST:
            self._settled_until = now + settled_hours(found, self._moment(now)) * MINUTES_AN_HOUR
        if found.order > 0:
            self._ordered, self._tries = found.order, 0
            self._try(now)

    def _limited(self, found: Need, now: float) -> Need:
        """What the campaign's limit of 24 hours leaves of an order."""
        limits, own = self.terms.limits, self.asking.own.order_limit
        if not limits.of(own) or found.order <= 0:
            return found
        while self._bought and self._bought[0][0] <= now - _MINUTES_A_DAY:
            self._bought.popleft()
        ordered = {self.asking.campaign_id: sum(items for _, items in self._bought)}
        wanted = {self.asking.campaign_id: PlannedOrder(found.order, own)}
        return found.limited_by(within_limits(limits, wanted, ordered)[self.asking.campaign_id].limited)

    def _try(self, now: float) -> None:
        terms = self.terms
        self._tries += 1
        self._retries = NEVER
        if terms.shop.is_open(now):
            self._arrives = now + terms.shop.lead
            self._bought.append((now, self._ordered))
            counts = now >= terms.counts_from
            self.till.orders += counts
            self.till.bought += self._ordered * counts
            self._tell(now, "order", self._ordered)
        elif self._tries < terms.tries:
            self._retries = now + terms.retry_minutes
        else:
            self._rings_from = now + terms.retry_minutes

    def _arrive(self, now: float) -> None:
        self._arrives = NEVER
        self._batches.append([now + self.terms.policy.life_minutes, self._ordered])
        self._change(now, self._ordered)
        self._tell(now, "arrive", self._ordered)
        if self._rung:
            self._look(now)

    def _expire(self, now: float) -> None:
        while self._batches and self._batches[0][0] <= now:
            end, items = self._batches.popleft()
            self._change(end, -int(items))
            self.till.expired += int(items) * (end >= self.terms.counts_from)
            self._tell(end, "expire", int(items))

    def _change(self, now: float, items: int) -> None:
        self.till.stock_minutes += self._stock * max(0.0, now - self._since)
        self._since = max(self._since, now)
        self._stock += items

    def _tell(self, now: float, event: str, quantity: int) -> None:
        self.book(now, self.asking.campaign_id, event, quantity)

    def _moment(self, now: float) -> datetime:
        return _EPOCH + timedelta(minutes=now)

    def _level(self, now: float) -> Level:
        """What a scan would see."""
        hour = int(now // MINUTES_AN_HOUR)
        if self._profile is None or hour > self._next_hour:
            self._learn(hour)
        minutes, own = self.asking.minutes, self.asking.own
        until, minute = bisect_right(minutes, now), int(now)
        day_ago = now - _MINUTES_A_DAY
        history = DemandHistory(
            self._hours, until - bisect_left(minutes, minute - 9), until - bisect_left(minutes, minute - 59)
        )
        return Level(
            campaign_id=self.asking.campaign_id,
            user_id="",
            name="",
            country=None,
            source_url=None,
            created_at=_EPOCH + timedelta(minutes=self.terms.start),
            own_watermark=own.watermark,
            own_target=own.target,
            available=self._stock,
            consumed_24h=until - bisect_right(minutes, day_ago),
            own_order_limit=own.order_limit,
            history=history,
            profile=self._profile,
        )

    def _learn(self, hour: int) -> None:
        """Let the hours that are over be history, and forget what is too old."""
        while self._next_hour < hour:
            end = bisect_left(self.asking.minutes, (self._next_hour + 1) * MINUTES_AN_HOUR)
            if end > self._seen:
                self._hours[self._next_hour] = Asked(end - self._seen, 0)
            self._hours.pop(self._next_hour - KEPT_HOURS, None)
            self._seen, self._next_hour = end, self._next_hour + 1
        self._profile = profile(self._hours, hour, hour - int(self.terms.start // MINUTES_AN_HOUR))
