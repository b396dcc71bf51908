"""Alerts by mail, through a real mail server; hostile texts in it."""

import email.policy
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from kylink_cli.notify.base import ChannelError
from kylink_cli.notify.registry import build_channels
from kylink_cli.rules.channel_urls import parse_channel_urls
from kylink_cli.rules.notices import probe
from kylink_cli.store.engine.database import Database
from kylink_cli.store.tables import Campaign
from tests.support.alerts import START, Checks
from tests.support.ports import free_port

HOSTILE = "<script>alert(1)</script>[bold]x[/nope]\x1b[31m\r\nBcc: victim@example.com\n<0>" + "A" * 5_000


class Mailbox:
    """Keeps what a mail server takes."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  (as aiosmtpd names it)
        mail = message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def url(mailbox: Mailbox) -> Iterator[str]:
    """The address of a mail server on loopback."""
    port = free_port()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    yield f"mailto://127.0.0.1:{port}?mode=insecure&from=kylink@example.com&to=ops@example.com"
    server.stop()


@pytest.fixture
def checks(database: Database, tmp_path: Path, url: str) -> Checks:
    return Checks(database, tmp_path, build_channels(parse_channel_urls(url)))


def add(database: Database, campaign_id: str, name: str) -> None:
    with database.writing() as session:
        session.add(Campaign(id=campaign_id, user_id="u1", name=name, created_at=START.replace(year=2025)))


def test_a_condition_that_lasts_six_checks_is_one_mail_one_repeat_and_one_end(checks: Checks, mailbox: Mailbox) -> None:
    add(checks.database, "c1", "One")
    for _ in range(6):
        checks.check()
    checks.fill("c1")
    for _ in range(3):
        checks.check()
    assert mailbox.subjects == [
        "[kylink] WARNING: 1 campaign is low on stock (1 empty)",
        "[kylink] WARNING: still: 1 campaign is low on stock (1 empty) (seen 4 times)",
        "[kylink] WARNING: resolved: 1 campaign is low on stock (1 empty)",
    ]


def test_a_hostile_name_is_harmless_in_a_mail(checks: Checks, mailbox: Mailbox) -> None:
    add(checks.database, "c1", HOSTILE)
    assert checks.check().delivered.sent == 1
    [mail] = mailbox.mails
    assert mail["Bcc"] is None
    assert mail["To"] == "ops@example.com"
    for part in mail.walk():
        if part.get_content_maintype() != "text":
            continue
        text = part.get_content()
        assert "\x1b" not in text
        assert "A" * 100 not in text
        assert ("<script>" in text) == (part.get_content_subtype() == "plain")


def test_a_server_that_is_not_there_is_a_failure_without_secrets() -> None:
    [channel] = build_channels(parse_channel_urls("mailto://someuser:s3cret-pass@127.0.0.1:9?mode=insecure&to=x@y.zz"))
    with pytest.raises(ChannelError) as raised:
        channel.send(probe("key"))
    assert str(raised.value)
    assert not any(secret in str(raised.value) for secret in ("s3cret", "someuser"))


def test_an_address_of_an_unknown_kind_is_a_failure_without_secrets() -> None:
    [channel] = build_channels(parse_channel_urls("nosuchkind://s3cret-token/x"))
    with pytest.raises(ChannelError, match="does not know") as raised:
        channel.send(probe("key"))
    assert "s3cret" not in str(raised.value)
