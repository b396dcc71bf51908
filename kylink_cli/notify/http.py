"""Posting JSON to a service, as webhooks and chat services take it; what goes wrong is told without the address."""

import json
from collections.abc import Mapping
from typing import Any

from kylink_cli.language import tr
from kylink_cli.notify.base import ChannelError
from kylink_cli.reasons import connection_reason

# Each step of a call; whoever sends a message bounds the whole.
STEP_SECONDS = 10
_ANSWER_BYTES = 65_536


def post_json(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Post a JSON document.

    Args:
        url: where to; it may hold secrets.
        headers: what else is sent.

    Returns:
        The beginning of the answer's body.

    Raises:
        ChannelError: there was no answer, or none that says success.
    """
    import httpx

    # A compressed answer could be small on the wire and huge in memory.
    always = {"Content-Type": "application/json", "User-Agent": "kylink", "Accept-Encoding": "identity"}
    sent = always | dict(headers or {})
    try:
        with (
            httpx.Client(timeout=STEP_SECONDS, trust_env=False, follow_redirects=False) as client,
            client.stream("POST", url, content=body, headers=sent) as response,
        ):
            if not response.is_success:
                raise ChannelError(f"HTTP {response.status_code}")
            return _beginning(response.iter_raw())
    except httpx.TimeoutException:
        raise ChannelError(tr("no answer in time")) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ChannelError(
            tr("can't be reached: {name}", name=connection_reason(error) or tr("it ended the call without an answer"))
        ) from None


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """A document as JSON in UTF-8."""
    return json.dumps(document, ensure_ascii=False).encode()


def _beginning(chunks: Any) -> bytes:
    """As much of an answer as anybody needs, however long it goes on."""
    found = b""
    for chunk in chunks:
        found += chunk
        if len(found) >= _ANSWER_BYTES:
            break
    return found


def post_text(url: str, text: str, timeout_seconds: float) -> None:
    """Post a text; only the status of the answer counts, so that a body without end is not read.

    Raises:
        Exception: whatever httpx raises when it could not be sent, or was refused; its text may hold the URL.
    """
    import httpx

    with (
        httpx.Client(timeout=timeout_seconds) as client,
        client.stream("POST", url, content=text.encode()) as response,
    ):
        response.raise_for_status()
