"""Where a heartbeat goes: a failed run must never reach an address that says all is well."""

import pytest

from kylink_cli.rules.heartbeats import heartbeat_url

PUSH = "https://status.example/api/push/TOKEN?status=up&msg=OK&ping="


@pytest.mark.parametrize(
    ("url", "start", "success", "fail"),
    [
        ("https://hc.example/u", "https://hc.example/u/start", "https://hc.example/u", "https://hc.example/u/fail"),
        ("https://hc.example/u/", "https://hc.example/u/start", "https://hc.example/u", "https://hc.example/u/fail"),
        ("https://hc.example", "https://hc.example/start", "https://hc.example", "https://hc.example/fail"),
        (
            PUSH,
            "https://status.example/api/push/TOKEN/start?status=up&msg=OK&ping=",
            PUSH,
            "https://status.example/api/push/TOKEN/fail?status=up&msg=OK&ping=",
        ),
        (
            "https://cron.example/p/KEY?state={state}&message={message}",
            "https://cron.example/p/KEY?state=start&message=5%20of%206%20%26%20more",
            "https://cron.example/p/KEY?state=success&message=5%20of%206%20%26%20more",
            "https://cron.example/p/KEY?state=fail&message=5%20of%206%20%26%20more",
        ),
        (
            "https://x.example/{state}/k",
            "https://x.example/start/k",
            "https://x.example/success/k",
            "https://x.example/fail/k",
        ),
        (
            "https://x.example/k?m={message}",
            "https://x.example/k/start?m=5%20of%206%20%26%20more",
            "https://x.example/k?m=5%20of%206%20%26%20more",
            "https://x.example/k/fail?m=5%20of%206%20%26%20more",
        ),
    ],
)
def test_the_path_is_extended_and_never_the_query(url: str, start: str, success: str, fail: str) -> None:
    message = "5 of 6 & more"
    assert heartbeat_url(url, "start", message) == start
    assert heartbeat_url(url, "success", message) == success
    assert heartbeat_url(url, "fail", message) == fail
