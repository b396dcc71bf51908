"""The vocabularies: whoever adds a word learns here which place has not heard of it."""

import ast
from pathlib import Path

import pytest

from kylink_cli.console.words import AREAS, STATES
from kylink_cli.notify import apprise
from kylink_cli.notify.registry import CHANNELS
from kylink_cli.report import alerts, jobs, supply
from kylink_cli.rules import vocabulary
from kylink_cli.rules.acts import act_words
from kylink_cli.rules.vocabulary import (
    Act,
    AlertLevel,
    AlertState,
    AlertType,
    CampaignStatus,
    ItemState,
    JobState,
    LeaseState,
    RequestState,
    ResultStatus,
    RunStatus,
    Trigger,
    WatermarkSource,
)
from kylink_cli.wiring import SUPPLIERS

ROOT = Path(vocabulary.__file__).parents[2]
# Shown alone in a cell, in the reader's language; types are the same in every language.
TRANSLATED = (
    CampaignStatus,
    ItemState,
    LeaseState,
    RequestState,
    RunStatus,
    JobState,
    ResultStatus,
    Trigger,
    AlertState,
    AlertLevel,
    WatermarkSource,
)
RULES = "\n".join(
    path.read_text(encoding="utf-8")
    for path in (ROOT / "kylink_cli" / "rules").glob("*.py")
    if path.stem != "vocabulary"
)


@pytest.mark.parametrize("word", [word for words in TRANSLATED for word in words])
def test_every_state_has_a_style_and_a_translation(word: str) -> None:
    assert word in STATES


def test_every_area_of_doctor_is_translated() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "kylink_cli").rglob("*.py")]
    trees = [ast.parse(text) for text in texts if "Finding(" in text]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    findings = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Finding"]
    areas = {call.args[0].value for call in findings if isinstance(call.args[0], ast.Constant)}
    assert areas
    assert areas <= set(AREAS)


@pytest.mark.parametrize("kind", AlertType)
def test_every_alert_type_is_raised_by_a_rule_and_explained(kind: AlertType) -> None:
    assert f"AlertType.{kind.name}" in RULES
    assert f"`{kind}`" in (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")


def test_every_kind_that_can_be_named_in_a_setting_is_explained() -> None:
    alerts_page, supply_page = (
        (ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("alerts.md", "supply-service.md")
    )
    assert [kind for kind in CHANNELS if f"`{kind}://" not in alerts_page] == []
    assert [kind for kind in SUPPLIERS if f"{kind}:" not in supply_page] == []


def test_the_report_and_the_channels_know_every_word() -> None:
    assert set(jobs._STATUS_COLORS) == set(RunStatus)
    assert set(supply._STATE_COLORS) == set(RequestState) - {RequestState.OPEN}
    assert set(alerts._LEVEL_COLORS) == set(AlertLevel) == set(apprise._TYPES)


def test_every_act_can_be_told() -> None:
    assert all(act_words(act) != act for act in Act)
    assert act_words("of_a_later_version") == "of_a_later_version"
