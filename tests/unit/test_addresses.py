"""What is shown of an address: scheme, host and port, and nothing that could be a secret, whatever its name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kylink_cli.rules.addresses import is_plain, shown_address

PASSWORDS = [
    "hunter2",
    "hun@ter2",
    "hun/ter2",
    "hun#ter2",
    "hun?ter2",
    "hun:ter2",
    "h@/#?u:nter2",
    "12/34hunter2",
    "hun[ter2",
]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://db.example", "postgresql://db.example"),
        ("postgresql://db.example:5432/kylink", "postgresql://db.example:5432/********"),
        ("postgresql://me@db.example/kylink", "postgresql://********@db.example/********"),
        ("postgresql://me:hush@db.example/k?sslmode=require", "postgresql://********@db.example/********"),
        ("postgresql://a.example:1,b.example:2/k", "postgresql://a.example:1,b.example:2/********"),
        ("postgresql:///k?host=/run/postgresql", "postgresql:///********"),
        ("redis://:hush@[::1]:6379/0", "redis://********@[::1]:6379/********"),
        ("https://supply.example/", "https://supply.example/"),
        ("https://supply.example/v1/items", "https://supply.example/********"),
        ("https://supply.example?p%61ssword=hush", "https://supply.example/********"),
        ("https://supply.example/v1?auth=hush&sig=hush", "https://supply.example/********"),
        ("https://supply.example:hush/", "https://********"),
        ("vault://hush.example/with/path", "vault://hush.example/********"),
        ("vault:hush", "vault:********"),
        ("database:", "database:"),
        ("sqlite:////var/lib/kylink/kylink.db", "sqlite:////var/lib/kylink/kylink.db"),
        ("sqlite:///kylink.db?key=hush", "sqlite:///kylink.db?********"),
        ("exec:/usr/local/bin/values", "exec:/usr/local/bin/values"),
        ("file:/var/lib/values?hush", "file:/var/lib/values?********"),
        ("host=db.example password=hush", "********"),
        ("hush and hush", "********"),
        ("/var/lib/kylink.db", "/var/lib/kylink.db"),
    ],
)
def test_scheme_host_and_port_are_shown(address: str, expected: str) -> None:
    assert shown_address(address) == expected


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "redis", "rediss", "https", "mysql"])
@pytest.mark.parametrize(
    "address", ["{s}://me:{p}@db.example/k", "{s}://me:{p}@db.example:5432/k?x=y", "{s}://:{p}@db.example"]
)
def test_no_piece_of_a_password_is_shown(scheme: str, address: str) -> None:
    shown = {password: shown_address(address.format(s=scheme, p=password)) for password in PASSWORDS}
    assert [password for password, text in shown.items() if re.search("hun|ter2|12", text)] == []


@given(st.text(alphabet="abcXYZ019@/#?:[]%. ,&=", max_size=20))
def test_whatever_the_password_nothing_before_the_last_at_sign_is_shown(password: str) -> None:
    assert shown_address(f"postgresql://me:q{password}q@db.example/k") in {
        "postgresql://********@db.example/********",
        "postgresql://********",
    }


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://me:hush@db.example/k", True),
        ("postgresql://me:hu%40sh@db.example:5432,b.example/k", True),
        ("postgresql:///k?host=/run/postgresql", True),
        ("postgresql://me:hu@sh@db.example/k", False),
        ("postgresql://me:hu/sh@db.example/k", False),
        ("postgresql://me:hu#sh@db.example/k", False),
        ("postgresql://me:hush/k", False),
    ],
)
def test_an_address_is_plain_if_it_can_be_read_in_one_way_only(address: str, expected: bool) -> None:
    assert is_plain(address) is expected
