"""`kylink keys …`: who may use the HTTP face."""

from tests.support.installation import Installation


def test_a_key_is_shown_once_and_kept_as_a_hash(kylink: Installation) -> None:
    made = kylink.run("keys", "add", "shop", "--user", "u1")
    key = made.stdout.strip()
    assert (made.returncode, len(key) > 50) == (0, True)
    [row] = kylink.rows("SELECT name, public_id, secret_hash, user_id, abilities FROM http_keys")
    assert (row[0], row[3], row[4]) == ("shop", "u1", "consume")
    assert key.split("_")[2] not in repr(row)
    assert key not in kylink.run("keys", "list").stdout + kylink.run("keys", "list", "--json").stdout


def test_keys_are_listed_without_secrets(kylink: Installation) -> None:
    kylink.run("keys", "add", "shop", "--user", "u1")
    kylink.run("keys", "add", "desk", "--can", "read,operate")
    listed = kylink.document("keys", "list")["keys"]
    assert [(k["name"], k["user_id"], k["can"]) for k in listed] == [
        ("desk", None, ["operate", "read"]),
        ("shop", "u1", ["consume"]),
    ]


def test_a_name_stands_for_one_key(kylink: Installation) -> None:
    kylink.run("keys", "add", "shop")
    again = kylink.run("keys", "add", "shop")
    assert (again.returncode, again.stderr) == (
        2,
        "kylink: there is a key shop already: revoke or rotate it, or choose another name\n",
    )


def test_rotating_gives_the_name_another_secret(kylink: Installation) -> None:
    first = kylink.document("keys", "add", "shop")["key"]
    second = kylink.document("keys", "rotate", "shop")["key"]
    assert first != second
    assert kylink.document("keys", "list")["keys"][0]["rotated_at"] is not None


def test_a_revoked_key_is_gone(kylink: Installation) -> None:
    kylink.run("keys", "add", "shop")
    assert kylink.document("keys", "revoke", "shop") == {"name": "shop", "revoked": True}
    assert kylink.run("keys", "revoke", "shop").returncode == 11
    assert kylink.run("keys", "rotate", "shop").returncode == 11


def test_a_key_that_can_do_nothing_known_is_a_mistake(kylink: Installation) -> None:
    refused = kylink.run("keys", "add", "shop", "--can", "consume,everything")
    assert (refused.returncode, "'everything'" in refused.stderr) == (2, True)
    assert kylink.run("keys", "add", "a b").returncode == 2


def test_a_user_without_campaigns_is_spoken_of(kylink: Installation) -> None:
    kylink.add_campaigns("1")
    assert "no campaigns" not in kylink.run("keys", "add", "shop", "--user", "u1").stderr
    assert kylink.run("keys", "add", "typo", "--user", "u11").stderr.startswith("user u11 has no campaigns yet\n")
