"""One campaign in the live view: everything that is known of it, in sentences."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from kylink_cli.console import campaign_words as words
from kylink_cli.console.sparkline import Glyphs
from kylink_cli.console.tables import ago, span
from kylink_cli.console.words import STATES
from kylink_cli.language import tr
from kylink_cli.overview.campaign import CampaignDetail
from kylink_cli.rules import counted
from kylink_cli.rules.text import one_line


class CampaignScreen(Screen[None]):
    """A campaign: stock, demand, last runs and errors, leases."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,backspace", "dismiss", "")]

    def __init__(self, campaign_id: str, glyphs: Glyphs) -> None:
        super().__init__()
        self.campaign_id = campaign_id
        self.detail: CampaignDetail | None = None
        self._glyphs = glyphs
        self._shown = Text()

    def compose(self) -> ComposeResult:
        """Room for the text, and for what is said below it."""
        with VerticalScroll():
            yield Static(tr("reading …"), id="campaign", markup=False)
        yield Static(classes="said", markup=False)
        yield Static(tr("esc back  r replenish  p pause"), classes="keys", markup=False)

    def on_mount(self) -> None:
        """Show what was seen before there was room for it."""
        self._update()

    def show(self, detail: CampaignDetail) -> None:
        """Show what was seen, if that has changed."""
        self.detail = detail
        self._update()

    def _update(self) -> None:
        text = None if self.detail is None else described(self.detail, self._glyphs)
        if text is None or text == self._shown:
            return
        for place in self.query("#campaign").results(Static):
            place.update(text)
            self._shown = text


def described(detail: CampaignDetail, glyphs: Glyphs) -> Text:
    """All that is known of a campaign, a paragraph each."""
    need, error = detail.need, detail.stock.last_error
    demand_line = words.demand_line(detail, glyphs)
    parts = [
        words.headline(need),
        words.stock_line(detail, glyphs),
        Text(),
        Text(words.demand(detail)),
        *([] if demand_line is None else [demand_line]),
        Text(words.rule(need)),
        Text(words.past(detail)),
        *([] if error is None else [Text(tr("The last run failed for it: {error}", error=one_line(error)), "red")]),
        Text(),
        Text(tr("Last runs"), "bold"),
        *_runs(detail),
        Text(),
        Text(tr("Leases held"), "bold"),
        *_leases(detail),
        Text(),
        Text(" ".join(words.origin(need)), "dim"),
    ]
    return Text("\n").join(parts)


def _runs(detail: CampaignDetail) -> list[Text]:
    found, told = [], detail.stock.last_error
    for run in detail.runs:
        line = Text.assemble(
            tr("run {id}, {ago}: ", id=run.run_id, ago=ago(run.started_at, detail.now)),
            (tr(run.status), STATES.get(run.status, "")),
            tr(", {produced} of {items}", produced=run.produced, items=counted.items(run.ordered)),
        )
        if run.error and run.error != told:
            line.append(f": {one_line(run.error)}", style="red")
            told = run.error
        found.append(line)
    return found or [Text(tr("no run had to do with it yet"), "dim")]


def _leases(detail: CampaignDetail) -> list[Text]:
    found = []
    for lease in detail.leases:
        is_late = lease.expires_at <= detail.now
        ends = (
            tr("overdue for {span}", span=span(detail.now - lease.expires_at))
            if is_late
            else tr("for another {span}", span=span(lease.expires_at - detail.now))
        )
        holder = one_line(lease.holder or tr("somebody"))
        said = tr("item {item} by {holder}, {ends}", item=lease.item_id, holder=holder, ends=ends)
        found.append(Text(said, "red" if is_late else ""))
    return found or [Text(tr("none"), "dim")]
