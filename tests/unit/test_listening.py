"""Where the HTTP face listens."""

import socket
from contextlib import closing

import pytest

from kylink_cli.errors import KylinkError, UsageError
from kylink_cli.serving.listening import Listener, listen, shown


def test_an_answer_does_not_wait_for_the_client_s_word_on_its_head() -> None:
    [listening] = listen(Listener("127.0.0.1", 0))
    with closing(listening):
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_on_any_address_but_loopback_something_has_to_keep_keys_secret(host: str) -> None:
    with pytest.raises(UsageError, match="clear text"):
        listen(Listener(host, 0))
    [listening] = listen(Listener(host, 0, behind_proxy=True))
    listening.close()


def test_a_port_that_is_taken_is_named() -> None:
    [listening] = listen(Listener("127.0.0.1", 0))
    with closing(listening), pytest.raises(KylinkError, match=f"port {listening.getsockname()[1]}: Address already in"):
        listen(Listener("127.0.0.1", listening.getsockname()[1]))


def test_an_address_is_shown_as_people_type_it() -> None:
    [listening] = listen(Listener("::1", 0))
    with closing(listening):
        assert shown(listening, tls=True) == f"https://[::1]:{listening.getsockname()[1]}"
