"""The webhook's signature, verified by the receiver that the docs print."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kylink_cli.notify.base import ChannelError
from kylink_cli.notify.http import post_json
from kylink_cli.notify.webhook import Webhook, signature, standard_signature
from kylink_cli.rules.notices import Message
from kylink_cli.rules.vocabulary import AlertLevel
from tests.support.ports import free_port
from tests.support.web import receiving

DOCS = Path(__file__).parents[2] / "docs" / "alerts.md"
SECRET = "s3cret Ω"
MESSAGE = Message("a-key", "title", "body", AlertLevel.ERROR, {"id": "a-key", "text": "补货"})


@dataclass(frozen=True)
class Documented:
    """The receiver of the docs."""

    url: str
    log: Path

    @property
    def taken(self) -> list[str]:
        """What it has taken, in order."""
        return self.log.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documented]:
    """The receiver of the docs, started as the docs say."""
    [code] = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    script = tmp_path_factory.mktemp("receiver") / "receiver.py"
    script.write_text(code, encoding="utf-8")
    port = free_port()
    log = script.with_name("taken")
    with log.open("w") as taken:
        process = subprocess.Popen(
            [sys.executable, str(script), str(port)],
            env={"SECRET": SECRET, "PYTHONUTF8": "1"},
            stdout=taken,
            stderr=subprocess.DEVNULL,
        )
    while not _answers(port):
        assert process.poll() is None
    yield Documented(f"http://127.0.0.1:{port}", log)
    process.kill()
    process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        time.sleep(0.02)
        return False
    return True


@pytest.fixture
def url(receiver: Documented) -> str:
    return receiver.url


def test_what_kylink_signs_is_taken_once(receiver: Documented) -> None:
    message = replace(MESSAGE, key="another-key", document={"id": "another-key", "text": "补货"})
    before = len(receiver.taken)
    for _ in range(2):
        Webhook(receiver.url, SECRET).send(message)
    assert receiver.taken[before:] == ['{"id": "another-key", "text": "补货"}']


def test_the_id_is_under_the_signature(url: str) -> None:
    stamp = str(int(time.time()))
    signed = standard_signature(SECRET, "id-1", stamp, b"{}")
    post_json(url, b"{}", {"webhook-id": "id-1", "webhook-timestamp": stamp, "webhook-signature": signed})
    with pytest.raises(ChannelError, match="HTTP 403"):
        post_json(url, b"{}", {"webhook-id": "id-2", "webhook-timestamp": stamp, "webhook-signature": signed})


def test_the_signature_is_that_of_the_standard() -> None:
    # The example of the Standard Webhooks' own libraries.
    signed = standard_signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "1614265330",
        b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["another", None])
def test_what_somebody_else_signs_is_refused(url: str, secret: str | None) -> None:
    with pytest.raises(ChannelError, match="HTTP 403"):
        Webhook(url, secret).send(MESSAGE)


def test_a_body_that_was_changed_is_refused(url: str) -> None:
    stamp = str(int(time.time()))
    signed = standard_signature(SECRET, "id-3", stamp, b"{}")
    with pytest.raises(ChannelError, match="HTTP 403"):
        post_json(url, b"[]", {"webhook-id": "id-3", "webhook-timestamp": stamp, "webhook-signature": signed})


def test_the_headers_of_earlier_versions_are_sent_too() -> None:
    with receiving() as receiver:
        Webhook(receiver.url, SECRET).send(MESSAGE)
    [request] = receiver.requests
    expected = signature(SECRET, request.headers["x-kylink-timestamp"], request.body)
    assert request.headers["x-kylink-signature"] == f"sha256={expected}"
    assert request.headers["x-kylink-notification"] == request.headers["webhook-id"] == "a-key"


def test_an_old_message_is_refused(url: str) -> None:
    with pytest.raises(ChannelError, match="HTTP 403"):
        Webhook(url, SECRET, clock=lambda: datetime.now(UTC) - timedelta(minutes=6)).send(MESSAGE)


def test_the_key_and_the_document_arrive() -> None:
    with receiving() as receiver:
        Webhook(f"{receiver.url}/hook?x=1", None).send(MESSAGE)
    [request] = receiver.requests
    assert (request.path, request.json()) == ("/hook?x=1", MESSAGE.document)
    assert request.headers["x-kylink-notification"] == "a-key"
    assert "x-kylink-signature" not in request.headers


@pytest.mark.parametrize("status", [302, 400, 500])
def test_anything_but_success_is_a_failure_and_redirects_are_not_followed(status: int) -> None:
    with receiving() as receiver:
        receiver.status = status
        with pytest.raises(ChannelError, match=f"HTTP {status}"):
            Webhook(receiver.url, None).send(MESSAGE)
    assert len(receiver.requests) == 1
