"""The page as a whole: sections put into a template, with all that it needs inside it."""

import json
from base64 import b64encode
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kylink_cli.language import Language, tr
from kylink_cli.report import alerts, consumption, headline, jobs, stock, supply
from kylink_cli.report import history as past
from kylink_cli.report import simulated as other_settings
from kylink_cli.report.attention import AttentionCard, left_out, notices
from kylink_cli.report.parts import Chart, Section, Table, Tile
from kylink_cli.report.timeline import Timeline, within
from kylink_cli.report.words import first_steps, for_script, for_template, state_words
from kylink_cli.rules.attention import Matter, attention
from kylink_cli.rules.figures import Figures, History
from kylink_cli.rules.moments import readable
from kylink_cli.rules.situation import Situation
from kylink_cli.rules.text import one_line
from kylink_cli.rules.verdict import OverallVerdict, verdict

# So many rows of a table are there without the script.
_ROWS_IN_HTML = 20
_ASSETS = files("kylink_cli.report") / "assets"


@dataclass(frozen=True)
class Page:
    """The report."""

    figures: Figures
    history: History
    situation: Situation
    language: Language
    user_id: str | None  # whose campaigns it is about; None for all
    version: str  # kylink's own
    simulated: other_settings.Simulated | None = None  # None where there is too little demand to say

    @cached_property
    def sections(self) -> list[Section]:
        """The sections, in the order of the page."""
        timeline = Timeline.of(self.figures.period)
        fared = {one.need.level.campaign_id: one for one in self.situation.campaigns}
        if self.is_empty:
            return []
        return [
            past.section(self.figures, self.history, timeline),
            jobs.section(self.figures.runs, self.history, timeline),
            supply.section(self.history, timeline),
            stock.section(self.figures.campaigns, fared),
            consumption.section(self.history.consumption, self.figures.period),
            alerts.section(self.history.alerts, self.history.last_alerts, timeline),
            *([other_settings.section(self.simulated)] if self.simulated else []),
        ]

    @property
    def tiles(self) -> list[Tile]:
        """The headline figures."""
        return [] if self.is_empty else headline.tiles(self.figures, self.history, self.situation.asked)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell of: then the page says how to begin."""
        return not self.situation.campaigns

    @cached_property
    def matters(self) -> list[Matter]:
        """What needs attention."""
        return [] if self.is_empty else attention(self.situation)

    @property
    def verdict(self) -> OverallVerdict:
        """How all is, in a sentence."""
        return verdict(self.situation, self.matters)

    @property
    def notices(self) -> list[AttentionCard]:
        """What needs attention, in words."""
        return notices(self.matters, self.figures.period.until)

    @property
    def more(self) -> str:
        """How much more needs attention than is listed."""
        return left_out(self.matters)

    @property
    def first_steps(self) -> list[tuple[str, str]]:
        """What to type in the beginning, each with what it does."""
        return first_steps()

    @property
    def title(self) -> str:
        """What the page is about."""
        return tr("kylink report") if self.user_id is None else tr("kylink report for {user}", user=self.user_name)

    @property
    def subtitle(self) -> str:
        """Which time the page tells of."""
        period = self.figures.period
        return tr("{period} up to {moment}", period=within(period), moment=readable(period.until))

    @property
    def user_name(self) -> str:
        """The user, made clean."""
        return one_line(self.user_id or "", 60)

    def html(self) -> str:
        """The page; it needs no other file and no network."""
        environment = Environment(
            loader=PackageLoader("kylink_cli.report", "assets"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["figure"] = _figure
        environment.filters["zip"] = zip
        style, script = _asset("uplot/uPlot.min.css", "page.css"), _asset("uplot/uPlot.iife.min.js", "page.js")
        return environment.get_template("page.html.j2").render(
            page=self,
            html_lang="zh-CN" if self.language == "zh" else "en",
            style=Markup(style),  # noqa: S704  (our own file)
            script=Markup(script),  # noqa: S704  (our own file)
            policy=_policy(style, script),
            data=Markup(_harmless_json(self._data())),  # noqa: S704  (made harmless)
            words=state_words(),
            say=for_template(),
            rows_in_html=_ROWS_IN_HTML,
        )

    def _data(self) -> dict[str, Any]:
        charts = [chart for section in self.sections for chart in section.charts]
        tables = [table for section in self.sections for table in section.tables]
        return {
            "charts": {chart.key: _chart_data(chart) for chart in charts},
            "tables": {table.key: _table_data(table) for table in tables},
            "states": state_words(),
            "words": for_script(),
        }


def _chart_data(chart: Chart) -> dict[str, Any]:
    x = asdict(chart.x) | {"values": list(chart.x.values)}
    return asdict(chart) | {"x": x}


def _table_data(table: Table) -> dict[str, Any]:
    return {
        "headings": [column.heading for column in table.columns],
        "kinds": [column.kind for column in table.columns],
        "filters": [index for index, column in enumerate(table.columns) if column.filter],
        "rows": table.rows,
    }


def _asset(*names: str) -> str:
    return "\n".join(_ASSETS.joinpath(name).read_text(encoding="utf-8") for name in names)


def _policy(style: str, script: str) -> str:
    """A Content-Security-Policy that allows this style and this script, and nothing else from anywhere."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _harmless_json(data: Any) -> str:
    """JSON that can't end the element that it stands in, whatever its texts hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _figure(value: Any) -> str:
    """A cell as it is shown without the script, which shows it alike."""
    match value:
        case None:
            return "-"
        case [_, str() as shown]:
            return shown
        case [available, mark, target]:
            return f"{available} / {mark} / {target}"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.4g}"
        case _:
            return str(value)
