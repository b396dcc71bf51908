"""The progress display of jobs that work in batches, drawn on a made-up terminal."""

import io

import pytest
from rich.console import Console as RichConsole

from kylink_cli.console import Console, Output
from kylink_cli.console.progress import BatchProgress
from kylink_cli.running import events


@pytest.fixture
def console() -> Console:
    made_up = Console(Output())
    made_up.stderr = RichConsole(
        file=io.StringIO(), force_terminal=True, width=80, color_system=None, markup=False, highlight=False
    )
    return made_up


def test_each_kind_of_work_has_a_bar_with_how_much_of_it_is_done(console: Console) -> None:
    display = BatchProgress(console, "recover-leases")
    display(events.BatchDone("leases recovered", 1000, 25_000))
    display(events.BatchDone("leases recovered", 2000, 25_000))
    with console.stderr.capture() as capture:
        console.stderr.print(display._progress.get_renderable())
    [line] = capture.get().splitlines()
    assert line.startswith("recover-leases: leases recovered")
    assert "2000/25000" in line


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (events.Stopping("stopped by SIGTERM"), "stopped by SIGTERM: no new calls, calls in flight may finish"),
        (events.LeasesRecovered(3, 3, 0, 0), ""),
        (events.Warned("the success heartbeat [/nope] \x1b[31m"), "the success heartbeat [/nope]  [31m"),
    ],
)
def test_what_a_person_should_look_at_stays_as_a_line(console: Console, event: events.Event, text: str) -> None:
    display = BatchProgress(console, "recover-leases")
    with console.stderr.capture() as capture:
        display(event)
    assert capture.get().strip() == text
