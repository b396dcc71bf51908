"""The supply service of the demo and the tests: it leaves nothing behind."""

import gc
import socket
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from kylink_cli.demo.service import SupplyService


def knock(service: SupplyService) -> socket.socket:
    """A connection of a client's, which the service may not have accepted yet."""
    return socket.create_connection(("127.0.0.1", urlsplit(service.url).port or 0))


@pytest.mark.parametrize("stays", [True, False])
def test_who_has_just_knocked_does_not_keep_the_service_from_closing_all(stays: bool) -> None:
    for _ in range(10):
        with SupplyService("key") as service:
            client = knock(service)
            if not stays:
                client.close()
        with closing(client):
            # A connection that was left open complains when it is collected, which fails the test.
            gc.collect()
