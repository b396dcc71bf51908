"""DingTalk, Feishu, Lark and WeCom: they answer 200 whatever happens, and say in the body whether a message arrived.

    dingtalk://[SECRET@]TOKEN       feishu://[SECRET@]TOKEN       lark://[SECRET@]TOKEN       wecombot://KEY

SECRET is that of the robot's "signature" protection. A new service of this kind is one more entry of `SERVICES`.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from kylink_cli.language import tr
from kylink_cli.notify.base import ChannelError
from kylink_cli.notify.http import json_bytes, post_json
from kylink_cli.rules.notices import Message
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import AlertLevel

_REASON_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot of a chat room."""

    token: str  # names the room; as good as a key
    secret: str | None  # signs what is sent; None for no signature
    moment: datetime  # when a message is sent


# The address to post to, after the service's own, and the body.
Request = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Service:
    """How one chat service wants its messages."""

    url: str
    request: Callable[[Robot, str], Request]
    code: str  # the name of the number in the answer that is 0 for success
    text_bytes: int  # the longest text that it takes


def _dingtalk(robot: Robot, text: str) -> Request:
    parameters = {"access_token": robot.token}
    if robot.secret is not None:
        timestamp = str(round(robot.moment.timestamp() * 1000))
        to_sign = f"{timestamp}\n{robot.secret}"
        parameters |= {"timestamp": timestamp, "sign": _digest(robot.secret, to_sign)}
    return f"?{urlencode(parameters)}", {"msgtype": "text", "text": {"content": text}}


def _feishu(robot: Robot, text: str) -> Request:
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
    if robot.secret is not None:
        timestamp = str(int(robot.moment.timestamp()))
        # What is to be signed is the key here, and the text is empty: so says the service.
        body |= {"timestamp": timestamp, "sign": _digest(f"{timestamp}\n{robot.secret}", "")}
    return f"/{quote(robot.token, safe='')}", body


def _wecom(robot: Robot, text: str) -> Request:
    return f"?{urlencode({'key': robot.token})}", {"msgtype": "text", "text": {"content": text}}


def _digest(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


SERVICES: Mapping[str, Service] = {
    "dingtalk": Service("https://oapi.dingtalk.com/robot/send", _dingtalk, "errcode", 16_000),
    "feishu": Service("https://open.feishu.cn/open-apis/bot/v2/hook", _feishu, "code", 16_000),
    "lark": Service("https://open.larksuite.com/open-apis/bot/v2/hook", _feishu, "code", 16_000),
    "wecombot": Service("https://qyapi.weixin.qq.com/cgi-bin/webhook/send", _wecom, "errcode", 2_048),
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ChatRoom:
    """Posts messages to a robot of a chat room."""

    name: str
    service: Service
    url: str  # as the operator wrote it
    lowest: AlertLevel = AlertLevel.INFO
    clock: Callable[[], datetime] = _utc_now  # when a message is sent, which is signed

    def check(self) -> None:
        """See whether the address names a robot.

        Raises:
            ChannelError: it does not.
        """
        if not _robot(self.url, self.clock()).token:
            raise ChannelError(tr("the address holds no token"))

    def send(self, message: Message) -> None:
        """Post a message.

        Raises:
            ChannelError: it did not arrive, or the answer does not say that it did.
        """
        text = _cut(f"{message.title}\n{message.body}", self.service.text_bytes)
        path, body = self.service.request(_robot(self.url, self.clock()), text)
        _judge(post_json(self.service.url + path, json_bytes(body)), self.service.code)


def _robot(url: str, moment: datetime) -> Robot:
    # Not `hostname`, which is in lower case: a token is not.
    secret, _, token = urlsplit(url).netloc.rpartition("@")
    return Robot(unquote(token), unquote(secret.removesuffix(":")) or None, moment)


def _judge(answer: bytes, code: str) -> None:
    """Refuse an answer whose body does not say that the message arrived.

    Raises:
        ChannelError: it does not; with the service's own words.
    """
    try:
        body = json.loads(answer)
        number = body[code]
    except (ValueError, TypeError, KeyError):
        raise ChannelError(tr("the answer can't be understood")) from None
    if number != 0:
        said = body.get("errmsg") or body.get("msg") or ""
        raise ChannelError(f"refused with {code} {one_line(f'{number}: {said}', _REASON_LENGTH)}")


def _cut(text: str, most_bytes: int) -> str:
    """As much of a text as a service takes, without a character in pieces."""
    raw = text.encode()
    if len(raw) <= most_bytes:
        return text
    return raw[: most_bytes - 3].decode(errors="ignore") + "…"
