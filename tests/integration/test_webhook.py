"""The webhook's signature, verified by the receiver that the docs print."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kylink_cli.notify.base import ChannelError
from kylink_cli.notify.http import post_json
from kylink_cli.notify.webhook import Webhook, signature
from kylink_cli.rules.notices import Message
from kylink_cli.rules.vocabulary import AlertLevel
from tests.support.ports import free_port
from tests.support.web import receiving

DOCS = Path(__file__).parents[2] / "docs" / "alerts.md"
SECRET = "s3cret Ω"
MESSAGE = Message("a-key", "title", "body", AlertLevel.ERROR, {"id": "a-key", "text": "补货"})


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The receiver of the docs, started as the docs say."""
    [code] = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert len(code.splitlines()) == 10
    script = tmp_path_factory.mktemp("receiver") / "receiver.py"
    script.write_text(code, encoding="utf-8")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(script), str(port)], env={"SECRET": SECRET}, stderr=subprocess.DEVNULL
    )
    while not _answers(port):
        assert process.poll() is None
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        time.sleep(0.02)
        return False
    return True


def test_what_kylink_signs_is_taken(url: str) -> None:
    Webhook(url, SECRET).send(MESSAGE)


@pytest.mark.parametrize("secret", ["another", None])
def test_what_somebody_else_signs_is_refused(url: str, secret: str | None) -> None:
    with pytest.raises(ChannelError, match="HTTP 403"):
        Webhook(url, secret).send(MESSAGE)


def test_a_body_that_was_changed_is_refused(url: str) -> None:
    stamp = str(int(time.time()))
    headers = {"X-Kylink-Timestamp": stamp, "X-Kylink-Signature": f"sha256={signature(SECRET, stamp, b'{}')}"}
    post_json(url, b"{}", headers)
    with pytest.raises(ChannelError, match="HTTP 403"):
        post_json(url, b"[]", headers)


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
