"""The progress display of a replenish run, drawn on a made-up terminal."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console as RichConsole

from kylink_cli.console import Console, Output
from kylink_cli.console.replenish_progress import ProgressDisplay
from kylink_cli.rules.vocabulary import ResultStatus
from kylink_cli.running import events


@pytest.fixture
def console() -> Console:
    made_up = Console(Output())
    made_up.stderr = RichConsole(
        file=io.StringIO(), force_terminal=True, width=80, height=12, color_system=None, markup=False, highlight=False
    )
    return made_up


def _begin(campaign: str, name: str = "Spring sale", attempt: int = 1) -> events.AttemptStarted:
    return events.AttemptStarted(campaign, name, attempt, 3, 10)


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def _drawn(console: Console, *happened: events.Event, seconds: float = 0) -> list[str]:
    """The display's lines some seconds after some events."""
    clock = Clock()
    display = ProgressDisplay(console, clock)
    for event in happened:
        display(event)
    clock.now += seconds
    with console.stderr.capture() as capture:
        console.stderr.print(display._render())
    return [line.rstrip() for line in capture.get().splitlines()]


def _failed(campaign: str, error: str) -> list[events.Event]:
    ended: events.Event = events.CampaignFinished(campaign, "[/nope]", ResultStatus.FAILED, 0, 10, error)
    return [_begin(campaign), ended]


def test_the_first_line_shows_the_whole_run(console: Console) -> None:
    [line] = _drawn(console, events.WorkFound(7, 40))
    assert line.endswith("0/7 campaigns · 0/40 items · 0 s")


def test_the_first_line_tells_the_pace_and_the_time_left(console: Console) -> None:
    line, *_ = _drawn(console, events.WorkFound(7, 400), _begin("1"), events.ItemsStored("1", 100), seconds=10)
    assert line.endswith("0/7 campaigns · 100/400 items · 10/s · 30 s left · 10 s")
    line, *_ = _drawn(console, events.WorkFound(7, 400), _begin("1"), events.ItemsStored("1", 4), seconds=10)
    assert " · 0.4/s · 16 min left · " in line


def test_what_is_in_flight_what_waits_and_what_has_failed_are_told_apart(console: Console) -> None:
    down: list[events.Event] = [event for number in range(17) for event in _failed(f"f{number}", "the service is down")]
    lines = _drawn(
        console,
        events.WorkFound(30, 300),
        _begin("1", "Spring sale", attempt=2),
        events.ItemsStored("1", 4),
        _begin("2", "Coffee"),
        events.RetryWaiting("2", 60_000, "HTTP 503"),
        *down,
        *_failed("x", "HTTP 404: \x1b[31m[bold]"),
        seconds=12,
    )
    assert [line.split("  ")[0] for line in lines[1:]] == [
        "in flight: 1", "Spring sale", "waiting: 1", "Coffee", "failed: 18", "", ""
    ]  # fmt: skip
    assert lines[2].endswith("4/10 · try 2/3")
    assert lines[4].endswith("0/10 · try 1/3, next in 48 s: HTTP 503")
    assert [" ".join(line.split()) for line in lines[6:]] == [
        "17 campaigns the service is down",
        "1 campaign HTTP 404: [31m[bold]",
    ]


def test_a_service_that_is_down_is_said_with_the_next_probe_until_items_come(console: Console) -> None:
    paused: list[events.Event] = [_begin("1"), events.SupplyPaused("connection refused", 60_000)]
    lines = _drawn(console, *paused, seconds=20)
    assert " ".join(lines[1].split()) == "service down next probe in 40 s: connection refused"
    assert not any("service down" in line for line in _drawn(console, *paused, events.ItemsStored("1", 1)))


def test_a_campaign_that_is_done_leaves_the_display(console: Console) -> None:
    done = events.CampaignFinished("1", "Spring sale", ResultStatus.SUCCEEDED, 10, 10, None)
    [line] = _drawn(console, events.WorkFound(2, 10), _begin("1"), events.ItemsStored("1", 10), done)
    assert line.endswith("1/2 campaigns · 10/10 items · 10/s · 0 s")


def test_no_line_is_wider_than_the_terminal_and_the_bars_stay_in_line(console: Console) -> None:
    begun: list[events.Event] = [
        _begin("1", "x" * 100),
        events.ItemsStored("1", 9),
        _begin("2", "春季促销" * 20),
        events.ItemsStored("2", 9),
    ]
    waiting: list[events.Event] = [events.RetryWaiting(key, 60_000, "HTTP 500: " + "y" * 300) for key in ("1", "2")]
    lines = _drawn(console, *begun, *waiting)
    assert [cell_len(line) for line in lines[2:]] == [80, 80]
    assert len({cell_len(line[: line.index("━")]) for line in lines[2:]}) == 1


def test_more_campaigns_than_fit_are_counted(console: Console) -> None:
    lines = _drawn(console, *[_begin(str(number)) for number in range(20)])
    assert len(lines) <= 10
    assert lines[-1] == "… and 14 more"


def test_what_went_wrong_is_said_once_after_the_end(console: Console) -> None:
    display = ProgressDisplay(console)
    with console.stderr.capture() as capture:
        for event in _failed("1", "HTTP 404"):
            display(event)
    assert capture.get() == ""
