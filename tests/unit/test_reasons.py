"""What the system refuses is said in kylink's words."""

import errno
import os
import socket

import pytest

from kylink_cli.reasons import connection_reason, reason


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "secret/path"), "there is no such file"),
        (PermissionError(errno.EPERM, os.strerror(errno.EPERM)), "permission denied"),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "the disk is full"),
        (OSError(errno.EINVAL, "not a regular file"), "not a regular file"),
        (OSError(errno.ELOOP, "it is a symbolic link"), "it is a symbolic link"),
        (OSError(errno.EPROTO, os.strerror(errno.EPROTO)), "protocol error"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "its name is not known"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "its name can't be looked up now"),
        (TimeoutError(), "no answer in time"),
        (ValueError("embedded null byte"), "embedded null byte"),
        (OSError(), "unknown error"),
    ],
)
def test_the_system_s_reasons_are_told_in_plain_words(error: BaseException, words: str) -> None:
    assert reason(error) == words


def test_the_reason_behind_a_library_s_error_is_found_and_its_own_text_is_not_told() -> None:
    own = RuntimeError("https://hooks.example/secret")
    assert connection_reason(own) is None
    own.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
    assert connection_reason(own) == "the connection was refused"
