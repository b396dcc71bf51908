"""What consumers are told, as a table."""

from datetime import UTC, datetime, timedelta

import pytest

from kylink_cli.rules.leases import Act, TokenState, answer, is_live, is_overdue, new_token

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("act", "found", "ok", "state", "message"),
    [
        ("confirm", "active", True, "confirmed", "confirmed: the item is consumed"),
        ("confirm", "confirmed", True, "confirmed", "was confirmed already, nothing was changed"),
        ("confirm", "released", False, "released", "can't confirm: it was released"),
        (
            "confirm",
            "expired",
            False,
            "expired",
            "can't confirm: it expired and was recovered, others may have its item",
        ),
        ("confirm", "unknown", False, "unknown", "can't confirm: no lease has this token"),
        ("release", "active", True, "released", "released"),
        ("release", "released", True, "released", "was released already, nothing was changed"),
        ("release", "confirmed", False, "confirmed", "can't release: it was confirmed, its item is consumed"),
        (
            "release",
            "expired",
            False,
            "expired",
            "can't release: it expired and was recovered, others may have its item",
        ),
        ("release", "unknown", False, "unknown", "can't release: no lease has this token"),
        ("extend", "active", True, "active", "extended"),
        ("extend", "confirmed", False, "confirmed", "can't extend: it was confirmed, its item is consumed"),
        ("extend", "released", False, "released", "can't extend: it was released"),
        (
            "extend",
            "expired",
            False,
            "expired",
            "can't extend: it expired and was recovered, others may have its item",
        ),
        ("extend", "unknown", False, "unknown", "can't extend: no lease has this token"),
    ],
)
def test_every_act_on_every_state_has_its_answer(
    act: Act, found: TokenState, ok: bool, state: str, message: str
) -> None:
    given = answer(act, found)
    assert (given.ok, given.state, given.message) == (ok, state, message)


@pytest.mark.parametrize(
    ("state", "seconds", "overdue"), [("active", 0, True), ("active", 1, False), ("expired", -9, False)]
)
def test_only_an_active_lease_can_be_overdue(state: str, seconds: int, overdue: bool) -> None:
    assert is_overdue(state, NOW + timedelta(seconds=seconds), NOW) is overdue


def test_an_item_is_its_holder_s_while_held_and_when_consumed() -> None:
    assert [is_live(state) for state in ("active", "confirmed", "released", "expired")] == [True, True, False, False]


def test_a_token_cannot_be_guessed_and_is_no_option_of_a_command_line() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(len(token) >= 32 and token.startswith("kl_") for token in tokens)
