"""DingTalk, Feishu, Lark and WeCom as they are spoken to over real HTTP, and judged by the code in their answers."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from kylink_cli.notify.base import ChannelError
from kylink_cli.notify.chat import SERVICES, ChatRoom
from kylink_cli.rules.notices import Message
from kylink_cli.rules.vocabulary import AlertLevel
from tests.support.web import Received, Receiver, receiving

NOW = datetime(2026, 2, 6, 8, 0, tzinfo=UTC)
MESSAGE = Message("key", "a title", "a text with 补货", AlertLevel.ERROR)
TAKEN = {"dingtalk": b'{"errcode":0,"errmsg":"ok"}', "wecombot": b'{"errcode":0,"errmsg":"ok"}'}
REFUSED = {
    "dingtalk": b'{"errcode":310000,"errmsg":"sign not match"}',
    "feishu": b'{"code":19021,"msg":"sign match fail"}',
    "lark": b'{"code":9499,"msg":"Bad Request"}',
    "wecombot": b'{"errcode":93000,"errmsg":"invalid webhook url"}',
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


def send(receiver: Receiver, scheme: str, login: str = "ToKen-1", message: Message = MESSAGE) -> Received:
    service = replace(SERVICES[scheme], url=receiver.url)
    ChatRoom(scheme, service, f"{scheme}://{login}", clock=lambda: NOW).send(message)
    return receiver.requests[-1]


def digest(key: str, text: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), hashlib.sha256)).decode()


@pytest.mark.parametrize("scheme", SERVICES)
def test_a_message_is_taken_only_if_the_body_says_so(receiver: Receiver, scheme: str) -> None:
    receiver.answer = TAKEN.get(scheme, b'{"code":0,"msg":"success","data":{}}')
    assert "补货" in send(receiver, scheme).body.decode()
    receiver.answer = REFUSED[scheme]
    reason = next(iter(json.loads(REFUSED[scheme]).values()))
    with pytest.raises(ChannelError, match=f"{reason}: "):
        send(receiver, scheme)


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b"{}", b'"ok"', b"\xff"])
@pytest.mark.parametrize("scheme", SERVICES)
def test_an_answer_that_says_nothing_is_no_success(receiver: Receiver, scheme: str, answer: bytes) -> None:
    receiver.answer = answer
    with pytest.raises(ChannelError, match="can't be understood"):
        send(receiver, scheme)


def test_an_error_status_is_no_success_and_the_token_stays_secret(receiver: Receiver) -> None:
    receiver.status = 500
    with pytest.raises(ChannelError) as raised:
        send(receiver, "feishu", "s3cret-token")
    assert str(raised.value) == "HTTP 500"


def test_hostile_words_of_a_service_are_one_clean_line(receiver: Receiver) -> None:
    receiver.answer = json.dumps({"errcode": 1, "errmsg": "a\x1b[31m\nb" + "x" * 5_000}).encode()
    with pytest.raises(ChannelError) as raised:
        send(receiver, "dingtalk")
    assert str(raised.value).startswith("refused with errcode 1: a [31m b")
    assert len(str(raised.value)) < 200


def test_dingtalk_is_signed_in_the_address(receiver: Receiver) -> None:
    receiver.answer = TAKEN["dingtalk"]
    parameters = parse_qs(urlsplit(send(receiver, "dingtalk", "SECabc@ToKen-1").path).query)
    stamp = str(int(NOW.timestamp() * 1000))
    assert parameters == {
        "access_token": ["ToKen-1"],
        "timestamp": [stamp],
        "sign": [digest("SECabc", f"{stamp}\nSECabc")],
    }


@pytest.mark.parametrize("scheme", ["feishu", "lark"])
def test_feishu_and_lark_are_signed_in_the_body(receiver: Receiver, scheme: str) -> None:
    receiver.answer = b'{"code":0}'
    request = send(receiver, scheme, "SECabc@ToKen-1")
    stamp = str(int(NOW.timestamp()))
    assert request.path == "/ToKen-1"
    assert request.json() == {
        "timestamp": stamp,
        "sign": digest(f"{stamp}\nSECabc", ""),
        "msg_type": "text",
        "content": {"text": "a title\na text with 补货"},
    }


def test_wecom_gets_what_its_2048_bytes_hold(receiver: Receiver) -> None:
    receiver.answer = TAKEN["wecombot"]
    request = send(receiver, "wecombot", message=replace(MESSAGE, body="货" * 3_000))
    assert request.path == "/?key=ToKen-1"
    content = request.json()["text"]["content"]
    assert 2_040 <= len(content.encode()) <= 2_048
    assert content.endswith("货…")
