"""The live view: what its keys and the mouse do."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widgets import Input

from kylink_cli.console.sparkline import Glyphs
from kylink_cli.console.watch.campaign import CampaignScreen
from kylink_cli.console.watch.desk import Desk, Replenishing
from kylink_cli.console.watch.dialogs import Keys, Question
from kylink_cli.console.watch.picture import Picture
from kylink_cli.console.watch.rows import Rows
from kylink_cli.errors import KylinkError
from kylink_cli.language import tr
from kylink_cli.rules.replenishment import Need
from kylink_cli.rules.text import isolated, one_line
from kylink_cli.rules.watching import Selection, next_sorting

# How soon it is said what came of a replenishment, seconds.
_TICK = 0.5


class WatchApp(Picture):
    """The live view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("q", "quit", ""),
        Binding("ctrl+c", "interrupt", priority=True),
        ("r", "replenish", ""),
        ("p", "pause", ""),
        ("a", "acknowledge", ""),
        ("slash", "filter", ""),
        ("l", "low", ""),
        ("s", "sort", ""),
        ("escape", "everything", ""),
        ("question_mark", "keys", ""),
    ]

    def __init__(self, desk: Desk, interval_seconds: float, glyphs: Glyphs) -> None:
        super().__init__(desk, interval_seconds, glyphs)
        self.interrupted = False
        self._orders: dict[str, Replenishing] = {}

    def on_mount(self) -> None:
        """Look out for the ends of what is started here."""
        self.set_interval(_TICK, self._follow_orders)

    @on(Rows.Opened, "#campaigns")
    def open_campaign(self) -> None:
        """Look closely at a campaign."""
        seen = self._rows("campaigns").chosen
        if seen is not None:
            self.push_screen(CampaignScreen(seen.campaign_id, self._glyphs))
            self.look_closely(seen.campaign_id)

    def action_keys(self) -> None:
        """Say what the keys do."""
        self.push_screen(Keys())

    def action_interrupt(self) -> None:
        """End as by ctrl-C."""
        self.interrupted = True
        self.exit()

    def action_filter(self) -> None:
        """Let a text be typed that campaigns have to contain."""
        if len(self.screen_stack) == 1:
            self._box.display = True
            self._box.focus()

    @property
    def _box(self) -> Input:
        return self.screen_stack[0].query_one(Input)

    @on(Input.Changed)
    def narrow(self, event: Input.Changed) -> None:
        """Show what contains the text so far."""
        self._select(replace(self._selection, text=event.value))

    @on(Input.Submitted)
    def close_filter(self) -> None:
        """Go on with what was found."""
        self._box.display = False
        self._rows("campaigns").focus()

    def action_everything(self) -> None:
        """Show every campaign again."""
        self._box.value = ""
        self._select(replace(self._selection, text="", low=False))
        self.close_filter()

    def action_low(self) -> None:
        """Show only what is low, or everything again."""
        self._select(replace(self._selection, low=not self._selection.low))

    def action_sort(self) -> None:
        """Sort by something else."""
        self._select(replace(self._selection, sorting=next_sorting(self._selection.sorting)))

    def _select(self, selection: Selection) -> None:
        self._selection = selection
        self._arrange()
        self._rows("campaigns").choose(0)

    # --- acts, each after a question

    def action_replenish(self) -> None:
        """Fill a campaign now."""
        need = self._need_at_hand()
        if need is None:
            return
        question = tr("Replenish {name} now?", name=_called(need))
        self._ask(question, partial(self._replenish, need.level.campaign_id))

    def action_pause(self) -> None:
        """Pause a campaign, or resume one that is paused."""
        need = self._need_at_hand()
        if need is None:
            return
        words = tr("Pause {name}? Nothing is ordered for it then.") if need.level.active else tr("Resume {name}?")
        act = partial(self._desk.set_paused, need.level.campaign_id, need.level.active)
        done = tr("{name} is paused") if need.level.active else tr("{name} is replenished again")
        self._ask(words.format(name=_called(need)), partial(self.act, act, done.format(name=_called(need))))

    def action_acknowledge(self) -> None:
        """Take an alert on."""
        alert = self._rows("alerts").chosen
        if alert is None:
            self._say(tr("no alert is open"))
            return
        question = tr("Acknowledge alert {id}: {title}?", id=alert.id, title=one_line(alert.title))
        self._ask(question, partial(self.act, partial(self._desk.acknowledge, alert.id)))

    def _need_at_hand(self) -> Need | None:
        """The campaign that is looked at, or under the cursor."""
        if isinstance(self.screen, CampaignScreen):
            return None if self.screen.detail is None else self.screen.detail.need
        seen = self._rows("campaigns").chosen
        return None if seen is None else seen.need

    def _ask(self, question: str, act: Callable[[], object]) -> None:
        def answered(answer: bool | None) -> None:  # noqa: FBT001  (as Textual calls it)
            if answer:
                act()

        self.push_screen(Question(question), answered)

    def _replenish(self, campaign_id: str) -> None:
        if campaign_id in self._orders:
            self._say(tr("campaign {campaign_id} is being replenished", campaign_id=one_line(campaign_id)))
            return
        self._orders[campaign_id] = self._desk.replenish(campaign_id)
        self._say(tr("campaign {campaign_id} is being replenished", campaign_id=one_line(campaign_id)))

    @work(thread=True)
    def act(self, act: Callable[[], str | None], done: str = "") -> None:
        """Do something off the event loop, and say what came of it."""
        try:
            said = act() or done
        except KylinkError as error:
            said = str(error)
        self._hand_over(self._say, said)
        self._hand_over(self.look)

    def _follow_orders(self) -> None:
        """Say what came of replenishments that have ended."""
        for campaign_id, order in list(self._orders.items()):
            said = order.ended()
            if said is not None:
                del self._orders[campaign_id]
                self._say(said)
                self.look()


def _called(need: Need) -> str:
    level = need.level
    return f"{isolated(one_line(level.name, 60))} ({one_line(level.campaign_id)})"
