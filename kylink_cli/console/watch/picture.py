"""What the live view shows: read again and again off the event loop, and written where it has changed."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Static

from kylink_cli.console.sparkline import Glyphs
from kylink_cli.console.watch import cells
from kylink_cli.console.watch.campaign import CampaignScreen
from kylink_cli.console.watch.desk import Desk
from kylink_cli.console.watch.rows import Rows
from kylink_cli.errors import KylinkError
from kylink_cli.language import tr
from kylink_cli.overview.campaign import CampaignDetail
from kylink_cli.overview.watching import OpenAlert, Scene, Seen
from kylink_cli.rules.replenishment import Need
from kylink_cli.rules.text import one_line
from kylink_cli.rules.watching import Selection, chosen

if TYPE_CHECKING:
    from textual.timer import Timer

# A look may take a fifth of the time, so that a big database is not read without end.
_SHARE = 4


class Picture(App[None]):
    """What the live view shows, as long as nobody presses a key."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: ansi_default; color: ansi_default; overflow: hidden; }
    #title, #filter, .said, .keys { height: 1; }
    #title, #job-lines, #runs, .said, .keys { text-wrap: nowrap; text-overflow: ellipsis; }
    #jobs, #runs { height: auto; }
    #campaigns { height: 1fr; min-height: 3; }
    #alerts { height: auto; max-height: 20%; min-height: 2; }
    Rows { background: ansi_default; scrollbar-size: 0 0; }
    VerticalScroll { height: 1fr; background: ansi_default; scrollbar-size: 0 0; }
    .keys { text-style: reverse; }
    Input { border: none; height: 1; padding: 0; background: ansi_default; color: ansi_default; display: none; }
    Question, Keys { align: center middle; background: ansi_default; }
    .box { width: auto; max-width: 90%; height: auto; padding: 1 2; border: solid ansi_default; }
    """

    def __init__(self, desk: Desk, interval_seconds: float, glyphs: Glyphs) -> None:
        super().__init__(ansi_color=True)
        self.animation_level = "none"
        self.failure: Exception | None = None
        self._desk = desk
        self._interval = interval_seconds
        self._glyphs = glyphs
        self._selection = Selection()
        self._scene: Scene | None = None
        self._now = datetime.now(UTC)  # of the last look
        self._shown: dict[str, Text] = {}
        self._timer: Timer | None = None  # of the next look

    def _handle_exception(self, error: Exception) -> None:
        """End without a traceback on the screen: whoever runs the view is told what was wrong."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        self.failure = self.failure or error
        self.exit(return_code=1)

    def compose(self) -> ComposeResult:
        """Title, jobs, runs, campaigns, alerts, and the lines at the bottom."""
        yield Static(tr("reading …"), id="title", markup=False)
        with Vertical(id="jobs"):
            yield Static(id="job-lines", markup=False)
        yield Static(id="runs", markup=False)
        yield Rows[Seen](lambda one: one.campaign_id, self._campaign, id="campaigns")
        yield Rows[OpenAlert](lambda alert: alert.id, self._alert, id="alerts")
        yield Static(classes="said", markup=False)
        yield Input(id="filter", placeholder=tr("a part of an id, a name or a user"), compact=True)
        yield Static(id="keys", classes="keys", markup=False)

    def on_mount(self) -> None:
        """Begin to look."""
        self.theme = "ansi-dark"
        self.query_one(Input).cursor_blink = False
        self._rows("campaigns").focus()
        self._show_keys()
        self.look()

    # --- reading

    @work(thread=True, exclusive=True, group="look")
    def look(self) -> None:
        """Look at everything, and again after a while."""
        began = time.monotonic()
        try:
            scene = self._desk.look()
            detail = self._desk.look_at(self.screen.campaign_id) if isinstance(self.screen, CampaignScreen) else None
        except KylinkError as error:
            self._hand_over(self._complain, str(error))
        else:
            self._hand_over(self._show, scene, detail)
        took = time.monotonic() - began
        self._hand_over(self._look_again_in, max(self._interval, _SHARE * took))

    def _look_again_in(self, seconds: float) -> None:
        """Look again after a while; one look follows another, however often somebody was impatient."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(seconds, self.look)

    @work(thread=True, exclusive=True, group="closely")
    def look_closely(self, campaign_id: str) -> None:
        """Look at one campaign, which is sooner done than to look at all."""
        try:
            detail = self._desk.look_at(campaign_id)
        except KylinkError as error:
            self._hand_over(self._say, str(error))
        else:
            self._hand_over(self._show_closely, detail)

    def _hand_over(self, act: Callable[..., object], *args: object) -> None:
        """Let the event loop do something, as long as there is one."""
        with suppress(RuntimeError):
            self.call_from_thread(act, *args)

    def _complain(self, error: str) -> None:
        """Say above the last picture why it is not a new one."""
        self._set("title", Text(one_line(error), style="bold red", no_wrap=True, overflow="ellipsis"))

    def _show(self, scene: Scene, detail: CampaignDetail | None) -> None:
        self._scene, self._now = scene, scene.now
        self._set("title", cells.title(scene))
        self._set("job-lines", Text("\n").join(cells.jobs(scene)))
        self._set("runs", Text("\n").join(cells.runs(scene, self._glyphs)))
        self.screen_stack[0].query_one("#runs").display = bool(scene.progress)
        self._arrange()
        alerts = list(scene.alerts)
        self._rows("alerts").show(cells.alert_columns(alerts), alerts)
        self.screen_stack[0].query_one("#alerts").display = bool(alerts)
        self._show_closely(detail)

    def _show_closely(self, detail: CampaignDetail | None) -> None:
        if detail is not None and isinstance(self.screen, CampaignScreen):
            self.screen.show(detail)

    def _arrange(self) -> None:
        """Show the campaigns that are selected, in their order."""
        if self._scene is None:
            return
        rows = chosen(self._scene.campaigns, self._selection, _need)
        self._rows("campaigns").show(cells.campaign_columns(rows), rows)
        self._show_keys(len(rows))

    def _campaign(self, one: Seen, room: list[int]) -> list[Text]:
        return cells.campaign_cells(one, room, self._glyphs, self._now)

    def _alert(self, alert: OpenAlert, _: list[int]) -> list[Text]:
        return cells.alert_cells(alert, self._now)

    def _set(self, name: str, text: Text) -> None:
        """Change a line, if it is another one: what stays is not written again."""
        if self._shown.get(name) != text or self._shown[name].style != text.style:
            self._shown[name] = text
            self.screen_stack[0].query_one(f"#{name}", Static).update(text)

    def _rows(self, name: str) -> "Rows[Any]":
        return self.screen_stack[0].query_one(f"#{name}", Rows)

    def _show_keys(self, number: int = 0) -> None:
        self._set("keys", cells.keys(self._selection, number))

    def _say(self, text: str) -> None:
        for screen in self.screen_stack:
            for line in screen.query(".said").results(Static):
                line.update(Text(one_line(text), style="cyan", no_wrap=True, overflow="ellipsis"))


def _need(seen: Seen) -> Need:
    return seen.need
