"""What becomes of a condition's one alert, and what people are told of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kylink_cli.rules.alert_book import BookRules, Entry, Event, over, seen, tell
from kylink_cli.rules.vocabulary import LEVELS, AlertLevel, AlertState

START = datetime(2026, 2, 6, 8, 0, tzinfo=UTC)
RULES = BookRules(repeat=timedelta(minutes=30), flap=timedelta(minutes=40))
MINUTES = 10

Look = AlertLevel | None
WARNINGS: list[Look] = [AlertLevel.WARNING] * 6


@dataclass
class Book:
    """One condition over many checks, ten minutes apart."""

    entry: Entry | None = None
    minute: int = 0
    silenced: bool = False

    def look(self, level: Look) -> Event | None:
        event = self._look(level)
        self.minute += MINUTES
        return event

    def _look(self, level: Look) -> Event | None:
        if level is not None:
            self.entry = seen(self.entry, level)
        elif self.entry is None or self.entry.state == "resolved":
            return None
        else:
            self.entry = over(self.entry)
        now = START + timedelta(minutes=self.minute)
        self.entry, event = tell(self.entry, RULES, now, silenced=self.silenced)
        return event


def told(looks: Iterable[Look]) -> list[tuple[int, Event]]:
    """At which minute people were told of what."""
    book = Book()
    found = [(book.minute, book.look(look)) for look in looks]
    return [(minute, event) for minute, event in found if event is not None]


def test_a_condition_that_lasts_is_told_once_repeated_after_the_repeat_time_and_resolved_once() -> None:
    assert told([*WARNINGS, None, None, None]) == [(0, "opened"), (30, "repeated"), (60, "resolved")]


def test_a_worse_level_is_told_at_once_and_a_better_one_is_not() -> None:
    assert told([AlertLevel.INFO, AlertLevel.ERROR, AlertLevel.WARNING, AlertLevel.ERROR]) == [
        (0, "opened"),
        (10, "raised"),
    ]


def test_a_repeat_at_a_better_level_does_not_make_people_forget_the_worst() -> None:
    looks: list[Look] = [AlertLevel.ERROR, AlertLevel.WARNING, AlertLevel.WARNING, AlertLevel.WARNING, AlertLevel.ERROR]
    assert told(looks) == [(0, "opened"), (30, "repeated")]


def test_flapping_every_check_is_told_as_one_pair_a_window() -> None:
    looks: list[Look] = [AlertLevel.WARNING, None] * 6
    assert told(looks) == [
        (0, "opened"),
        (10, "resolved"),
        (40, "opened"),
        (50, "resolved"),
        (80, "opened"),
        (90, "resolved"),
    ]


def test_what_comes_back_and_stays_is_told_when_the_window_is_over() -> None:
    assert told([AlertLevel.WARNING, None, AlertLevel.WARNING, AlertLevel.WARNING, AlertLevel.WARNING]) == [
        (0, "opened"),
        (10, "resolved"),
        (40, "opened"),
    ]


def test_what_comes_back_worse_is_told_at_once() -> None:
    assert told([AlertLevel.WARNING, None, AlertLevel.ERROR]) == [(0, "opened"), (10, "resolved"), (20, "opened")]


def test_an_acknowledged_alert_is_not_repeated_but_its_end_is_told() -> None:
    book = Book()
    assert book.look(AlertLevel.WARNING) == "opened"
    assert book.entry is not None
    book.entry = Entry(
        AlertState.ACKNOWLEDGED, AlertLevel.WARNING, announced=True, told_level=AlertLevel.WARNING, told_at=START
    )
    assert [book.look(AlertLevel.WARNING) for _ in range(6)] == [None] * 6
    assert book.look(None) == "resolved"


def test_an_acknowledged_alert_that_gets_worse_is_open_again() -> None:
    acknowledged = Entry(
        AlertState.ACKNOWLEDGED, AlertLevel.WARNING, announced=True, told_level=AlertLevel.WARNING, told_at=START
    )
    assert seen(acknowledged, AlertLevel.WARNING).state == "acknowledged"
    assert seen(acknowledged, AlertLevel.ERROR).state == "open"


def test_what_is_silenced_is_told_once_the_silence_is_over() -> None:
    book = Book(silenced=True)
    assert [book.look(AlertLevel.WARNING) for _ in range(3)] == [None] * 3
    book.silenced = False
    assert [book.look(AlertLevel.WARNING), book.look(None)] == ["opened", "resolved"]


def test_what_goes_on_after_a_silence_is_told_like_new() -> None:
    book = Book()
    assert book.look(AlertLevel.WARNING) == "opened"
    book.silenced = True
    assert [book.look(AlertLevel.WARNING) for _ in range(3)] == [None] * 3
    book.silenced = False
    assert book.look(AlertLevel.WARNING) == "opened"


def test_what_ends_in_silence_ends_silently() -> None:
    book = Book()
    assert book.look(AlertLevel.WARNING) == "opened"
    book.silenced = True
    assert [book.look(AlertLevel.WARNING), book.look(None)] == [None, None]
    book.silenced = False
    assert book.look(None) is None


LOOKS = st.lists(st.sampled_from([None, *LEVELS]), max_size=60)


@given(LOOKS)
def test_an_end_is_told_only_of_what_was_told(looks: Sequence[Look]) -> None:
    events = [event for _, event in told(looks)]
    for before, after in pairwise([None, *events]):
        assert (after == "opened") == (before in {None, "resolved"})


@given(st.lists(st.sampled_from([None, "WARNING"]), max_size=60))
def test_at_one_level_there_is_at_most_one_pair_a_window(looks: Sequence[Look]) -> None:
    opened = [minute for minute, event in told(looks) if event == "opened"]
    assert all(later - earlier >= 40 for earlier, later in pairwise(opened))


@given(LOOKS)
def test_people_know_of_every_condition_that_lasts(looks: Sequence[Look]) -> None:
    book = Book()
    for look in [*looks, *WARNINGS]:
        book.look(look)
    assert book.entry is not None
    assert book.entry.announced


@given(LOOKS, st.data())
def test_nobody_is_told_while_it_is_silenced(looks: Sequence[Look], data: st.DataObject) -> None:
    book = Book()
    for look in looks:
        book.silenced = data.draw(st.booleans())
        assert book.look(look) is None or not book.silenced
