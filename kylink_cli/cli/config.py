"""`kylink config …`: what the settings are, where each came from, and whether they are fine."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.completers import setting_names
from kylink_cli.errors import ConfigError, NotFoundError
from kylink_cli.language import tr
from kylink_cli.rules.text import one_line

if TYPE_CHECKING:
    from kylink_cli.settings_loading import Loaded

config = group("config", "The settings: show them with their source, check them.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    app.add_typer(config)


@command(config, "show")
def show(
    cli: Cli,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Only these settings.", autocompletion=setting_names),
    ] = None,
) -> None:
    """Show every setting with its value and where that came from; secrets are masked."""
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
            raise NotFoundError(
                tr("there is no setting {name}: 'kylink config show' shows them all", name=one_line(name))
            )
    wanted = {name.upper() for name in names} or known
    return [setting for setting in settings if setting["name"] in wanted]


@command(config, "check")
def check(cli: Cli) -> int:
    """Check every setting; exit 78 if one is bad. What only looks odd is a warning and does no harm."""
    problems, warnings = _look_through(cli)
    if cli.console.json:
        cli.console.document(_verdict(problems, warnings))
    else:
        _say_verdict(cli, problems, warnings)
    return ConfigError.exit_code if problems else 0


def _settings(loaded: "Loaded") -> list[dict[str, Any]]:
    from kylink_cli.settings import Settings
    from kylink_cli.settings_messages import is_secret, shown

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
    cli.console.table([Column("setting"), Column("value", flexible=True), Column("source", words=True)], rows)


def _look_through(cli: Cli) -> tuple[tuple[str, ...], list[str]]:
    """What is wrong, and what only looks odd."""
    try:
        return (), _warnings(cli.loaded)
    except ConfigError as error:
        return error.problems, []


def _warnings(loaded: "Loaded") -> list[str]:
    """What is no mistake in itself, and still seldom meant."""
    from kylink_cli.settings_loading import unknown_names

    warnings = [
        tr("{name} means nothing", name=name) + (tr(": did you mean {nearest}?", nearest=nearest) if nearest else "")
        for name, nearest in unknown_names(loaded.env_file).items()
    ]
    url = loaded.settings.proxy_api_url
    if url is None:
        warnings.append(tr("PROXY_API_URL is not set: there is no supply service to order from"))
    elif url.startswith(("http:", "https:")) and loaded.settings.proxy_api_key is None:
        warnings.append(tr("PROXY_API_KEY is not set: the supply service is called without a key"))
    return warnings


def _verdict(problems: tuple[str, ...], warnings: list[str]) -> dict[str, Any]:
    verdict = {"ok": not problems, "problems": problems, "warnings": warnings}
    if not problems:
        return verdict
    return {"error": {"code": ConfigError.code, "message": "; ".join(problems)}, **verdict}


def _say_verdict(cli: Cli, problems: tuple[str, ...], warnings: list[str]) -> None:
    for problem in problems:
        cli.console.error(ConfigError.code, problem)
    for warning in warnings:
        cli.console.warning(tr("warning: {warning}", warning=warning))
    if not problems:
        cli.console.say(tr("configuration is fine"))
