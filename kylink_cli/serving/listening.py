"""Where the face listens: on sockets that systemd hands over, or on an address."""

import ipaddress
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kylink_cli.errors import KylinkError, UsageError
from kylink_cli.language import tr

_FIRST_INHERITED: Final = 3
_BACKLOG: Final = 1024


@dataclass(frozen=True, slots=True)
class Listener:
    """Where to listen, and how keys are kept from others' eyes on their way."""

    host: str
    port: int
    behind_proxy: bool = False  # a proxy speaks TLS for it
    certificate: Path | None = None
    certificate_key: Path | None = None


def listen(address: Listener) -> list[socket.socket]:
    """The sockets to serve.

    Raises:
        UsageError: keys would travel in clear text.
        KylinkError: the address can't be used.
    """
    sockets = inherited() or [_bound(address)]
    for one in sockets:
        _refuse_clear_text(one, address)
        if one.family != socket.AF_UNIX:
            # Head and body of an answer are two writes: the second is not to wait for the client's word on the first.
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sockets


def inherited() -> list[socket.socket]:
    """The sockets that systemd hands over (sd_listen_fds(3)); none, if it does not."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    number = int(os.environ.get("LISTEN_FDS", "0"))
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        # Not for the jobs that are started.
        os.environ.pop(name, None)
    return [socket.socket(fileno=fd) for fd in range(_FIRST_INHERITED, _FIRST_INHERITED + number)]


def shown(one: socket.socket, *, tls: bool) -> str:
    """A socket's address as people type it."""
    if one.family == socket.AF_UNIX:
        return str(one.getsockname())
    host, port = one.getsockname()[:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _bound(address: Listener) -> socket.socket:
    try:
        [family, _, _, _, place] = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(place[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise KylinkError(
            tr(
                "can't listen on {host}, port {port}: {reason}",
                host=address.host,
                port=address.port,
                reason=error.strerror or str(error),
            )
        ) from None


def _refuse_clear_text(one: socket.socket, address: Listener) -> None:
    if one.family == socket.AF_UNIX or address.behind_proxy or address.certificate is not None:
        return
    host = one.getsockname()[0]
    if not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
        one.close()
        raise UsageError(
            tr(
                "on {host}, keys would travel in clear text: give --certificate and --certificate-key, or say "
                "--behind-proxy if a proxy on this network speaks TLS for it",
                host=host,
            )
        )
