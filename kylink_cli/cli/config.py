"""`kylink config …`: what the settings are, where each came from, and whether they are fine."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.completers import setting_names
from kylink_cli.errors import ConfigError, NotFoundError
from kylink_cli.language import tr
from kylink_cli.rules.text import nearest, one_line
from kylink_cli.rules.vocabulary import ReplenishRule

if TYPE_CHECKING:
    from kylink_cli.settings.loading import Loaded

config = group("config", "The settings: show them with their source, check them.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    app.add_typer(config)


# What the other rule makes nothing of.
READ_ONLY_BY = {
    ReplenishRule.COVER: ("watermark_max", "watermark_cover_hours"),
    ReplenishRule.FORECAST: ("service_level", "cover_minutes"),
}


@command(config, "show")
def show(
    cli: Cli,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only these settings.", autocompletion=setting_names),
    ] = None,
) -> None:
    """Show every setting, its value and its source. Secrets are masked."""
    settings = _named(_settings(cli.loaded), names or [])
    if cli.console.json:
        env_file = cli.loaded.env_file
        cli.console.document({"env_file": None if env_file is None else str(env_file), "settings": settings})
        return
    cli.console.say(_header(cli.loaded))
    cli.console.say()
    _show_table(cli, settings)


def _named(settings: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    """The settings of these names, or all of them without any.

    Raises:
        NotFoundError: there is no setting of such a name.
    """
    known = {setting["name"] for setting in settings}
    for name in names:
        if name.upper() not in known:
            raise _unknown(name, known)
    wanted = {name.upper() for name in names} or known
    return [setting for setting in settings if setting["name"] in wanted]


def _unknown(name: str, known: Iterable[str]) -> NotFoundError:
    near = nearest(name, known)
    if near is None:
        return NotFoundError(tr("there is no setting {name}: 'kylink config show' shows them all", name=one_line(name)))
    return NotFoundError(tr("there is no setting {name}. Did you mean {near}?", name=one_line(name), near=near))


@command(config, "check")
def check(cli: Cli) -> int:
    """Check every setting. Exit 78 if one is bad; what merely looks odd is a warning."""
    verdict = _look_through(cli)
    if cli.console.json:
        cli.console.document(verdict.document())
    else:
        _say(cli, verdict)
    return ConfigError.exit_code if verdict.problems else 0


def _settings(loaded: "Loaded") -> list[dict[str, Any]]:
    from kylink_cli.settings.fields import Settings, is_secret
    from kylink_cli.settings.messages import shown

    return [
        {
            "name": field.upper(),
            "value": shown(field, getattr(loaded.settings, field)),
            "source": loaded.sources[field],
            "secret": is_secret(field),
        }
        for field in Settings.model_fields
    ]


def _header(loaded: "Loaded") -> str:
    from kylink_cli.places import LOCAL_ENV_FILE, SYSTEM_ENV_FILE

    if loaded.env_file is None:
        return tr(
            "env file: none (neither {local} nor {system} is there)",
            local=LOCAL_ENV_FILE,
            system=SYSTEM_ENV_FILE,
        )
    return tr("env file: {env_file}", env_file=loaded.env_file)


def _show_table(cli: Cli, settings: list[dict[str, Any]]) -> None:
    from rich.text import Text

    from kylink_cli.console.tables import Column

    def cell(value: Any, source: str) -> Text:
        text = str(value).lower() if isinstance(value, bool) else "-" if value is None else str(value)
        return Text(text, style="dim" if source == "default" else "")

    names = ("name", "value", "source")
    rows: list[list[Any]] = [[cell(setting[name], setting["source"]) for name in names] for setting in settings]
    cli.console.table([Column("setting"), Column("value", wraps=True), Column("source", words=True)], rows)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is wrong, what only looks odd, and what is good to know."""

    problems: tuple[str, ...] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        facts = {"ok": not self.problems, **asdict(self)}
        if not self.problems:
            return facts
        return {"error": {"code": ConfigError.code, "message": "; ".join(self.problems)}, **facts}


def _look_through(cli: Cli) -> _Verdict:
    from kylink_cli.cli.settings_trial import problems
    from kylink_cli.settings.salvage import salvage
    from kylink_cli.settings.slips import slips_beside

    try:
        loaded = cli.loaded
    except ConfigError as error:
        others = problems(salvage(cli.options.env_file).settings)
        return _Verdict((*error.problems, *others), slips_beside(cli.options.env_file))
    # On a terminal the line was seen when the settings were read.
    refused = [loaded.refused] if loaded.refused and cli.console.output.json else []
    return _Verdict(tuple(problems(loaded.settings)), [*refused, *_warnings(loaded)], _notes(loaded))


def _warnings(loaded: "Loaded") -> list[str]:
    """What is no mistake in itself, and still seldom meant."""
    from kylink_cli.settings.slips import slips

    warnings = slips(loaded)
    if loaded.settings.proxy_api_url is None:
        warnings.append(tr("PROXY_API_URL is not set: there is no supply service to order from"))
    return warnings


def _notes(loaded: "Loaded") -> list[str]:
    """What is as it may be, and good to know."""
    from kylink_cli.supply.http import without_key

    url = loaded.settings.proxy_api_url or ""
    is_without_key = url.lower().startswith(("http:", "https:")) and loaded.settings.proxy_api_key is None
    return [*([without_key()] if is_without_key else []), *_unread(loaded)]


def _unread(loaded: "Loaded") -> list[str]:
    """Settings that were given, and that the rule in force does not read."""
    rule = loaded.settings.replenish_rule
    other = ReplenishRule.COVER if rule == ReplenishRule.FORECAST else ReplenishRule.FORECAST
    given = [field.upper() for field in READ_ONLY_BY[other] if loaded.sources[field] != "default"]
    if not given:
        return []
    return [tr("{names}: read by REPLENISH_RULE={other} only", names=", ".join(given), other=other)]


def _say(cli: Cli, verdict: _Verdict) -> None:
    for problem in verdict.problems:
        cli.console.error(ConfigError.code, problem)
    for warning in verdict.warnings:
        cli.console.warning(tr("warning: {warning}", warning=warning))
    for note in verdict.notes:
        cli.console.info(note)
    if not verdict.problems:
        cli.console.say(tr("configuration is fine"))
