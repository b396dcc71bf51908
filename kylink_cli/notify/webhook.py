"""A JSON webhook, signed so that the receiver knows who sent a message, and when (docs/alerts.md)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from kylink_cli.notify.http import json_bytes, post_json
from kylink_cli.rules.notices import Message
from kylink_cli.rules.vocabulary import AlertLevel

# As the Standard Webhooks say (standardwebhooks.com): their libraries verify it, and the id is under the signature.
ID, SENT_AT, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_BASE64_FOLLOWS = "whsec_"
# kylink's own from before, which some receivers check.
KEY_HEADER = "X-Kylink-Notification"
TIMESTAMP_HEADER = "X-Kylink-Timestamp"
SIGNATURE_HEADER = "X-Kylink-Signature"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The signature of a message: HMAC-SHA256 over the timestamp, a dot and the body, in hexadecimal."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def standard_signature(secret: str, key: str, timestamp: str, body: bytes) -> str:
    """The signature of a message as the Standard Webhooks want it.

    Args:
        secret: `whsec_` and a key in base64, or any other text, which is the key itself.
    """
    signed = f"{key}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()}"


def _key(secret: str) -> bytes:
    try:
        encoded = secret.removeprefix(_BASE64_FOLLOWS)
        return secret.encode() if encoded == secret else base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return secret.encode()


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts messages as JSON."""

    url: str
    secret: str | None  # signs messages; None for no signature
    lowest: AlertLevel = AlertLevel.INFO
    clock: Callable[[], datetime] = _utc_now  # when a message is sent, so that a receiver can refuse old ones
    name: str = "webhook"

    def check(self) -> None:
        """Any web address is one; the settings hold no other."""

    def send(self, message: Message) -> None:
        """Post a message.

        Raises:
            ChannelError: it did not arrive.
        """
        body = json_bytes(message.document)
        timestamp = str(int(self.clock().timestamp()))
        headers = {ID: message.key, SENT_AT: timestamp, KEY_HEADER: message.key, TIMESTAMP_HEADER: timestamp}
        if self.secret is not None:
            headers[SIGNATURE] = standard_signature(self.secret, message.key, timestamp, body)
            headers[SIGNATURE_HEADER] = f"sha256={signature(self.secret, timestamp, body)}"
        post_json(self.url, body, headers)
