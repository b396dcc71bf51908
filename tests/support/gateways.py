"""Web servers that speak TLS in front of kylink's: nginx and Caddy, set up as docs/http.md says."""

import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.ports import free_port
from tests.support.raw_server import TLS
from tests.support.waiting import wait_until

_DOCS = Path(__file__).parents[2] / "docs" / "http.md"
_NAME, _UPSTREAM = "kylink.example.com", "127.0.0.1:51001"
_NGINX = """\
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/log;
events {{ }}
http {{
    access_log off;
    {paths}
{block}
}}
"""
_CADDY = """\
{{
    admin off
    local_certs
    skip_install_trust
    auto_https disable_redirects
    storage file_system {folder}
}}
{block}
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A web server that passes requests on.

    Attributes:
        url: where it listens.
        trust: what makes its certificate good.
    """

    url: str
    trust: ssl.SSLContext


@contextmanager
def nginx(folder: Path, upstream: str) -> Iterator[Gateway]:
    """An nginx in front of an address, `host:port`."""
    port = free_port()
    block = _documented("server {", upstream)
    for documented, own in (
        ("listen 443 ", f"listen 127.0.0.1:{port} "),
        ("/etc/ssl/kylink.pem", str(TLS / "valid.pem")),
        ("/etc/ssl/kylink.key", str(TLS / "key.pem")),
    ):
        assert documented in block, block
        block = block.replace(documented, own)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "\n".join(f"    {kind}_temp_path {folder}/{kind};" for kind in kinds)
    # Its workers become somebody else's where it is root's, who could not enter this folder.
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(user=user, folder=folder, paths=paths, block=block), encoding="utf-8")
    command = [_program("nginx"), "-e", str(folder / "log"), "-p", str(folder), "-c", str(configuration)]
    with _running(command, folder, port, lambda: TLS / "valid.pem") as gateway:
        yield gateway


@contextmanager
def caddy(folder: Path, upstream: str) -> Iterator[Gateway]:
    """A Caddy in front of an address, `host:port`, with a certificate of its own authority."""
    port = free_port()
    block = _documented(f"{_NAME} {{", upstream).replace(_NAME, f"localhost:{port}")
    configuration = folder / "Caddyfile"
    configuration.write_text(_CADDY.format(folder=folder, block=block), encoding="utf-8")
    command = [_program("caddy"), "run", "--adapter", "caddyfile", "--config", str(configuration)]
    with _running(command, folder, port, lambda: folder / "pki" / "authorities" / "local" / "root.crt") as gateway:
        yield gateway


def _documented(beginning: str, upstream: str) -> str:
    """The configuration that the docs give, with the address of a test's server."""
    found = re.search(rf"^    {re.escape(beginning)}\n(?:     [^\n]*\n|\n)+    }}\n", _DOCS.read_text(), re.MULTILINE)
    assert found is not None, beginning
    assert _UPSTREAM in found[0]
    return found[0].replace(_UPSTREAM, upstream)


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed (make packages)")
    return found


@contextmanager
def _running(command: list[str], folder: Path, port: int, root: Callable[[], Path]) -> Iterator[Gateway]:
    url = f"https://localhost:{port}"
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    with (folder / "output").open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output)

    def answers() -> bool:
        assert process.poll() is None, (folder / "output").read_text(encoding="utf-8")
        try:
            return root().exists() and httpx.get(f"{url}/healthz", verify=_trust(root())).is_success
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, f"{command[0]} to pass requests on")
        yield Gateway(url, _trust(root()))
    finally:
        process.terminate()
        process.wait()


def _trust(root: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(root))
