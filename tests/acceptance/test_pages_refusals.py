"""What is refused before a request meets its page: a page to people, a problem document to programs."""

from pathlib import Path

import pytest

from tests.support.face import Face, installed, problem, serving
from tests.support.postgres import PostgresServer
from tests.support.visitors import logged_in, stranger, token
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9", "Accept-Language": "en"}


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/no-such-page", 401), ("GET", "/jobs/x/y/z", 404), ("PUT", "/jobs", 405)]
)
def test_a_browser_is_shown_a_page_and_a_program_a_problem(face: Face, method: str, path: str, status: int) -> None:
    with stranger(face) as client:
        shown = client.request(method, path, headers=BROWSER)
        assert (shown.status_code, shown.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "<h1>That is refused</h1>" in shown.text
        assert problem(client.request(method, path))["status"] == status


def test_what_is_asked_of_the_api_is_refused_as_a_problem_to_browsers_too(face: Face) -> None:
    with stranger(face) as client:
        assert problem(client.get("/api/v1/jobs", headers=BROWSER))["code"] == "UNAUTHORIZED"


def test_a_form_that_is_too_large_is_refused_by_a_page_in_the_reader_s_language(face: Face) -> None:
    with stranger(face) as client:
        sent = {"key": "x" * 1_100_000}
        shown = client.post("/login", data=sent, headers=BROWSER)
        assert (shown.status_code, "the body is larger than" in shown.text) == (413, True)
        assert "请求被拒绝" in client.post("/login", data=sent, headers=BROWSER | {"Accept-Language": "zh"}).text
        assert problem(client.post("/login", data=sent))["code"] == "TOO_LARGE"


def test_who_asks_too_often_is_told_by_a_page(tmp_path: Path, postgres: PostgresServer) -> None:
    with (
        installed("sqlite", tmp_path, postgres) as host,
        serving(host, SERVE_REQUESTS_PER_SECOND="1") as face,
        logged_in(face, **BROWSER) as client,
    ):
        answers = [client.get("/alerts")]

        def is_refused() -> bool:
            answers.append(client.get("/alerts"))
            return answers[-1].status_code == 429

        wait_until(is_refused, "the refusal")
        refused = answers[-1]
        assert "too many requests" in refused.text
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["content-type"].startswith("text/html")
        assert refused.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_refusal_of_a_form_is_a_page(face: Face) -> None:
    with logged_in(face, face.key("--user", "u1", "--can", "read,operate"), **BROWSER) as client:
        answer = client.post("/jobs/replenish/pause", data={"token": token(client)})
        assert (answer.status_code, "one user" in answer.text) == (403, True)
