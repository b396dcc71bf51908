"""People who look at the pages of a `kylink serve`, as a browser without JavaScript sends their requests."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.support.face import Face
from tests.support.waiting import PATIENCE_SECONDS


def stranger(face: Face, **headers: str) -> httpx.Client:
    """A browser that nobody has logged in with; the caller closes it."""
    return httpx.Client(
        base_url=face.url, headers={"Sec-Fetch-Site": "same-origin", **headers}, timeout=PATIENCE_SECONDS
    )


@contextmanager
def logged_in(face: Face, key: str | None = None, **headers: str) -> Iterator[httpx.Client]:
    """Somebody who has logged in with a key: everybody's, unless another is given."""
    with stranger(face, **headers) as client:
        answer = client.post("/login", data={"key": key or face.everybodys_key})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        yield client


def token(client: httpx.Client) -> str:
    """What the forms of this session's pages send along."""
    found = re.search(r'name="token" value="([^"]+)"', client.get("/jobs").text)
    assert found is not None
    return found[1]
