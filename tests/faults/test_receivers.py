"""Receivers of alerts that mean no good: an answer costs a bounded time and memory, and only success is success."""

import gzip
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from kylink_cli.notify.apprise import AppriseChannel
from kylink_cli.notify.base import ChannelError
from kylink_cli.notify.webhook import Webhook
from kylink_cli.rules.notices import probe
from tests.support.raw_server import RawServer, raw_server
from tests.support.web import receiving

pytestmark = pytest.mark.slow

MESSAGE = probe("0b0e7c1e-0000-4000-8000-000000000001")
# What a process may take that sends, bytes; the answers are endless, or 200 MiB when unpacked.
LARGEST = 150 * 1024 * 1024


def head(status: str, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()


def apprise(server: RawServer) -> AppriseChannel:
    return AppriseChannel("json", f"json://127.0.0.1:{server.port}/hunter2-path")


def webhook(server: RawServer) -> Webhook:
    return Webhook(server.url, None)


CHANNELS = [pytest.param(apprise, id="apprise"), pytest.param(webhook, id="webhook")]


def endless(connection: socket.socket) -> None:
    connection.sendall(head("200 OK", "Connection: close"))
    with suppress(OSError):
        while True:
            connection.sendall(b"x" * 65_536)


def bomb(connection: socket.socket) -> None:
    packed = gzip.compress(bytes(200 * 1024 * 1024), 1)
    connection.sendall(head("200 OK", "Content-Encoding: gzip", f"Content-Length: {len(packed)}") + packed)


# Sends a message in a process of its own, and says how large it and its children became. Its own peak is read where
# the kernel counts it anew for a new program: what getrusage says begins with the size of whoever started it.
MEASURED = """
import re, resource, sys
from pathlib import Path
from kylink_cli.notify.apprise import AppriseChannel
from kylink_cli.notify.webhook import Webhook
from kylink_cli.rules.notices import probe
kind, port = sys.argv[1:]
url = f"127.0.0.1:{port}/x"
channel = AppriseChannel("json", f"json://{url}") if kind == "apprise" else Webhook(f"http://{url}", None)
channel.send(probe("0b0e7c1e-0000-4000-8000-000000000001"))
own = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.parametrize("answer", [endless, bomb], ids=["endless", "compressed"])
@pytest.mark.parametrize("kind", ["apprise", "webhook"])
def test_an_answer_costs_a_bounded_memory(answer: Callable[[socket.socket], None], kind: str) -> None:
    with raw_server(answer) as server:
        command = [sys.executable, "-c", MEASURED, kind, str(server.port)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert len(server.requests) == 1
    assert all(int(kibibytes) * 1024 < LARGEST for kibibytes in done.stdout.split())


def test_an_answer_that_comes_a_byte_at_a_time_is_cut_off() -> None:
    done = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(head("200 OK", "Connection: close"))
        with suppress(OSError):
            while not done.wait(0.2):
                connection.sendall(b"x")

    with raw_server(drip) as server, pytest.raises(ChannelError, match="more time or memory"):
        apprise(server).send(MESSAGE)
    # It is the sender that ends the call, whatever the receiver likes.
    done.set()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 Moved"])
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_redirect_is_not_followed_and_not_taken_for_success(
    status: str, channel: Callable[[RawServer], AppriseChannel | Webhook]
) -> None:
    with receiving() as elsewhere:
        answer = head(status, f"Location: {elsewhere.url}/login", "Content-Length: 0")
        with raw_server(answer) as server, pytest.raises(ChannelError, match=f"HTTP {status[:3]}"):
            channel(server).send(MESSAGE)
        assert elsewhere.requests == []


@pytest.mark.parametrize("status", ["400 Bad", "403 No", "404 None", "500 Broken", "503 Away"])
@pytest.mark.parametrize("channel", CHANNELS)
def test_only_2xx_is_sent(status: str, channel: Callable[[RawServer], AppriseChannel | Webhook]) -> None:
    with (
        raw_server(head(status, "Content-Length: 0")) as server,
        pytest.raises(ChannelError, match=f"HTTP {status[:3]}"),
    ):
        channel(server).send(MESSAGE)


@pytest.mark.parametrize("status", ["200 OK", "201 Made", "202 Later", "204 Nothing"])
@pytest.mark.parametrize("channel", CHANNELS)
def test_every_2xx_is_sent(status: str, channel: Callable[[RawServer], AppriseChannel | Webhook]) -> None:
    with raw_server(head(status, "Content-Length: 0")) as server:
        channel(server).send(MESSAGE)
        body = server.requests[0].partition(b"\r\n\r\n")[2]
        assert json.loads(body)


def test_an_address_that_apprise_does_not_know_is_said_to_be_so() -> None:
    with pytest.raises(ChannelError, match="does not know this kind"):
        AppriseChannel("slak", "slak://a/b/c").send(MESSAGE)
