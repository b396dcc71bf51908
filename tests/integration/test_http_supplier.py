"""Supply over HTTP: each row of the contract's table, over real connections."""

import asyncio
import gzip
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote

import pytest

from kylink_cli.errors import ConfigError
from kylink_cli.supply.base import Order, SuppliedItem, Supply
from kylink_cli.supply.errors import (
    BusyError,
    CutOffError,
    InvalidResponseError,
    InWorkError,
    KeyRefusedError,
    RedirectedError,
    RefusedError,
    ServerFailureError,
    SupplyError,
    UnavailableError,
    UnreachableError,
)
from kylink_cli.supply.http import HttpSupplier
from tests.support.raw_server import TLS, Answer, http, raw_server
from tests.support.waiting import wait_until

KEY = "a-secret-key"
BODY = '{"campaign_id": "42", "user_id": "ü", "quantity": 2}'
ORDER = Order("0b0e7c1e-0000-4000-8000-000000000001", "42", 2, BODY)
GOOD = http("200 OK", '{"items": ["a", {"value": "b"}]}')
MIB = 1024 * 1024


def ask(url: str, *, seconds: float = 30, key: str = KEY) -> Supply:
    async def once() -> Supply:
        supplier = HttpSupplier(url, key, seconds)
        try:
            return await supplier.supply(ORDER)
        finally:
            await supplier.close()

    return asyncio.run(once())


def refusal(answer: bytes) -> SupplyError:
    """The error that an answer is judged to be."""
    with raw_server(answer) as server, pytest.raises(SupplyError) as caught:
        ask(server.url)
    return caught.value


def test_the_order_is_sent_as_the_contract_says() -> None:
    with raw_server(GOOD) as server:
        supply = ask(f"{server.url}?plan=7")
    assert supply == Supply((SuppliedItem("a"), SuppliedItem("b")))
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
    assert lines[0] == "POST /v1/items?plan=7 HTTP/1.1"
    assert body.decode() == BODY
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["idempotency-key"] == ORDER.key
    assert headers["content-type"] == "application/json"
    assert headers["accept"] == "application/json, application/problem+json"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RefusedError),
        (401, KeyRefusedError),
        (402, RefusedError),
        (403, KeyRefusedError),
        (404, RefusedError),
        (408, BusyError),
        (409, InWorkError),
        (410, RefusedError),
        (422, RefusedError),
        (425, BusyError),
        (429, BusyError),
        (500, ServerFailureError),
        (501, ServerFailureError),
        (502, UnavailableError),
        (503, UnavailableError),
        (504, UnavailableError),
        (204, InvalidResponseError),
    ],
)
def test_a_status_is_judged_by_the_table(status: int, kind: type[SupplyError]) -> None:
    error = refusal(http(f"{status} Whatever", "" if status == 204 else "because"))
    assert (type(error), str(error)) == (kind, f"HTTP {status}" if status == 204 else f"HTTP {status}: because")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"title": "No stock", "detail": "come back later", "status": 503}', "HTTP 503: No stock: come back later"),
        ('{"detail": "come back later"}', "HTTP 503: come back later"),
        ('{"title": ["odd"]}', 'HTTP 503: {"title": ["odd"]}'),
        ("[1]", "HTTP 503: [1]"),
        ('{"title": "\\u001b[31mred\\n<0>line"}', "HTTP 503: [31mred <0>line"),
        (b"\xff\x00bad bytes", "HTTP 503: \ufffd bad bytes"),
        ("x" * 5000, "HTTP 503: " + "x" * 299 + "…"),
        ("[" * 100_000, "HTTP 503: " + "[" * 299 + "…"),
        (f"you sent Bearer {KEY}", "HTTP 503: you sent Bearer ***"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_reason_is_shown_clean_and_cut(body: str | bytes, shown: str) -> None:
    assert str(refusal(http("503 Unavailable", body))) == shown


@pytest.mark.parametrize(
    "form", [str, str.upper, str.title, lambda key: quote(key, safe="")], ids=["as is", "upper", "title", "quoted"]
)
@pytest.mark.parametrize(
    "answer",
    [
        "HTTP/1.1 200 OK\r\nContent-Encoding: {key}\r\nContent-Length: 2\r\n\r\n{{}}",
        "HTTP/1.1 302 Found\r\nLocation: https://{key}.example/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: https://example/?{key}\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 400 Bad\r\nContent-Length: 40\r\n\r\n{key:40}",
    ],
    ids=["encoding", "host", "query", "reason"],
)
def test_a_key_that_is_echoed_anywhere_in_any_letter_case_is_not_shown(answer: str, form: Callable[[str], str]) -> None:
    key = "hunter-two+key"
    with raw_server(answer.format(key=form(key)).encode()) as server, pytest.raises(SupplyError) as caught:
        ask(server.url, key=key)
    assert "hunter" not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        (f"you sent {KEY} to us", "you sent *** to us"),
        ("x" * 295 + KEY, "x" * 295 + "***"),
        ("".join(f"\\u{ord(character):04x}" for character in KEY), "***"),
    ],
    ids=["as it is", "where the reason is cut", "in JSON's escapes"],
)
def test_a_service_that_echoes_the_key_does_not_get_it_shown(detail: str, shown: str) -> None:
    assert str(refusal(http("400 Bad", f'{{"detail": "{detail}"}}'))) == f"HTTP 400: {shown}"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", None),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("9" * 40, 999_999_999),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert refusal(http("429 Busy", "", f"Retry-After: {header}")).retry_after == seconds


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'{"items": "a"}',
        b'{"items": [""]}',
        b'{"items": ["' + b"x" * 4097 + b'"]}',
        b'{"items": ["a\\u0000b"]}',
        b'{"items": ["\\ud800"]}',
        b'{"items": [{"value": 7}]}',
        b'{"items": [null]}',
        b'{"items": [{"value": "a", "expires_at": "yesterday"}]}',
        b'{"items": [{"value": "a", "expires_at": "2020-01-01T00:00:00Z"}]}',
        b'{"items": [{"value": "a", "expires_at": "2126-01-01T00:00:00"}]}',
        '{"items": ["ü"]}'.encode("latin-1"),
        '{"items": ["a"]}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"items": [NaN]}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_an_answer_that_is_not_the_contract_s_is_invalid(body: bytes) -> None:
    error = refusal(http("200 OK", body))
    assert type(error) is InvalidResponseError
    assert (error.retryable, error.charge_open) == (True, True)


@pytest.mark.parametrize(
    ("body", "values"),
    [
        ('{"items": []}', []),
        ('\ufeff{"items": ["a"]}', ["a"]),
        ('{"items": ["a"], "more": 1}', ["a"]),
        ('{"items": [{"value": "ü=春", "note": 1}]}', ["ü=春"]),
        (json.dumps({"items": ["x" * 4096]}), ["x" * 4096]),
        ('{"items": [{"value": "a", "expires_at": ""}, {"value": "b", "expires_at": " "}]}', ["a", "b"]),
        ('{"items": [{"value": "a", "expires_at": null}]}', ["a"]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_good_answer_may_be_short_and_hold_more(body: str, values: list[str]) -> None:
    with raw_server(http("200 OK", body, "Content-Type: text/plain; charset=latin-1")) as server:
        assert [item.value for item in ask(server.url).items] == values


def test_what_is_more_than_was_asked_for_is_counted() -> None:
    with raw_server(http("200 OK", '{"items": ["a", "b", "c", "d"]}')) as server:
        supply = ask(server.url)
    assert ([item.value for item in supply.items], supply.surplus) == (["a", "b"], 2)


@pytest.mark.parametrize(
    ("items", "surplus"),
    [(["", "a", 7, "b"], 0), (["a", "b", "", 7], 2), (["a", "", "b", "c"], 1)],
    ids=str,
)
def test_bad_items_do_not_matter_to_an_order_that_is_met(items: list[object], surplus: int) -> None:
    with raw_server(http("200 OK", json.dumps({"items": items}))) as server:
        assert ask(server.url) == Supply((SuppliedItem("a"), SuppliedItem("b")), surplus=surplus)


def test_a_flood_of_bad_items_is_not_searched_for_a_good_one() -> None:
    error = refusal(http("200 OK", json.dumps({"items": [0] * 100_000 + ["a"]})))
    assert str(error) == "the answer holds bad items: item 1: there is no value (and 1001 more)"


def test_the_good_items_of_a_mixed_answer_are_kept_with_the_fault_of_the_others() -> None:
    with raw_server(http("200 OK", '{"items": ["a", "", 7]}')) as server:
        supply = ask(server.url)
    assert [item.value for item in supply.items] == ["a"]
    assert str(supply.fault) == "the answer holds bad items: item 2: the value is empty (and 1 more)"


def test_the_end_that_the_supplier_gives_is_kept_in_utc() -> None:
    with raw_server(http("200 OK", '{"items": [{"value": "a", "expires_at": "2126-02-06T08:00:00+02:00"}]}')) as server:
        [item] = ask(server.url).items
    assert item.expires_at is not None
    assert item.expires_at.isoformat() == "2126-02-06T06:00:00+00:00"


def test_the_last_moment_of_the_calendar_is_one_in_every_zone() -> None:
    end = "9999-12-31T23:59:59-14:00"
    with raw_server(http("200 OK", json.dumps({"items": [{"value": "a", "expires_at": end}]}))) as server:
        [item] = ask(server.url).items
    assert item.expires_at is not None
    assert item.expires_at.year == 9999


def _never(connection: socket.socket) -> None:
    connection.recv(1)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def slowly(data: bytes) -> Answer:
    """Send a byte at a time, so that no single read ever waits for long."""

    def respond(connection: socket.socket) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    return respond


@pytest.mark.parametrize(
    "answer",
    [
        _never,
        slowly(GOOD * 100),
        slowly(b"HTTP/1.1 200 OK\r\nX-Filler: " + b"x" * 10_000),
        b"HTTP/1.1 100 Continue\r\n\r\n" * 2,
    ],
    ids=["no answer", "slow body", "slow head", "only 100 Continue"],
)
def test_a_call_is_bounded_as_a_whole(answer: Answer | bytes) -> None:
    with raw_server(answer) as server, pytest.raises(CutOffError):
        ask(server.url, seconds=0.5)


@pytest.mark.parametrize(
    "answer",
    [_reset, b"", b"HTTP/1.1 200", GOOD[:-5], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"],
    ids=["reset", "closed", "cut in the head", "cut in the body", "cut in a chunk"],
)
def test_a_connection_that_is_cut_may_have_been_charged(answer: Answer | bytes) -> None:
    with raw_server(answer) as server, pytest.raises(CutOffError) as caught:
        ask(server.url)
    assert (caught.value.retryable, caught.value.charge_open) == (True, True)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/9.9 banana\r\n\r\n",
        b"\x00\xff" * 100,
        b"HTTP/1.1 200 OK\r\nX-\xff: \xff\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    ],
    ids=repr,
)
def test_what_is_no_http_is_an_invalid_answer(answer: bytes) -> None:
    error = refusal(answer)
    assert type(error) is InvalidResponseError
    assert str(error).endswith("does not speak HTTP")


def test_chunks_that_are_none_may_have_been_charged() -> None:
    error = refusal(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    assert isinstance(error, InvalidResponseError | CutOffError)
    assert (error.retryable, error.charge_open) == (True, True)


@pytest.mark.parametrize(
    "answer",
    [
        GOOD.replace(b"HTTP/1.1", b"HTTP/1.0"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD,
        b"HTTP/1.0 200 OK\r\n\r\n" + GOOD.partition(b"\r\n\r\n")[2],
        GOOD.replace(b"200 OK", b"200 \xff\xff"),
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"it\r\n10\r\nems": ["a","b"]}\r\n0\r\n\r\n',
    ],
    ids=["HTTP/1.0", "100 Continue first", "no length", "odd reason", "chunked"],
)
def test_old_and_unusual_http_is_understood(answer: bytes) -> None:
    with raw_server(answer) as server:
        assert [item.value for item in ask(server.url).items] == ["a", "b"]


def endless(start: bytes, more: bytes) -> Answer:
    """Send something that never ends."""

    def respond(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(more * 1000)

    return respond


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (endless(OK + b"\r\n", b"x" * 64), "larger than 8 MiB"),
        (endless(CHUNKED, b"1\r\nx\r\n"), "larger than 8 MiB|in time"),
        (http("200 OK", b" " * (9 * MIB)), "larger than 8 MiB"),
        (endless(OK, b"X-Filler: x\r\n"), "does not speak HTTP"),
        (endless(OK + b"X-Filler: ", b"x" * 64), "does not speak HTTP"),
        # How such a body is judged depends on whether it comes together with the head.
        (endless(CHUNKED + b"0\r\n", b"X-Filler: x\r\n"), "does not speak HTTP|cut the connection"),
        (endless(CHUNKED + b"1;", b"x" * 64), "in time"),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "in time"),
    ],
    ids=["body", "chunks", "9 MiB", "headers", "header", "trailers", "chunk extension", "100 Continue"],
)
def test_an_endless_answer_is_cut_off_in_bounded_memory(answer: Answer | bytes, reason: str) -> None:
    tracemalloc.start()
    with raw_server(answer) as server, pytest.raises(SupplyError, match=reason):
        ask(server.url, seconds=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * MIB


def test_an_endless_error_is_cut_off() -> None:
    answer = endless(b"HTTP/1.1 500 Oops\r\n\r\n", b"x" * 64)
    with raw_server(answer) as server, pytest.raises(ServerFailureError):
        ask(server.url)


def test_a_compressed_answer_was_not_asked_for() -> None:
    bomb = gzip.compress(b" " * (64 * MIB))
    with raw_server(http("200 OK", bomb, "Content-Encoding: gzip")) as server:
        with pytest.raises(InvalidResponseError, match="encoded as gzip"):
            ask(server.url)
        assert b"accept-encoding: identity" in server.requests[0].lower()


def test_a_service_that_nobody_runs_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError, match="can't be reached: the connection was refused") as caught:
        ask(f"http://127.0.0.1:{port}/path?token=secret")
    assert (caught.value.charge_open, "secret" in str(caught.value), "path" in str(caught.value)) == (
        False,
        False,
        False,
    )


def test_an_address_that_is_none_was_never_called() -> None:
    with pytest.raises(UnreachableError) as caught:
        ask("http://1.2.3.4.5/")
    assert not caught.value.charge_open


@pytest.mark.parametrize(
    "url",
    [
        "http://a..b/",
        f"http://{'x' * 64}.example/",
        "http://xn--/",
        "http://a.example/\x01?token=s3",
    ],
    ids=ascii,
)
def test_an_address_that_can_never_be_called_is_a_bad_setting(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        HttpSupplier(url, KEY, 30)
    assert str(caught.value).startswith("PROXY_API_URL can't be called")
    assert "s3" not in str(caught.value)


def test_a_name_that_nobody_knows_is_unreachable() -> None:
    with pytest.raises(UnreachableError, match=r"http://nowhere\.invalid can't be reached"):
        ask("http://nowhere.invalid/")


@pytest.mark.parametrize(
    ("host", "certificate", "trusted", "reason"),
    [
        ("localhost", "valid.pem", None, "self-signed certificate"),
        ("127.0.0.1", "valid.pem", "valid.pem", "ip address mismatch"),
        ("localhost", "expired.pem", "expired.pem", "certificate has expired"),
    ],
    ids=["unknown", "wrong host", "expired"],
)
def test_a_certificate_that_does_not_hold_is_no_connection(
    monkeypatch: pytest.MonkeyPatch, host: str, certificate: str, trusted: str | None, reason: str
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(TLS / trusted))
    with raw_server(GOOD, certificate) as server, pytest.raises(UnreachableError, match=reason):
        ask(f"https://{host}:{server.port}/")
    assert server.requests == []


def test_a_certificate_that_the_machine_trusts_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "valid.pem"))
    with raw_server(GOOD, "valid.pem") as server:
        assert len(ask(f"https://localhost:{server.port}/").items) == 2


def test_tls_to_a_service_without_it_is_no_connection() -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.close()

    with raw_server(hang_up) as server, pytest.raises(SupplyError) as caught:
        ask(f"https://127.0.0.1:{server.port}/", seconds=5)
    assert caught.value.retryable


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"])
def test_proxies_of_the_environment_do_not_get_the_key(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with raw_server(GOOD) as proxy, raw_server(GOOD) as server:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert len(ask(server.url).items) == 2
        assert proxy.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_stops_the_run_and_takes_no_key_along(status: int) -> None:
    with raw_server(GOOD) as other:
        away = http(f"{status} Elsewhere", "", f"Location: http://127.0.0.1:{other.port}/v1/items")
        error = refusal(away)
        assert (type(error), error.stops_run, other.requests) == (RedirectedError, True, [])


@pytest.mark.parametrize(
    ("status", "target", "kind"),
    [
        (307, "/v2/items", None),
        (308, "/v2/items", None),
        (302, "/v2/items", RedirectedError),
        (307, "/v1/items", RedirectedError),
        (307, "https://127.0.0.1:{port}/v2/items", RedirectedError),
        (307, "http://[nonsense/", RedirectedError),
        (307, "/v2/\x01", UnreachableError),
        (307, "", RedirectedError),
    ],
    ids=["307", "308", "302 repeats nothing", "in a circle", "other scheme", "nonsense", "odd characters", "nowhere"],
)
def test_a_redirect_on_the_same_host_is_followed_if_it_repeats_the_order(
    status: int, target: str, kind: type[SupplyError] | None
) -> None:
    def respond(connection: socket.socket) -> None:
        is_old = b"POST /v1/items" in server.requests[-1]
        location = target.format(port=server.port)
        connection.sendall(http(f"{status} Moved", "", f"Location: {location}") if is_old else GOOD)

    with raw_server(respond) as server:
        if kind is None:
            assert len(ask(server.url).items) == 2
            assert [request.partition(b"\r\n\r\n")[2].decode() for request in server.requests] == [BODY, BODY]
            return
        with pytest.raises(kind):
            ask(server.url)


def test_many_calls_share_connections() -> None:
    """A hundred calls, ten at a time, need no more than ten connections."""
    connections = []

    def respond(connection: socket.socket) -> None:
        connections.append(connection)
        alive = GOOD.replace(b"Connection: close\r\n", b"")
        connection.sendall(alive)
        while (data := connection.recv(65536)) and BODY.encode() in data:
            connection.sendall(alive)

    async def many(url: str) -> None:
        supplier = HttpSupplier(url, KEY, 30)
        gate = asyncio.Semaphore(10)

        async def one() -> None:
            async with gate:
                await supplier.supply(ORDER)

        await asyncio.gather(*[one() for _ in range(100)])
        await supplier.close()

    with raw_server(respond) as server:
        asyncio.run(many(server.url))
    assert len(connections) <= 10


ALIVE = GOOD.replace(b"Connection: close\r\n", b"")


async def _one_after_the_other(url: str, calls: int) -> list[Supply]:
    supplier = HttpSupplier(url, KEY, 30)
    try:
        return [await supplier.supply(ORDER) for _ in range(calls)]
    finally:
        await supplier.close()


@pytest.mark.parametrize("end", [lambda _: None, _reset], ids=["closed", "reset"])
def test_a_call_on_a_connection_that_the_server_has_given_up_is_made_again_on_a_fresh_one(end: Answer) -> None:
    """The service answers the first call of a connection, and ends it as it hears the second."""

    def respond(connection: socket.socket) -> None:
        connection.sendall(ALIVE)
        if connection.recv(65536):
            server.requests.append(b"unanswered")
            end(connection)

    with raw_server(respond) as server:
        supplies = asyncio.run(_one_after_the_other(server.url, 2))
    assert [len(supply.items) for supply in supplies] == [2, 2]
    assert server.requests[1] == b"unanswered"
    assert len(server.requests) == 3
    assert all(ORDER.key.encode() in server.requests[n] and BODY.encode() in server.requests[n] for n in (0, 2))


def test_a_repeated_call_that_fails_too_is_a_failed_try() -> None:
    """One repetition is free, no more: only the very first call is answered."""

    def respond(connection: socket.socket) -> None:
        if len(server.requests) == 1:
            connection.sendall(ALIVE)
            connection.recv(65536)

    with raw_server(respond) as server, pytest.raises(CutOffError):
        asyncio.run(_one_after_the_other(server.url, 2))
    assert len(server.requests) == 2


def test_a_call_on_a_fresh_connection_is_made_once() -> None:
    with raw_server(b"") as server, pytest.raises(CutOffError):
        ask(server.url)
    assert len(server.requests) == 1


def test_an_idle_connection_is_given_up_before_the_server_does_so() -> None:
    given_up = threading.Event()

    def respond(connection: socket.socket) -> None:
        connection.sendall(ALIVE)
        if connection.recv(1) == b"":
            given_up.set()

    async def idle(url: str) -> None:
        supplier = HttpSupplier(url, KEY, 30)
        await supplier.supply(ORDER)
        await asyncio.to_thread(wait_until, given_up.is_set, "the idle connection to be closed")
        await supplier.close()

    with raw_server(respond) as server:
        asyncio.run(idle(server.url))


def test_no_call_waits_for_another_one_s_connection() -> None:
    """The service answers none of 150 calls before all of them have come."""
    everybody = threading.Barrier(150)

    def respond(connection: socket.socket) -> None:
        everybody.wait()
        connection.sendall(GOOD)

    async def many(url: str) -> list[Supply]:
        supplier = HttpSupplier(url, KEY, 30)
        supplies = await asyncio.gather(*[supplier.supply(ORDER) for _ in range(150)])
        await supplier.close()
        return supplies

    with raw_server(respond) as server:
        assert len(asyncio.run(many(server.url))) == 150


def test_a_cancelled_call_gives_its_connection_up_and_harms_no_other() -> None:
    hung_up = threading.Event()

    def respond(connection: socket.socket) -> None:
        if len(server.requests) > 1:
            connection.sendall(GOOD)
            return
        if connection.recv(1) == b"":
            hung_up.set()

    async def cancel(url: str) -> Supply:
        supplier = HttpSupplier(url, KEY, 30)
        call = asyncio.create_task(supplier.supply(ORDER))
        await asyncio.to_thread(wait_until, lambda: server.requests, "the call to come")
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        await asyncio.to_thread(wait_until, hung_up.is_set, "the connection to be closed")
        supply = await supplier.supply(ORDER)
        await supplier.close()
        return supply

    with raw_server(respond) as server:
        assert len(asyncio.run(cancel(server.url)).items) == 2


def test_201_is_an_answer_as_200_is() -> None:
    with raw_server(http("201 Created", '{"items": ["a"]}', "Location: /v1/items/7")) as server:
        assert ask(server.url).items == (SuppliedItem("a"),)


def test_202_is_still_in_work_and_asked_again_under_its_key() -> None:
    error = refusal(http("202 Accepted", '{"items": []}', "Retry-After: 7"))
    assert type(error) is InWorkError
    assert (error.retryable, error.charge_open, error.retry_after) == (True, True, 7)


def test_an_answer_that_breaks_off_is_told_in_words() -> None:
    for answer in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"):
        error = refusal(answer)
        assert type(error) is CutOffError
        assert str(error).endswith("cut the connection before its answer was whole")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it does not speak TLS there"),
        (b"\x15\x03\x01\x00\x02\x02\x28", "no cipher of TLS is common to both"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "no version of TLS is common to both"),
        (b"\x15\x03\x01\x00\x02\x02\x50", "no TLS connection: tlsv1 alert internal error"),
        (b"", "the connection was cut"),
    ],
)
def test_what_is_wrong_with_tls_itself_is_told_in_words(answer: bytes, words: str) -> None:
    def after_hello(connection: socket.socket) -> None:
        connection.sendall(answer)

    with raw_handshakes(after_hello) as port:
        for call in (ask, _check):
            with pytest.raises(UnreachableError) as caught:
                call(f"https://localhost:{port}/v1")
            assert str(caught.value) == f"https://localhost:{port} can't be reached: {words}"


@contextmanager
def raw_handshakes(respond: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where every connection is answered its first bytes, and closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    respond(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_what_an_answer_sets_is_not_sent_along_with_the_next_call() -> None:
    async def twice(url: str) -> None:
        supplier = HttpSupplier(url, KEY, 30)
        await supplier.supply(ORDER)
        await supplier.supply(ORDER)
        await supplier.close()

    with raw_server(http("200 OK", '{"items": []}', "Set-Cookie: session=1; Path=/")) as server:
        asyncio.run(twice(server.url))
    assert b"cookie" not in server.requests[1].lower()


def _check(url: str) -> str:
    async def look() -> str:
        supplier = HttpSupplier(url, KEY, 30)
        try:
            return await supplier.check()
        finally:
            await supplier.close()

    return asyncio.run(look())


def test_a_look_whether_the_service_can_be_reached_sends_nothing() -> None:
    with raw_server(GOOD) as server:
        assert _check(f"{server.url}?token=secret") == f"http://127.0.0.1:{server.port} can be reached"
    assert server.requests == []


def test_a_look_at_a_service_that_is_not_there_says_why() -> None:
    with pytest.raises(UnreachableError, match=r"http://nowhere\.invalid can't be reached: "):
        _check("http://nowhere.invalid/")


def test_a_look_at_a_service_whose_certificate_does_not_hold_says_so() -> None:
    with raw_server(GOOD, "valid.pem") as server, pytest.raises(UnreachableError, match="self-signed certificate"):
        _check(f"https://localhost:{server.port}/")
