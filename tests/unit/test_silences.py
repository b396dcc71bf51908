"""Which alerts a silence keeps quiet, and until when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from kylink_cli.rules.alerts import Concern
from kylink_cli.rules.silences import Silence, silenced_until

NOW = datetime(2026, 2, 6, 8, 0, tzinfo=UTC)
SOON, LATER = NOW + timedelta(hours=1), NOW + timedelta(hours=9)
A1, A2, B3 = Concern("1", "a"), Concern("2", "a"), Concern("3", "b")


@pytest.mark.parametrize(
    ("silences", "concerns", "until"),
    [
        ([], [A1], None),
        ([Silence(SOON, type="LOW_STOCK")], [A1, B3], SOON),
        ([Silence(SOON, type="LOW_STOCK")], [], SOON),
        ([Silence(SOON, type="LEASE_TIMEOUT")], [A1], None),
        ([Silence(SOON, user_id="a")], [A1, A2], SOON),
        ([Silence(SOON, user_id="a")], [A1, B3], None),
        ([Silence(SOON, user_id="a"), Silence(LATER, campaign_id="3")], [A1, B3], SOON),
        ([Silence(SOON, campaign_id="1"), Silence(LATER, user_id="a")], [A1], LATER),
        ([Silence(SOON, user_id="a", type="LOW_STOCK")], [A1], SOON),
        ([Silence(SOON, user_id="a", type="LEASE_TIMEOUT")], [A1], None),
        ([Silence(SOON, user_id="b", campaign_id="1")], [A1], None),
        ([Silence(SOON, user_id="a")], [], None),
        ([Silence(NOW, type="LOW_STOCK")], [A1], None),
        ([Silence(SOON, type="LEASE_TIMEOUT", campaign_id="1")], [A1], None),
        ([Silence(SOON, type="LOW_STOCK"), Silence(LATER, type="LEASE_TIMEOUT")], [A1], SOON),
        ([Silence(SOON, type="LEASE_TIMEOUT")], [], None),
    ],
)
def test_an_alert_is_silenced_while_every_campaign_it_is_about_is_covered(
    silences: Sequence[Silence], concerns: Sequence[Concern], until: datetime | None
) -> None:
    assert silenced_until("LOW_STOCK", concerns, silences, NOW) == until
