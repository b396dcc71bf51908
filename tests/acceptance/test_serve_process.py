"""`kylink serve` as a process: sockets, signals, TLS, its OpenAPI document, and what its page of the docs says."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.database import new_database
from tests.support.face import Face, installed, serving
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer
from tests.support.raw_server import TLS
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

DOCS = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")


@pytest.fixture
def host(tmp_path: Path, postgres: PostgresServer) -> Iterator[Installation]:
    with installed("sqlite", tmp_path, postgres) as host:
        yield host


@pytest.fixture
def face(host: Installation) -> Iterator[Face]:
    with serving(host) as face:
        yield face


def wanted(campaign: str) -> dict[str, list[dict[str, str]]]:
    return {"requests": [{"campaign_id": campaign}]}


def test_it_listens_on_a_socket_that_is_handed_over(host: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port, fd = listening.getsockname()[1], listening.fileno()
        command = f"exec 3<&{fd}; LISTEN_PID=$$ LISTEN_FDS=1 exec {sys.executable} -m kylink_cli serve"
        process = subprocess.Popen(
            ["bash", "-c", command], env=host.environment, pass_fds=[fd], stderr=subprocess.PIPE, text=True
        )
        try:
            # The connection waits in the socket until the server is there.
            assert httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=60).json() == {"status": "ready"}
        finally:
            process.terminate()
            _, log = process.communicate()
    assert f"listening on http://127.0.0.1:{port}" in log


def test_a_signal_lets_it_answer_what_is_at_work(face: Face) -> None:
    campaign = face.campaign()
    with ThreadPoolExecutor(1) as pool, face.client() as client:
        waiting = pool.submit(client.post, "/api/v1/leases", json={**wanted(campaign), "wait_seconds": 300})
        face.host.wait_for_rows("SELECT count(*) FROM waiters", [1])
        assert face.stop() == -signal.SIGTERM
        assert waiting.result().json()["results"][0]["error"]["code"] == "NO_STOCK"
    assert face.host.rows("SELECT count(*) FROM waiters") == [0]


def test_when_a_key_was_last_used_is_written_down(face: Face) -> None:
    with face.client() as client:
        client.get("/api/v1/jobs")
    face.stop()
    assert [key["last_used_at"] is not None for key in face.host.document("keys", "list")["keys"]] == [True]


def test_it_ends_when_another_database_takes_the_place_of_its_own(face: Face) -> None:
    key = face.everybodys_key
    campaign = face.campaign(1)
    face.host.let_go()
    (face.host.folder / "kylink.db").rename(face.host.folder / "old.db")
    new_database(face.host.folder).close()
    with face.client(key) as client:
        wait_until(
            lambda: face.process.poll() is not None or client.post("/api/v1/leases", json=wanted(campaign)),
            "the server to notice",
        )
    assert face.process.wait(60) == 1
    wait_until(lambda: "deleted or replaced" in face.log[-1], "the reason")


def test_it_speaks_tls_with_a_certificate(host: Installation) -> None:
    certificate, key = TLS / "valid.pem", TLS / "key.pem"
    options = ("--port", "0", "--certificate", str(certificate), "--certificate-key", str(key))
    with serving(host, *options) as face:
        assert face.url.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(certificate))
        trust.check_hostname = False
        assert httpx.get(f"{face.url}/healthz", verify=trust).json() == {"status": "ok"}


def test_the_openapi_document_says_what_the_server_does(face: Face) -> None:
    face.campaign(5)
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{face.url}/api/v1/openapi.json",
        "--header",
        f"Authorization: Bearer {face.everybodys_key}",
        "--phases=fuzzing",
        "--max-examples=8",
        "--seed=1",
        "--no-color",
        # What starts processes, and what does not end; and that text holds no control characters is no JSON schema's.
        "--exclude-path-regex=events|/run$|replenish$",
        "--exclude-checks=positive_data_acceptance",
    ]
    done = subprocess.run(command, cwd=face.host.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4_000:]


def test_an_openapi_document_names_every_call_of_the_contract(face: Face) -> None:
    paths = httpx.get(f"{face.url}/api/v1/openapi.json").json()["paths"]
    assert set(re.findall(r"`(?:GET|POST|DELETE)?(?: and `?POST`?)? ?(/api/v1/[a-z/]+)`", DOCS)) <= set(paths)
    assert {"/healthz", "/readyz", "/metrics"} <= set(paths)


def examples(language: str) -> str:
    """The example of a consumer in a language, as the docs have it."""
    found = re.search(rf"In {language}[^\n]*:\n\n((?:    [^\n]*\n|\n)+)", DOCS)
    assert found is not None
    return re.sub(r"^    ", "", found[1], flags=re.MULTILINE).strip()


def node() -> str:
    from playwright._impl._driver import compute_driver_executable

    return shutil.which("node") or str(compute_driver_executable()[0])


@pytest.mark.parametrize("language", ["curl", "JavaScript"])
def test_a_consumer_in_ten_lines_works_as_the_docs_have_it(face: Face, language: str) -> None:
    program = examples(language)
    assert len(program.splitlines()) <= 10
    campaign = face.campaign(2)
    # The campaign in its quotes: a port may have a 42 in it.
    changed = program.replace("http://127.0.0.1:51001", face.url).replace('"42"', f'"{campaign}"')
    assert campaign in changed
    command = (
        ["bash", "-euo", "pipefail", "-c", changed]
        if language == "curl"
        else [node(), "--input-type=module", "-e", changed]
    )
    environment = {"PATH": os.environ["PATH"], "KEY": face.everybodys_key}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert face.host.rows("SELECT state, count(*) FROM stock_items GROUP BY 1 ORDER BY 1") == [
        ("available", 1),
        ("consumed", 1),
    ]
    assert f"{campaign}-available" in done.stdout
