"""Failures by their reason, the most frequent first."""

from kylink_cli.rules.error_groups import Failing, grouped

KEYS = ("0b2cfd2e-6c26-4a9e-9d0c-0a1b2c3d4e5f", "1b2cfd2e-6c26-4a9e-9d0c-0a1b2c3d4e5f")


def test_campaigns_with_one_reason_are_one_group_and_the_largest_comes_first() -> None:
    down = [Failing(str(number), "", "down") for number in range(17)]
    groups = grouped([Failing("a", "", "refused (402)"), *down, Failing("b", "", "refused (404)")])
    assert [(len(group.campaigns), group.error) for group in groups] == [
        (17, "down"),
        (1, "refused (402)"),
        (1, "refused (404)"),
    ]
    assert list(groups[0].campaigns) == down


def test_the_campaign_and_the_key_that_an_error_names_are_no_part_of_the_reason() -> None:
    found = [Failing(name, "", f"campaign {name}: no answer to {key}") for name, key in zip("xy", KEYS, strict=True)]
    [group] = grouped(found)
    assert group.error == f"campaign x: no answer to {KEYS[0]}"


def test_an_id_within_a_number_is_not_the_campaign() -> None:
    assert len(grouped([Failing("4", "", "status 404"), Failing("5", "", "status 405")])) == 2
