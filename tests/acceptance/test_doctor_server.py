"""`kylink doctor` on a server: what would stop an unattended run there, and the very words that mend it."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from kylink_cli.cli import app
from tests.support.pgbouncer import PgBouncer
from tests.support.postgres import PostgresServer, Standby

Finding = dict[str, str]


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server whose ways this test may change."""
    with PostgresServer() as server:
        yield server


def findings(url: str, folder: Path, verdicts: tuple[str, ...] = ("warning", "error")) -> list[Finding]:
    settings = {"DATABASE_URL": url, "XDG_STATE_HOME": str(folder)}
    checks = json.loads(CliRunner().invoke(app, ["doctor", "--json"], env=settings).stdout)["checks"]
    return [
        check for check in checks if check["area"] in {"database", "server", "clock"} and check["verdict"] in verdicts
    ]


def test_a_server_on_which_all_is_well(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.new_database()
    assert findings(url, tmp_path) == []
    assert any("connections of the server are in use" in found["text"] for found in findings(url, tmp_path, ("ok",)))


def test_missing_rights_are_named_and_the_statements_given_mend_them(postgres: PostgresServer, tmp_path: Path) -> None:
    url, user = postgres.new_database(), f"least_{uuid.uuid4().hex}"
    theirs = url.replace("kylink@", f"{user}@")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(
            f"CREATE ROLE {user} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}; "
            f"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}; "
            f"REVOKE INSERT, UPDATE ON leases FROM {user}"
        )
        found = findings(theirs, tmp_path)
        texts = [finding["text"] for finding in found]
        assert f"the user {user} lacks INSERT, UPDATE on TABLE public.leases" in texts
        assert f"the user {user} lacks USAGE on SEQUENCE public.leases_id_seq" in texts
        assert not any("TABLE public.campaigns" in text for text in texts)
        for finding in found:
            owner.execute(finding["advice"].removeprefix("as its owner: ").encode())
    assert findings(theirs, tmp_path) == []


def test_a_user_who_may_do_nothing_is_told_of_every_right(postgres: PostgresServer, tmp_path: Path) -> None:
    url, user = postgres.new_database(), f"nobody_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {user} LOGIN")
        for _ in range(2):
            for finding in findings(url.replace("kylink@", f"{user}@"), tmp_path):
                statement = finding["advice"].removeprefix("as its owner: ")
                if statement:
                    owner.execute(statement.encode())
    assert findings(url.replace("kylink@", f"{user}@"), tmp_path) == []


def test_a_standby_is_named_as_one(own_server: PostgresServer, tmp_path: Path) -> None:
    url = own_server.new_database()
    with Standby(own_server) as standby:
        [found] = findings(standby.url(url.rpartition("/")[2]), tmp_path, ("error",))
    assert found["text"] == "the server is a standby: nothing can be written there"
    assert "target_session_attrs=read-write" in found["advice"]


def test_a_pooler_is_named(postgres: PostgresServer, tmp_path: Path) -> None:
    with PgBouncer(postgres, "transaction") as pooler:
        found = findings(pooler.url(postgres.new_database()), tmp_path, ("ok",))
    assert any(finding["text"].startswith("connections go through a pooler") for finding in found)


def test_a_server_that_wants_tls_is_named_as_that(own_server: PostgresServer, tmp_path: Path) -> None:
    url = own_server.new_database()
    own_server.allow("local all all trust", "hostssl all all 127.0.0.1/32 trust")
    [found] = findings(url, tmp_path)
    assert "over TLS only, as by 'hostssl'" in found["text"]
    [found] = findings(f"{url}?sslmode=require", tmp_path)
    assert found["text"].startswith("the server does not support TLS")


def test_connections_that_are_nearly_used_up_are_a_warning(postgres: PostgresServer, tmp_path: Path) -> None:
    url, user = postgres.new_database(), f"few_{uuid.uuid4().hex}"
    postgres.execute(f"CREATE ROLE {user} SUPERUSER LOGIN CONNECTION LIMIT 5")
    theirs = url.replace("kylink@", f"{user}@")
    with psycopg.connect(theirs), psycopg.connect(theirs), psycopg.connect(theirs):
        [found] = findings(theirs, tmp_path)
    assert (found["verdict"], found["text"]) == ("warning", "4 of 5 connections of the user are in use")
