"""A unit of systemd that failed: the condition, and when it is over."""

from dataclasses import dataclass

from kylink_cli.rules import alert_texts as texts
from kylink_cli.rules.alerts import NewAlert
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import AlertLevel, AlertType

_SHOWN_LENGTH = 100


@dataclass(frozen=True, slots=True)
class UnitFailure:
    """What systemd says of a failed unit (systemd.exec(5), `$MONITOR_…`).

    Attributes:
        unit: its name.
        scope: the job that it starts, else the unit's name.
        result: why it failed, as `exit-code`, `timeout` or `signal`; empty if nobody said.
        status: its exit code or signal; empty if nobody said.
    """

    unit: str
    scope: str
    result: str = ""
    status: str = ""


def unit_failed(failure: UnitFailure) -> NewAlert:
    """The alert for a unit that failed."""
    unit, result, status = (one_line(text, _SHOWN_LENGTH) for text in (failure.unit, failure.result, failure.status))
    title = texts.unit_failed(unit, " ".join(part for part in (result, status) if part))
    return NewAlert(
        type=AlertType.SYSTEM_HEALTH,
        level=AlertLevel.ERROR,
        fingerprint=fingerprint(failure.scope),
        title=title,
        message=f"{title}\n{texts.unit_failed_advice(unit)}",
        details={"unit": unit, "result": result, "status": status},
    )


def fingerprint(scope: str) -> str:
    """The condition's fingerprint: it is over when the job ends well, started by its timer.

    Args:
        scope: the job's name, or the unit's if it starts none.
    """
    return f"{AlertType.SYSTEM_HEALTH}:unit_failed:{one_line(scope, _SHOWN_LENGTH)}"
