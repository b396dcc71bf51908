"""A TCP proxy that can cut a connection at a chosen moment."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

Cut = Callable[[bytes], bool]


class Proxy:
    """Passes on what clients and a server on loopback say, until one of its rules cuts a connection.

    Attributes:
        port: where it listens.
        before: looks at what a client says; true cuts the connection before the server hears it.
        after: the same, but the server hears it, and the client does not hear the answer.
        silent: whether the server is left believing that a cut connection is there.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self.before: Cut = _never
        self.after: Cut = _never
        self.silent = False
        self._silenced: list[socket.socket] = []
        self._ending = threading.Lock()
        self._has_ended = False

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        with self._ending:
            self._has_ended = True
            for server in self._silenced:
                server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._server_port))
                except OSError:
                    client.close()
                    continue
                threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
                threading.Thread(target=_pass_on, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self.before(data):
                    break
                if self.after(data):
                    client.shutdown(socket.SHUT_RDWR)
                    server.sendall(data)
                    server.shutdown(socket.SHUT_WR)
                    _drain(server)
                    break
                server.sendall(data)
            with self._ending:
                if self.silent and not self._has_ended:
                    self._silenced.append(server.dup())
                else:
                    _end(server)
            _end(client)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    _end(target)


def _drain(source: socket.socket) -> None:
    while source.recv(65536):
        pass


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _never(_data: bytes) -> bool:
    return False


class Once:
    """A rule that cuts the first thing said that holds some words."""

    def __init__(self, words: bytes) -> None:
        self.has_cut = False
        self._words = words

    def __call__(self, data: bytes) -> bool:
        """Whether to cut now."""
        if self.has_cut or self._words not in data:
            return False
        self.has_cut = True
        return True
