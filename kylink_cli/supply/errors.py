"""How the endings of a supply call are judged: the one place that decides what may be asked again.

    SupplyError                retryable  charge open  service down  stops the run
    ├── UnreachableError          yes        no           yes            no        refused, DNS, TLS: never sent
    ├── CutOffError               yes        yes          yes            no        timeout, connection lost
    ├── ServiceDownError          yes        no           yes            no        the breaker is open: never sent
    ├── BusyError                 yes        no           no             no        408, 425, 429
    ├── UnavailableError          yes        yes          yes            no        502, 503, 504
    ├── ServerFailureError        yes        yes          no             no        500 and other 5xx
    ├── InWorkError               yes        yes          no             no        202, 409; a program's exit 75
    ├── InvalidResponseError      yes        yes          no             no        an answer that can't be read
    ├── RefusedError              no         no           no             no        400, 404, 410, 422 and other 4xx
    ├── KeyRefusedError           no         no           no             yes       401, 403
    └── RedirectedError           no         no           no             yes       redirect to another host

"Charge open" means that the service may have charged although nothing came: the same key must be asked again.
"""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import ClassVar

from kylink_cli.errors import KylinkError


class SupplyError(KylinkError):
    """A call to the supply service brought nothing usable."""

    code = "SUPPLY"
    retryable: ClassVar[bool] = False  # asking again can help
    charge_open: ClassVar[bool] = False  # the service may have charged; the request must be asked again under its key
    service_down: ClassVar[bool] = False  # it speaks of the service as a whole, not of one campaign
    stops_run: ClassVar[bool] = False  # no call of any campaign can succeed until a person acts

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnreachableError(SupplyError):
    """No connection: nothing was sent."""

    exit_code = 69
    retryable = True
    service_down = True


class CutOffError(SupplyError):
    """The call was sent, and no whole answer came."""

    exit_code = 69
    retryable = True
    charge_open = True
    service_down = True


class ServiceDownError(SupplyError):
    """The service as a whole is down: the call was not made."""

    exit_code = 69
    retryable = True
    service_down = True


class BusyError(SupplyError):
    """The service asks to come again later."""

    exit_code = 69
    retryable = True


class UnavailableError(SupplyError):
    """The service says that it, or what stands behind it, is down."""

    exit_code = 69
    retryable = True
    charge_open = True
    service_down = True


class ServerFailureError(SupplyError):
    """The service failed over this call."""

    exit_code = 69
    retryable = True
    charge_open = True


class InWorkError(SupplyError):
    """The same key is still in work."""

    retryable = True
    charge_open = True


class InvalidResponseError(SupplyError):
    """The answer is not what the contract says."""

    retryable = True
    charge_open = True


class RefusedError(SupplyError):
    """The service refuses this campaign's order."""


class KeyRefusedError(SupplyError):
    """The service refuses the key."""

    exit_code = 77
    stops_run = True


class RedirectedError(SupplyError):
    """The service redirects to another host, which must not see the key."""

    stops_run = True


_BY_STATUS: dict[int, type[SupplyError]] = {
    202: InWorkError,
    401: KeyRefusedError,
    403: KeyRefusedError,
    408: BusyError,
    409: InWorkError,
    425: BusyError,
    429: BusyError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}


def judge_status(status: int, reason: str, retry_after: float | None = None) -> SupplyError:
    """The error that an HTTP status other than 200 and 201 stands for.

    Args:
        reason: what the service says, cleaned and cut.
        retry_after: seconds that the service asks to wait, None if it does not say.
    """
    message = f"HTTP {status}: {reason}" if reason else f"HTTP {status}"
    kind = _BY_STATUS.get(status) or _by_class(status)
    return kind(message, retry_after=retry_after)


def _by_class(status: int) -> type[SupplyError]:
    if 300 <= status < 400:
        return RedirectedError
    if 400 <= status < 500:
        return RefusedError
    if status >= 500:
        return ServerFailureError
    return InvalidResponseError


def parse_retry_after(header: str | None, now: datetime) -> float | None:
    """The wait that a `Retry-After` header asks for (RFC 9110, section 10.2.3), in seconds.

    Args:
        header: seconds or an HTTP date; None if there was no such header.
        now: the moment that a date is counted from.

    Returns:
        Seconds, never negative; None if there is no header or it says neither.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - now).total_seconds())
