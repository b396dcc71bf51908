"""Why the system refused something, in kylink's words and the reader's language."""

import contextlib
import errno
import grp
import os
import pwd
import socket
from pathlib import Path
from typing import Final

from kylink_cli.language import marked, tr
from kylink_cli.rules.text import ERROR_LENGTH, one_line

_REASONS: Final = {
    errno.EACCES: marked("permission denied"),
    errno.EPERM: marked("permission denied"),
    errno.EROFS: marked("its file system is read-only"),
    errno.ENOENT: marked("there is no such file"),
    errno.ENOTDIR: marked("a part of its path is not a directory"),
    errno.EISDIR: marked("it is a directory"),
    errno.EEXIST: marked("it is there already"),
    errno.ENAMETOOLONG: marked("its name is too long"),
    errno.ELOOP: marked("its symbolic links form a loop"),
    errno.EBUSY: marked("it is in use"),
    errno.ETXTBSY: marked("it is in use"),
    errno.ENOEXEC: marked("it is not a program for this system"),
    errno.EBADF: marked("it is closed"),
    errno.ENOSPC: marked("the disk is full"),
    errno.EDQUOT: marked("the disk quota is used up"),
    errno.EFBIG: marked("it would be too large"),
    errno.EIO: marked("the disk reports an error"),
    errno.ENOMEM: marked("there is too little memory"),
    errno.EMFILE: marked("too many files are open"),
    errno.ENFILE: marked("too many files are open"),
    errno.ECONNREFUSED: marked("the connection was refused"),
    errno.ECONNRESET: marked("the connection was cut"),
    errno.EPIPE: marked("the connection was cut"),
    errno.ETIMEDOUT: marked("no connection in time"),
    errno.EHOSTUNREACH: marked("there is no route to it"),
    errno.ENETUNREACH: marked("there is no route to it"),
    errno.EADDRINUSE: marked("the address is in use"),
    errno.EADDRNOTAVAIL: marked("the address is not one of this machine's"),
}
_REASONS_OF_RESOLVER: Final = {
    socket.EAI_AGAIN: marked("its name can't be looked up now"),
    socket.EAI_FAIL: marked("its name can't be looked up"),
}
# Instead of the system's, with the address behind them.
_WORDS_OF_ASYNCIO: Final = "Connect call failed"
# OpenSSL's own names for what goes wrong before a certificate is looked at.
_REASONS_OF_TLS: Final = {
    "WRONG_VERSION_NUMBER": marked("it does not speak TLS there"),
    "HTTP_REQUEST": marked("it does not speak TLS there"),
    "UNEXPECTED_EOF_WHILE_READING": marked("it ended the TLS handshake"),
    "NO_PROTOCOLS_AVAILABLE": marked("no version of TLS is common to both"),
    "UNSUPPORTED_PROTOCOL": marked("no version of TLS is common to both"),
    "TLSV1_ALERT_PROTOCOL_VERSION": marked("no version of TLS is common to both"),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": marked("no cipher of TLS is common to both"),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": marked("it asks for a certificate of this side"),
    "TLSV1_UNRECOGNIZED_NAME": marked("its TLS does not know the name"),
}
_UNKNOWN_NAME: Final = marked("its name is not known")


def reason(error: BaseException) -> str:
    """Why the system refused, in a few words; words that are not the system's are kept."""
    number, words = getattr(error, "errno", None) or 0, getattr(error, "strerror", None)
    if isinstance(error, TimeoutError) and not number:
        return tr("no answer in time")
    if isinstance(error, ConnectionError) and not number:
        return tr(_REASONS[errno.ECONNRESET])
    if isinstance(error, socket.gaierror):
        return tr(_REASONS_OF_RESOLVER.get(number, _UNKNOWN_NAME))
    if tls := _reason_of_tls(error):
        return tls
    if number in _REASONS and (words == os.strerror(number) or str(words).startswith(_WORDS_OF_ASYNCIO)):
        return tr(_REASONS[number])
    return one_line(words or str(error) or tr("unknown error"), ERROR_LENGTH).lower()


def _reason_of_tls(error: BaseException) -> str | None:
    """Why there is no TLS, None for an error of another kind: a number of OpenSSL's is none of the system's."""
    name = getattr(error, "reason", None)
    if not isinstance(error, OSError) or not name or getattr(error, "library", None) is None:
        return None
    if known := _REASONS_OF_TLS.get(name):
        return tr(known)
    return tr("no TLS connection: {reason}", reason=one_line(name.replace("_", " ").lower(), ERROR_LENGTH))


def refusal(error: OSError, path: Path) -> str:
    """Why the system refused a file of kylink's own, and as whom to come again where it is there for another user."""
    user = _user_of(path) if error.errno == errno.EACCES else None
    if user is None:
        return reason(error)
    return tr("{reason}; as user {user}: sudo -u {user} kylink …", reason=reason(error), user=user)


def _user_of(path: Path) -> str | None:
    """Who may use a file, as far as it can be seen: its owner, or who has the group that root shares it with."""
    for place in (path, *path.absolute().parents):
        with contextlib.suppress(OSError):
            status = place.stat()
            break
    else:
        return None
    with contextlib.suppress(KeyError):
        name = grp.getgrgid(status.st_gid).gr_name if status.st_uid == 0 else pwd.getpwuid(status.st_uid).pw_name
        if pwd.getpwnam(name).pw_uid not in {0, os.geteuid()}:
            return name
    return None


def connection_reason(error: BaseException) -> str | None:
    """Why the system made no connection, which libraries keep behind errors of their own; None if it is not to be told.

    Their own texts may hold addresses, and with them secrets.
    """
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, OSError) and behind.errno is not None:
            return reason(behind)
        behind = behind.__cause__ or behind.__context__
    return None
