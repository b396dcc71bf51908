"""A unit of systemd that failed: the condition, and when it is over."""

from collections.abc import Sequence
from dataclasses import dataclass

from kylink_cli.rules import alert_texts as texts
from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import AlertLevel, AlertType

# The scope of failures whose cause are the settings: one condition, however many units fail of it.
SETTINGS = "settings"

_SHOWN_LENGTH = 100
_PROBLEM_LENGTH = 500


@dataclass(frozen=True, slots=True)
class UnitFailure:
    """What systemd says of a failed unit (systemd.exec(5), `$MONITOR_…`).

    Attributes:
        unit: its name.
        scope: the job that it starts, else the unit's name; `SETTINGS` if there are problems.
        result: why it failed, as `exit-code`, `timeout` or `signal`; empty if unknown.
        status: its exit code or signal; empty if unknown.
        problems: what is wrong with the settings, a line each.
    """

    unit: str
    scope: str
    result: str = ""
    status: str = ""
    problems: Sequence[str] = ()


def unit_failed(failure: UnitFailure) -> NewAlert:
    """The alert for a unit that failed."""
    unit, result, status = (one_line(text, _SHOWN_LENGTH) for text in (failure.unit, failure.result, failure.status))
    title = texts.unit_failed(unit, " ".join(part for part in (result, status) if part))
    problems = [one_line(problem, _PROBLEM_LENGTH) for problem in failure.problems]
    advice = texts.bad_settings_advice() if problems else texts.unit_failed_advice(unit)
    return NewAlert(
        type=AlertType.SYSTEM_HEALTH,
        level=AlertLevel.ERROR,
        fingerprint=fingerprint(failure.scope),
        title=title,
        message="\n".join([title, *problems, advice]),
        details={"unit": unit, "result": result, "status": status} | ({"problems": problems} if problems else {}),
    )


def fingerprint(scope: str) -> str:
    """The condition's fingerprint: it is over when the job ends well, started by its timer.

    Args:
        scope: the job's name, the unit's if it starts none, or `SETTINGS`.
    """
    return f"{AlertType.SYSTEM_HEALTH}:unit_failed:{one_line(scope, _SHOWN_LENGTH)}"
