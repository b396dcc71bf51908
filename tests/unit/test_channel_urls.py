"""How the addresses of channels are read, and which channel each becomes."""

import pytest

from kylink_cli.notify.registry import build_channels
from kylink_cli.rules.channel_urls import ChannelUrl, parse_channel_urls
from kylink_cli.rules.vocabulary import AlertLevel


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("slack://a/b/c", [("slack://a/b/c", "INFO")]),
        ("slack://a/b/c  mailto://h?to=x@y", [("slack://a/b/c", "INFO"), ("mailto://h?to=x@y", "INFO")]),
        ("slack://a/b/c,mailto://h", [("slack://a/b/c", "INFO"), ("mailto://h", "INFO")]),
        ("mailto://h?to=a@x,b@x", [("mailto://h?to=a@x,b@x", "INFO")]),
        ("slack://a/b/c?min_level=ERROR", [("slack://a/b/c", "ERROR")]),
        ("mailto://h?to=x&min_level=warning&from=y", [("mailto://h?to=x&from=y", "WARNING")]),
        ("https://h/p?token=a%2Fb&min_level=ERROR#f", [("https://h/p?token=a%2Fb#f", "ERROR")]),
    ],
)
def test_addresses_are_separated_by_blanks_or_commas_and_name_their_lowest_level(
    text: str, found: list[tuple[str, str]]
) -> None:
    assert [(address.url, address.lowest) for address in parse_channel_urls(text)] == found


def test_an_address_that_names_no_level_has_the_general_one() -> None:
    addresses = parse_channel_urls("a://1 b://2?min_level=INFO", AlertLevel.ERROR)
    assert [address.lowest for address in addresses] == ["ERROR", "INFO"]


@pytest.mark.parametrize("text", ["slack://a s3cret", "s3cret", "slack://a?min_level=s3cret"])
def test_a_bad_address_is_told_by_its_place_alone(text: str) -> None:
    with pytest.raises(ValueError, match=r"address [12]") as raised:
        parse_channel_urls(text)
    assert "s3cret" not in str(raised.value)


def test_channels_are_named_by_kind_and_number_and_not_by_their_secrets() -> None:
    addresses = [
        ChannelUrl(f"{scheme}://s3cret", AlertLevel.INFO) for scheme in ("slack", "feishu", "slack", "mailtos")
    ]
    assert [channel.name for channel in build_channels(addresses)] == ["slack", "feishu", "slack-2", "mailtos"]
