"""Sheets that are published at an address: what is fetched, what is refused, and what is shown of it."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kylink_cli.errors import BadFileError
from kylink_cli.imports.download import download
from tests.support.installation import Installation
from tests.support.raw_server import TLS

SHEET = b"campaign_id,user_id,campaign_name\n42,alice,Spring sale\n43,alice,Shoes\n"
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def published(answer: Answer, certificate: str | None = None) -> Iterator[str]:
    """A web server that answers every request in one way; its address.

    Args:
        certificate: the file in `tests/data/tls` to show; None for no TLS.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(TLS / certificate, TLS / "key.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"{'http' if certificate is None else 'https'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def answers(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def test_campaigns_are_imported_from_a_published_sheet(kylink: Installation) -> None:
    with published(answers(200, SHEET)) as address:
        planned = kylink.document("campaigns", "import", f"{address}/pub?output=csv&key=s3cret", "--dry-run")
        done = kylink.run("campaigns", "import", f"{address}/pub?output=csv&key=s3cret")
    assert planned["added"] == 2
    assert done.stdout.startswith("2 added")
    [act] = kylink.document("audit")["acts"]
    assert act["subject"] == f"{address}/********"
    assert [one["name"] for one in kylink.document("campaigns", "list")["campaigns"]] == ["Spring sale", "Shoes"]


def test_what_is_wrong_with_a_sheet_is_told_without_its_secret(kylink: Installation) -> None:
    with published(answers(200, b"campaign_id,user_id\n42,\n")) as address:
        done = kylink.run("campaigns", "import", f"{address}/pub?key=s3cret")
        assert done.returncode == 1
        assert f"{address}/********" in done.stderr
    assert "s3cret" not in done.stderr
    assert kylink.document("campaigns", "list")["campaigns"] == []


def test_a_redirect_is_followed_on_the_same_host() -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        moved = request.path == "/old"
        (answers(307, Location="/new?sheet=1") if moved else answers(200, SHEET))(request)

    with published(answer) as address:
        assert download(f"{address}/old") == SHEET


@pytest.mark.parametrize("place", ["http://other.example/sheet", "//other.example/sheet", "https://127.0.0.1/sheet"])
def test_a_redirect_to_another_host_is_refused(place: str) -> None:
    with published(answers(302, Location=place)) as address, pytest.raises(BadFileError, match="to another host"):
        download(f"{address}/sheet")


@pytest.mark.parametrize("place", ["file:///etc/passwd", "/etc/passwd", "not a place"])
def test_a_redirect_never_reads_a_file(place: str) -> None:
    with published(answers(302, Location=place)) as address, pytest.raises(BadFileError):
        download(f"{address}/sheet")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (answers(404), "HTTP 404"),
        (answers(204), "HTTP 204"),
        (answers(500, b"s3cret"), "HTTP 500"),
        (answers(302, Location="/sheet"), "redirected again and again"),
        (answers(200, b"\x1f\x8b", Content_Encoding="gzip"), "compressed"),
        (answers(200, b"x" * 2_000), "larger than"),
    ],
)
def test_what_is_no_sheet_is_refused(answer: Answer, told: str) -> None:
    with published(answer) as address, pytest.raises(BadFileError, match=told) as refused:
        download(f"{address}/sheet", largest_bytes=1_000)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\ncampaign_id,"])
def test_a_server_that_drips_is_given_up(sent: bytes) -> None:
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(sent)
            with contextlib.suppress(OSError):  # it has hung up
                while not over.wait(0.05):
                    connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        try:
            with pytest.raises(BadFileError, match="not complete after"):
                download(f"http://127.0.0.1:{listener.getsockname()[1]}/sheet", longest_seconds=0.5)
        finally:
            over.set()
            thread.join()


def test_a_body_that_does_not_end_is_given_up() -> None:
    def pour(request: BaseHTTPRequestHandler) -> None:
        request.protocol_version = "HTTP/1.1"
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        with contextlib.suppress(OSError):  # it has hung up
            while True:
                request.wfile.write(b"400\r\n" + b"x" * 0x400 + b"\r\n")

    with published(pour) as address, pytest.raises(BadFileError, match="larger than"):
        download(f"{address}/sheet", largest_bytes=100_000)


@pytest.mark.parametrize("certificate", ["expired.pem", "valid.pem"])
def test_a_certificate_that_nobody_vouches_for_is_refused(kylink: Installation, certificate: str) -> None:
    def refuse(request: BaseHTTPRequestHandler) -> None:
        pytest.fail(f"asked for {request.path}")

    with published(refuse, certificate) as address:
        done = kylink.run("campaigns", "import", f"{address}/pub?key=s3cret")
    assert done.returncode == 1
    assert "certificate" in done.stderr
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize("port", [1, 65_535])
def test_a_redirect_to_another_port_is_refused(port: int) -> None:
    place = f"http://127.0.0.1:{port}/sheet"
    with published(answers(302, Location=place)) as address, pytest.raises(BadFileError, match="to another host"):
        download(f"{address}/sheet")


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + SHEET,
        SHEET.decode().encode("utf-16"),
        SHEET.decode().replace(",", "\t").encode("utf-16"),
        SHEET.replace(b"\n", b"\r\n"),
    ],
    ids=["mark", "wide", "tabs", "crlf"],
)
def test_a_sheet_is_read_in_the_encodings_that_programs_write(kylink: Installation, body: bytes) -> None:
    # What the server says of the encoding may be wrong: the bytes themselves tell.
    with published(answers(200, body, Content_Type="text/csv; charset=iso-8859-1")) as address:
        assert kylink.document("campaigns", "import", f"{address}/sheet", "--dry-run")["added"] == 2


def test_a_page_instead_of_a_sheet_is_named(kylink: Installation) -> None:
    with published(answers(200, b"<!DOCTYPE html><title>Log in</title>")) as address:
        assert "is a web page" in kylink.run("campaigns", "import", f"{address}/edit").stderr


def test_an_unreachable_server_is_told_in_the_system_s_words(kylink: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = kylink.run("campaigns", "import", f"http://127.0.0.1:{port}/x")
    assert done.returncode == 1
    assert "the connection was refused" in done.stderr
