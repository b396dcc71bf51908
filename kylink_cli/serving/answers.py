"""Answers that are documents."""

import json
from typing import Any, Final

from starlette.responses import Response

from kylink_cli.rules.moments import json_value
from kylink_cli.serving.problems import ProblemDocument

# What is declared of every endpoint.
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": description,
        "content": {"application/problem+json": {}},
        "model": ProblemDocument,
    }
    for status, description in {
        400: "The request is refused.",
        401: "No key was shown, or an unknown one.",
        403: "The key can't do that.",
        404: "There is no such thing for this key.",
        408: "The request came too slowly.",
        409: "Something is under way, or over.",
        413: "The body is too large.",
        415: "The body is no JSON.",
        422: "The request is not of the right form.",
        429: "Too many requests: Retry-After says when to go on.",
        500: "Nobody foresaw this: the log says more.",
        502: "The supply service refuses.",
        503: "The server or its database is busy or away: try again.",
    }.items()
}

# The largest number that a database keeps.
LARGEST_ID: Final = 2**63 - 1


class Reply(Response):
    """A document as JSON, in the form that the command line prints."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The body."""
        return json.dumps(content, ensure_ascii=False, default=json_value).encode()
