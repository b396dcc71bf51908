"""A server that answers with whatever bytes a test wants, as slowly and as wrongly as it wants."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

TLS = Path(__file__).parents[1] / "data" / "tls"

Answer = Callable[[socket.socket], None]


@dataclass
class RawServer:
    """What it has seen.

    Attributes:
        port: where it listens on 127.0.0.1.
        requests: head and body of each request, as they came.
    """

    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address as a supply service's."""
        return f"http://127.0.0.1:{self.port}/v1/items"


@contextmanager
def raw_server(answer: Answer | bytes, certificate: str | None = None) -> Iterator[RawServer]:
    """Serve each connection one answer, for the length of a `with` block.

    Args:
        answer: the bytes to send, or what to do with the connection; it is closed afterwards.
        certificate: the file in `tests/data/tls` to show; None for no TLS.
    """
    respond = answer if callable(answer) else lambda connection: connection.sendall(answer)
    listener = socket.create_server(("127.0.0.1", 0))
    server = RawServer(listener.getsockname()[1])

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=converse, args=(connection,), daemon=True).start()

    def converse(connection: socket.socket) -> None:
        with suppress(OSError), _wrapped(connection, certificate) as ours:
            server.requests.append(_request(ours))
            respond(ours)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _wrapped(connection: socket.socket, certificate: str | None) -> socket.socket:
    if certificate is None:
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / certificate, TLS / "key.pem")
    return context.wrap_socket(connection, server_side=True)


def _request(connection: socket.socket) -> bytes:
    """One request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    [length] = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < length:
        body += _more(connection)
    return head + b"\r\n\r\n" + body


def _more(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionError("the client went away")
    return chunk


def http(status: str, body: bytes | str = b"", *headers: str) -> bytes:
    """A whole answer, with its length."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content
