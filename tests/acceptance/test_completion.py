"""Completion in real shells: commands, options, and names out of the database."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kylink_cli.store.engine.postgresql import open_server
from tests.support.cli import clean_environment, run_kylink
from tests.support.database import add_campaigns
from tests.support.installation import Installation
from tests.support.postgres import PostgresServer
from tests.support.screen import drawn
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

ODD = "odd id; $(touch leak) 'x'"


@pytest.fixture
def kylink(tmp_path: Path) -> Iterator[Installation]:
    """A kylink with a few campaigns, an alert and a run, in whose folder `kylink` is a program."""
    with Installation.without_supply(tmp_path) as installation:
        installation.add_campaigns("shoes-1", "shoes-2", "tea", "SHOES-3", ODD)
        installation.run("alert-check")
        program = tmp_path / "bin" / "kylink"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m kylink_cli "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        yield installation


def environment(kylink: Installation) -> dict[str, str]:
    return kylink.environment | {"PATH": f"{kylink.folder / 'bin'}:{kylink.environment['PATH']}"}


def in_bash(kylink: Installation, *words: str) -> list[str]:
    """What bash would offer for the last of some words."""
    listed = " ".join(shlex.quote(word) for word in words)
    script = f"""
        source <(kylink completion bash)
        COMP_WORDS=({listed}) COMP_CWORD={len(words) - 1}
        _kylink_completion kylink
        [ ${{#COMPREPLY[@]}} = 0 ] || printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script], env=environment(kylink), cwd=kylink.folder, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed (make packages)")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["kylink", "camp"], ["campaigns"]),
        (["kylink", "campaigns", "show", "sho"], ["shoes-1", "shoes-2"]),
        (["kylink", "campaigns", "pause", "tea", "shoes-2"], ["shoes-2"]),
        (["kylink", "leases", "take", "te"], ["tea"]),
        (["kylink", "replenish", "--campaign", "te"], ["tea"]),
        (["kylink", "alerts", "show", ""], ["1"]),
        (["kylink", "alerts", "ack", "9"], []),
        (["kylink", "jobs", "show", ""], ["1"]),
        (["kylink", "jobs", "pause", "mon"], ["monitoring_alert"]),
        (["kylink", "config", "show", "WATERMARK_C"], ["WATERMARK_COVER_HOURS"]),
        (["kylink", "alerts", "list", "--level", "W"], ["WARNING"]),
        (["kylink", "replenish", "--sched"], ["--scheduled"]),
        (["kylink", "campaigns", "show", "%"], []),
    ],
    ids=" ".join,
)
def test_bash_offers_what_fits(kylink: Installation, words: list[str], expected: list[str]) -> None:
    assert in_bash(kylink, *words) == expected


def test_an_odd_id_is_one_word_and_nothing_else(kylink: Installation) -> None:
    (offered,) = in_bash(kylink, "kylink", "campaigns", "show", "odd")
    assert shlex.split(offered) == [ODD]
    assert not (kylink.folder / "leak").exists()


@needs("fish")
def test_fish_offers_what_fits(kylink: Installation) -> None:
    for line, expected in (
        ("kylink campaigns show sho", {"shoes-1", "shoes-2"}),
        ("kylink alerts show ", {"1"}),
        ("kylink jobs pa", {"pause"}),
    ):
        script = f"kylink completion fish | source; complete -C {shlex.quote(line)}"
        done = subprocess.run(
            ["fish", "--no-config", "-c", script],
            env=environment(kylink),
            cwd=kylink.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        assert {found.split("\t")[0] for found in done.stdout.splitlines()} == expected


@needs("zsh")
def test_zsh_completes_what_is_typed(kylink: Installation) -> None:
    start = "autoload -Uz compinit; compinit -u -D; PS1='ready> '; source <(kylink completion zsh)\r"
    with drawn(["zsh", "-f", "-i"], environment(kylink), kylink.folder, (120, 24)) as screen:
        screen.press(start)
        screen.wait_for("\nready>")
        screen.press("kylink campaigns show te\t")
        screen.wait_for("kylink campaigns show tea")
        screen.press("\x15kylink alerts acknow\t\x15")
        screen.press("kylink jobs pause mon\t")
        screen.wait_for("kylink jobs pause monitoring_alert")
        screen.press("\x15kylink campaigns show od\t")
        screen.wait_for("kylink campaigns show odd")
    assert not (kylink.folder / "leak").exists()


HOSTILE = [
    f"{number:02}{text}"
    for number, text in enumerate(
        [
            "$(touch leak)",
            r"\$(touch leak)",
            r"\\$(touch leak)",
            "`touch leak`",
            r"\`touch leak\`",
            "$(touch${IFS}leak)",
            "'$(touch leak)'",
            '"$(touch leak)"',
            "'; touch leak; '",
            '"; touch leak; "',
            "; touch leak",
            "| touch leak",
            "& touch leak",
            "&& touch leak #",
            "(touch leak)",
            "((touch leak))",
            "))'; touch leak; ((",
            ")'; touch leak; : '(",
            "<(touch leak)",
            "=(touch leak)",
            ">leak",
            "${(e):-$(touch leak)}",
            "*(e:'touch leak':)",
            "[$(touch leak)]",
            ":$(touch leak)",
            "{a,$(touch leak)}",
            "$'$(touch leak)'",
            "$((a[$(touch leak)]))",
            "%{$(touch leak)%}",
            "!!$(touch leak)",
            "~$(touch leak)~",
            "^$(touch leak)^x",
        ]
    )
]
STARTS = {
    "bash": (["bash", "--norc", "-i"], "PS1='ready> '; set +H; source <(kylink completion bash)"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -Uz compinit; compinit -u -D; PS1='ready> '; source <(kylink completion zsh)",
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        "function fish_prompt; echo 'ready> '; end; set -U fish_greeting; kylink completion fish | source",
    ),
}


@pytest.mark.parametrize("shell", [pytest.param(name, marks=needs(name)) for name in STARTS])
def test_hostile_ids_and_names_run_nothing_at_the_prompt(kylink: Installation, shell: str) -> None:
    kylink.add_campaigns(*HOSTILE)
    kylink.execute("UPDATE campaigns SET name = id")
    command, start = STARTS[shell]
    with drawn(command, environment(kylink), kylink.folder, (120, 60)) as screen:
        screen.press(f"{start}; clear\r")
        screen.wait_for_last("ready>")
        screen.press("kylink campaigns show 1\t\t")
        screen.wait_for("19")
        for number, campaign_id in enumerate(HOSTILE):
            screen.press(f"\x15kylink campaigns pause {number:02}\t")
            wait_until(lambda: re.search(rf"pause {number:02}\S", screen.text), campaign_id)  # noqa: B023
    assert not (kylink.folder / "leak").exists()


@pytest.mark.parametrize("shell", [pytest.param(name, marks=needs(name)) for name in STARTS])
def test_ids_are_offered_in_natural_order(kylink: Installation, shell: str) -> None:
    kylink.add_campaigns("c10x", "c9x", "c1x", "c100x", "c2x")
    command, start = STARTS[shell]
    with drawn(command, environment(kylink), kylink.folder, (120, 60)) as screen:
        screen.press(f"{start}; clear\r")
        screen.wait_for_last("ready>")
        screen.press("kylink campaigns show c\t\t")
        wait_until(lambda: len(set(re.findall(r"\bc\d+x\b", screen.text))) == 5, "five ids")
        listed = list(dict.fromkeys(re.findall(r"\bc\d+x\b", screen.text)))
    # fish writes the first of them behind the prompt.
    assert listed == ["c1x", "c2x", "c9x", "c10x", "c100x"]


@pytest.mark.parametrize("shell", [pytest.param(name, marks=needs(name)) for name in STARTS])
def test_what_a_shell_has_completed_is_the_id(kylink: Installation, shell: str) -> None:
    command, start = STARTS[shell]
    with drawn(command, environment(kylink), kylink.folder, (120, 60)) as screen:
        screen.press(f"{start}; clear\r")
        screen.wait_for_last("ready>")
        screen.press("kylink campaigns pause odd\t")
        wait_until(lambda: re.search(r"pause odd\S", screen.text), "the completed id")

        def is_done() -> bool:
            # What is pressed while a shell completes is lost in some of them.
            screen.press("\r")
            return kylink.rows("SELECT id FROM campaigns WHERE status = 'paused'") == [ODD]

        wait_until(is_done, "the campaign to be paused")
    assert not (kylink.folder / "leak").exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"DATABASE_URL": "sqlite:////nonexistent/kylink.db"},
        {"DATABASE_URL": "nonsense"},
        {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"},
    ],
    ids=str,
)
def test_whatever_is_wrong_is_not_told_in_the_middle_of_a_line(kylink: Installation, settings: dict[str, str]) -> None:
    kylink.settings.update(settings)
    assert in_bash(kylink, "kylink", "campaigns", "show", "sho") == []
    assert in_bash(kylink, "kylink", "campaigns", "sho") == ["show"]


def test_a_damaged_env_file_is_not_told_either(kylink: Installation) -> None:
    del kylink.settings["DATABASE_URL"]
    (kylink.folder / ".env").write_text('this is = "no env file\n', encoding="utf-8")
    assert in_bash(kylink, "kylink", "campaigns", "show", "sho") == []


def test_the_env_file_names_the_database(kylink: Installation) -> None:
    url = kylink.settings.pop("DATABASE_URL")
    (kylink.folder / "other.env").write_text(f"DATABASE_URL={url}\n", encoding="utf-8")
    assert in_bash(kylink, "kylink", "--env-file", "other.env", "campaigns", "show", "te") == ["tea"]
    (kylink.folder / ".env").write_text(f"DATABASE_URL={url}\n", encoding="utf-8")
    assert in_bash(kylink, "kylink", "campaigns", "show", "te") == ["tea"]


@pytest.mark.parametrize("folder", ["with #1 in it", "what? 100%"])
def test_the_path_of_the_database_may_hold_any_character(kylink: Installation, folder: str) -> None:
    kylink.database.close()
    odd = kylink.folder / folder
    odd.mkdir()
    (kylink.folder / "kylink.db").rename(odd / "kylink.db")
    for url in (f"sqlite:///{odd}/kylink.db", f"  sqlite:///{odd}/kylink.db "):
        kylink.settings["DATABASE_URL"] = url
        assert in_bash(kylink, "kylink", "campaigns", "show", "te") == ["tea"]


def test_a_tilde_in_the_path_is_the_home_as_for_every_command(kylink: Installation) -> None:
    kylink.settings |= {"HOME": str(kylink.folder), "DATABASE_URL": "sqlite:///~/kylink.db"}
    assert in_bash(kylink, "kylink", "campaigns", "show", "te") == ["tea"]
    del kylink.settings["DATABASE_URL"]
    (kylink.folder / ".env").write_text("database_url=sqlite:///~/kylink.db\n", encoding="utf-8")
    kylink.settings["DATABASE_URL"] = " "
    assert in_bash(kylink, "kylink", "campaigns", "show", "te") == ["tea"]


def test_names_come_from_a_server_too(kylink: Installation, postgres: PostgresServer) -> None:
    url = postgres.new_database()
    with closing(open_server(url)) as database:
        add_campaigns(database, "green", "grey")
    kylink.settings["DATABASE_URL"] = url
    assert in_bash(kylink, "kylink", "campaigns", "show", "gr") == ["green", "grey"]


def test_completing_loads_no_heavy_library(kylink: Installation) -> None:
    probe = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(sorted({'psycopg', 'rich', 'sqlalchemy', 'sqlmodel'} & sys.modules.keys()), "
        "file=sys.__stderr__))\n"
        "from kylink_cli.__main__ import main; sys.argv = ['kylink']; main()\n"
    )
    words = {"COMP_WORDS": "kylink campaigns show te", "COMP_CWORD": "3", "_KYLINK_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-c", probe],
        env=kylink.environment | words,
        cwd=kylink.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("tea\n", "[]\n")


def test_an_unknown_shell_is_named() -> None:
    result = run_kylink("completion", "tcsh", env=clean_environment())
    assert (result.returncode, result.stdout) == (2, "")
    assert "tcsh" in result.stderr
