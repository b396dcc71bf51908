"""The progress display of a replenish run, drawn on a made-up terminal."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console as RichConsole

from kylink_cli.console import Console, Output
from kylink_cli.console.progress import ProgressDisplay
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


def _drawn(console: Console, *happened: events.Event) -> list[str]:
    """The display's lines after some events."""
    display = ProgressDisplay(console)
    for event in happened:
        display(event)
    with console.stderr.capture() as capture:
        console.stderr.print(display._render())
    return [line.rstrip() for line in capture.get().splitlines()]


def test_the_first_line_shows_the_whole_run(console: Console) -> None:
    [line] = _drawn(console, events.WorkFound(7, 40))
    assert line.startswith("replenish")
    assert line.endswith("0/7 campaigns · 0/40 items · 0 s")


def test_a_campaign_in_flight_has_a_line_with_items_and_try(console: Console) -> None:
    _, line = _drawn(console, _begin("1", attempt=2), events.ItemsStored("1", 4))
    assert line.startswith("Spring sale ")
    assert line.endswith("4/10 · try 2/3")


def test_a_campaign_that_waits_counts_down_and_shows_the_error(console: Console) -> None:
    _, line = _drawn(console, _begin("1"), events.RetryWaiting("1", 60_000, "HTTP 503"))
    assert line.endswith("0/10 · try 1/3, next in 60 s: HTTP 503")


def test_a_campaign_that_is_done_leaves_the_display(console: Console) -> None:
    done = events.CampaignFinished("1", "Spring sale", ResultStatus.SUCCEEDED, 10, 10, None)
    [line] = _drawn(console, events.WorkFound(2, 20), _begin("1"), events.ItemsStored("1", 10), done)
    assert line.endswith("1/2 campaigns · 10/20 items · 0 s")


def test_no_line_is_wider_than_the_terminal_and_the_bars_stay_in_line(console: Console) -> None:
    begun: list[events.Event] = [
        _begin("1", "x" * 100),
        events.ItemsStored("1", 9),
        _begin("2", "春季促销" * 20),
        events.ItemsStored("2", 9),
    ]
    waiting: list[events.Event] = [events.RetryWaiting(key, 60_000, "HTTP 500: " + "y" * 300) for key in ("1", "2")]
    lines = _drawn(console, *begun, *waiting)
    assert [cell_len(line) for line in lines[1:]] == [80, 80]
    assert len({cell_len(line[: line.index("━")]) for line in lines[1:]}) == 1


def test_more_campaigns_than_fit_are_counted(console: Console) -> None:
    lines = _drawn(console, *[_begin(str(number)) for number in range(20)])
    assert (len(lines), lines[-1]) == (10, "… and 12 more")


def test_what_goes_wrong_stays_as_a_line_above(console: Console) -> None:
    display = ProgressDisplay(console)
    display(_begin("1"))
    with console.stderr.capture() as capture:
        display(events.CampaignFinished("1", "[/nope]", ResultStatus.FAILED, 0, 10, "HTTP 404: \x1b[31m[bold]"))
    assert capture.get().strip() == "campaign 1 failed: 0 of 10 items (HTTP 404:  [31m[bold])"
