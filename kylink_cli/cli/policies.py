"""What `kylink simulate` compares: rules and settings as they are said on the command line."""

from dataclasses import dataclass

from kylink_cli.errors import UsageError
from kylink_cli.language import tr
from kylink_cli.rules.order_limits import OrderLimits
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import ReplenishRule
from kylink_cli.settings.fields import Settings
from kylink_cli.settings.loading import changed
from kylink_cli.simulation.comparison import Contestant
from kylink_cli.simulation.replay import Terms
from kylink_cli.simulation.shop import Shop

# The settings that a simulation knows of.
SIMULATED = (
    "service_level",
    "cover_minutes",
    "watermark_min",
    "watermark_max",
    "watermark_default",
    "watermark_cover_hours",
    "stock_batch_size",
    "stock_ttl_hours",
    "replenish_interval_minutes",
    "replenish_retry_times",
    "replenish_retry_delay_ms",
    "campaign_order_limit_per_day",
)


@dataclass(frozen=True, slots=True)
class Setup:
    """What all policies are replayed under."""

    settings: Settings
    shop: Shop
    bell: bool
    start: float
    end: float
    counts_from: float


def contestant(text: str, setup: Setup) -> Contestant:
    """A policy as it was said: `NAME[:SETTING=VALUE,…]`; the name is a rule, or `current` for the rule in force.

    Raises:
        UsageError: nobody knows the rule, or a setting does not matter to a simulation.
        ConfigError: a value is bad.
    """
    name, _, rest = text.partition(":")
    given = _given(rest, text)
    rule = setup.settings.replenish_rule if name == "current" else _rule(name)
    settings = changed(setup.settings, _of_rule(rule, setup.settings) | given | {"replenish_rule": rule})
    return Contestant(text, rule, {field.upper(): value for field, value in given.items()}, _terms(settings, setup))


def _rule(name: str) -> ReplenishRule:
    try:
        return ReplenishRule(name)
    except ValueError:
        raise UsageError(
            tr("there is no policy {name}: known are forecast, cover and current", name=one_line(name, 40))
        ) from None


def _of_rule(rule: ReplenishRule, settings: Settings) -> dict[str, str]:
    """A lowest watermark that was given for one rule is not meant for the other."""
    return {} if rule == settings.replenish_rule or settings.watermark_min is None else {"watermark_min": _lowest(rule)}


def _lowest(rule: ReplenishRule) -> str:
    return "3" if rule == ReplenishRule.COVER else "1"


def _given(rest: str, text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in rest.split(",") if pair.strip()]
    given = {name.strip().lower(): value.strip() for name, _, value in pairs}
    for name in given:
        if name not in SIMULATED:
            raise UsageError(
                tr(
                    "{policy}: {name} is not a setting of a simulation; known are {names}",
                    policy=one_line(text, 80),
                    name=one_line(name.upper(), 40),
                    names=", ".join(field.upper() for field in SIMULATED),
                )
            )
    return given


def _terms(settings: Settings, setup: Setup) -> Terms:
    return Terms(
        policy=settings.policy,
        bell=setup.bell,
        interval=settings.replenish_interval_minutes,
        tries=settings.replenish_retry_times,
        retry_minutes=settings.replenish_retry_delay_ms / 60_000,
        shop=setup.shop,
        start=setup.start,
        end=setup.end,
        counts_from=setup.counts_from,
        limits=OrderLimits(of_campaign=settings.campaign_order_limit_per_day),
    )
