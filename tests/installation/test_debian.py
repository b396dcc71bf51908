"""On a pristine Debian: what README promises, by an ordinary user, and the server's installation, word by word.

The tests of one Debian build on each other, in their order: a class, which one process runs from start to end.
"""

import json
import re

import pytest

from kylink_cli.demo.service import SupplyService
from tests.installation.conftest import KEY, PYTHONS
from tests.support.debian import as_user, on_terminal_of
from tests.support.instructions import ROOT, commands
from tests.support.machine import Machine
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
GUIDE = "docs/installation.md"
EXAMPLE = "https://supply.example/v1/items"
CHANNEL = "json://reader:p4ss@127.0.0.1:9/"
HANDFUL = "tests/unit/test_settings.py tests/acceptance/test_setup.py tests/integration/test_leasing.py"
# What kylink makes outside of a home, by where 'make install' and the package put it.
MADE = (
    "/opt/kylink {prefix}/bin/kylink {prefix}/share/man/man1/kylink.1 {prefix}/share/bash-completion/completions/kylink"
)


def typed(machine: Machine, command: str, *, check: bool = True) -> str:
    """What a command says that the ordinary user types in his clone."""
    return as_user(machine, f"cd kylink && {command}", check=check)


def follow(machine: Machine, heading: str, service: SupplyService, *, leave_out: str = "nothing") -> str:
    """Type the commands of a section of the guide, in order; all that they said."""
    lines = [line for line in commands(GUIDE, heading) if leave_out not in line]
    assert lines
    return "".join(typed(machine, line.replace(EXAMPLE, service.url)) for line in lines)


def is_there(machine: Machine, path: str) -> bool:
    return machine.run("test", "-e", path, check=False).returncode == 0


def users_of(release: str) -> str:
    """The command that lists, in /proc, the command lines of what runs from a release."""
    return f"grep -lsE '{release}/bin/[p]ython' /proc/[0-9]*/cmdline"


def is_running(machine: Machine, release: str) -> bool:
    return machine.run("sh", "-c", users_of(release), check=False).stdout != ""


# Whatever a consumer may try beside taking items; each is one line of a shell.
FORBIDDEN = [
    "kylink jobs status",
    "kylink campaigns list",
    "kylink config show",
    "kylink leases",
    "kylink leases purge",
    "kylink --env-file /tmp/evil leases take 42",
    "kylink leases take 42 --env-file /tmp/evil",
    "kylink leases take 42 --env-file=/tmp/evil",
    "kylink leases take 42 --key 'a --env-file=/tmp/evil'",
    "kylink leases take 42 --debug",
    "BELL=spawn kylink leases take 42",
    "sh -c id",
]


def test_the_readme_says_no_other_commands_than_the_guide() -> None:
    server = commands("README.md", "Install it on a server")
    guide = commands(GUIDE, "1. The program") + commands(GUIDE, "2. Settings, database, campaigns, timers")
    assert server == [line for line in guide if "make install" in line or "kylink setup" in line]


class Installation:
    """The steps on one Debian, in their order."""

    release: str

    def test_the_demo_runs_with_nothing_but_what_the_readme_asks_for(self, debian: Machine) -> None:
        demo, _ = commands("README.md", "Two commands")
        shown = typed(debian, demo)
        assert "packages into .venv with Python 3." in shown
        assert "Spring sale" in shown

    def test_a_handful_of_tests_passes(self, debian: Machine) -> None:
        shown = typed(debian, f"make setup && .venv/bin/pytest -q -n 2 {HANDFUL}")
        assert " passed" in shown
        assert " failed" not in shown

    @pytest.mark.parametrize("python", [path.name for path in PYTHONS])
    def test_the_demo_runs_with_other_pythons(self, debian: Machine, python: str) -> None:
        if "bookworm" in debian.read("/etc/os-release"):  # which they were built for
            # Their own library is no longer where it was built for.
            debian.shell(f"echo /opt/{python}/lib > /etc/ld.so.conf.d/{python}.conf; ldconfig")
            command = f"git clone -q kylink {python} && cd {python} && make demo PYTHON=/opt/{python}/bin/python3"
            assert "Spring sale" in as_user(debian, command)

    def test_a_set_up_that_fails_says_so_in_a_line_and_leaves_nothing(self, debian: Machine) -> None:
        offline = "PIP_CONFIG_FILE=/dev/null PIP_INDEX_URL=http://127.0.0.1:9/simple"
        shown = as_user(debian, f"git clone -q kylink broken && cd broken && {offline} make setup", check=False)
        told = [line for line in shown.splitlines() if line.startswith("kylink: ")]
        assert len(told) == 2, shown
        assert "takes about" in told[0]
        assert told[1].startswith("kylink: the package index can't be reached")
        assert told[1].endswith("Then: make setup")
        assert as_user(debian, "ls -d broken/.venv*").split() == ["broken/.venv.log"]

    def test_make_install_makes_everything_and_says_so(self, debian: Machine, service: SupplyService) -> None:
        said = follow(debian, "1. The program", service)
        assert "next: sudo kylink setup" in said
        for path in MADE.format(prefix="/usr/local").split():
            assert is_there(debian, path), path
        assert "(MB" not in said
        assert debian.shell("stat -c '%U:%G %a' /etc/kylink /etc/kylink/credentials /var/lib/kylink").splitlines() == [
            "root:kylink 750",
            "root:kylink 750",
            "kylink:kylink 700",
        ]
        said_megabytes = re.search(r"(\d+) MB \(`du -sm /opt/kylink`\)", (ROOT / GUIDE).read_text(encoding="utf-8"))
        assert said_megabytes is not None
        assert abs(int(debian.shell("du -sm /opt/kylink").split()[0]) - int(said_megabytes[1])) <= 10
        count = "find -L /opt/kylink/current/lib -name '*.{}' | wc -l"
        sources, bytecode = (int(debian.shell(count.format(kind))) for kind in ("py", "pyc"))
        assert bytecode == sources

    def test_kylink_setup_asks_and_lets_the_timers_begin(self, debian: Machine, service: SupplyService) -> None:
        asked, told = [line for line in commands(GUIDE, "2. Settings, database, campaigns, timers") if "setup" in line]
        hidden = "(not shown; empty: none, or as before): "
        seen = on_terminal_of(
            debian,
            f"cd kylink && {asked}",
            [
                ("Supply service (URL)", f"{service.url}\n"),
                (f"Its key {hidden}", f"{KEY}\n"),
                (f"addresses {hidden}", f"{CHANNEL}\n"),
                ("Campaigns to import", "campaigns.csv\n"),
                ("Send a test alert?", "n\n"),
                ("Start the timers now?", "y\n"),
            ],
        )
        assert seen.returncode == 0, seen.text
        assert KEY not in seen.text
        assert "p4ss" not in seen.text
        assert "2 added" in seen.text
        assert debian.property("kylink-replenish.timer", "ActiveState") == "active"
        assert debian.shell("stat -c '%U:%G %a' /etc/kylink/kylink.env /etc/kylink/credentials/*").split("\n")[:2] == [
            "root:kylink 640",
            "root:kylink 640",
        ]
        assert "2 unchanged" in typed(debian, told.replace(EXAMPLE, service.url))

    def test_the_timers_fill_the_campaigns(self, debian: Machine) -> None:
        debian.run("systemctl", "start", "kylink-replenish.service")
        listed = debian.shell("runuser -u kylink -- kylink campaigns list --low --json")
        assert '"campaigns": []' in listed

    def test_the_guide_goes_through_word_by_word(self, debian: Machine, service: SupplyService) -> None:
        said = follow(debian, "2. Settings, database, campaigns, timers", service, leave_out="kylink setup")
        assert "there is a database" in said
        follow(debian, "3. The timers", service)
        debian.run("kylink", "systemd", "uninstall")
        follow(debian, "Without systemd: cron", service)
        debian.run("kylink", "cron", "uninstall")
        debian.run("kylink", "systemd", "install", "--now")

    def test_an_upgrade_leaves_what_runs_its_files(self, debian: Machine, service: SupplyService) -> None:
        old = debian.shell("realpath /opt/kylink/current").strip()
        running = debian.start(f"{old}/bin/python", "-c", "import time; time.sleep(900)")
        wait_until(lambda: is_running(debian, old), "the old program to run")
        assert f"{old} is in use still" in follow(debian, "Upgrade", service)
        assert is_there(debian, old)
        assert debian.shell("realpath /opt/kylink/current").strip() != old
        assert debian.property("kylink-replenish.timer", "ActiveState") == "active"
        debian.shell(f"{users_of(old)} | cut -d / -f 3 | xargs kill")
        running.communicate()

    def test_a_backup_is_brought_back(self, debian: Machine, service: SupplyService) -> None:
        follow(debian, "Restore a backup", service)

    def test_an_installation_that_fails_leaves_the_old_one_at_work(self, debian: Machine) -> None:
        before = debian.shell("ls /opt/kylink; realpath /opt/kylink/current")
        failed = typed(
            debian, "sudo PIP_CONFIG_FILE=/dev/null PIP_INDEX_URL=http://127.0.0.1:9/simple make install", check=False
        )
        assert "kylink: the package index can't be reached" in failed
        assert "Then: sudo make install" in failed
        assert "Traceback" not in failed
        after = debian.shell("rm -f /opt/kylink/*.log; ls /opt/kylink; realpath /opt/kylink/current")
        assert (after, debian.run("kylink", "--version").returncode) == (before, 0)

    def test_a_consumer_takes_items_and_can_do_nothing_else(self, debian: Machine) -> None:
        (group,) = [line for line in commands("docs/consumers.md", "As which user?") if "usermod" in line]
        (take,) = [line for line in commands("docs/consumers.md", "As which user?") if "leases take" in line]
        debian.shell("useradd --create-home --shell /bin/bash alice")
        assert "a password is required" in as_user(debian, take, "alice", check=False)
        typed(debian, group)
        debian.run("systemctl", "start", "kylink-replenish.service")
        # A folder of hers says nothing to kylink.
        as_user(debian, "echo DATABASE_URL=sqlite:////tmp/evil.db > .env", "alice")
        token = json.loads(as_user(debian, take, "alice"))["leases"][0]["token"]
        assert "confirmed" in as_user(debian, f"sudo -n -u kylink kylink leases confirm {token}", "alice")
        for command in FORBIDDEN:
            refused = as_user(debian, f"sudo -n -u kylink {command}; echo ended $?", "alice")
            assert "sudo: " in refused, command
            assert "ended 1" in refused, command
        assert not is_there(debian, "/tmp/evil.db")
        as_user(debian, "rm .env", "alice")

    def test_who_may_not_is_told_as_whom_to_type_it(self, debian: Machine) -> None:
        for command in ("leases take 42", "jobs status", "doctor", "campaigns list", "config show"):
            refused = as_user(debian, f"kylink {command}; echo ended $?", "alice")
            assert "as user kylink: sudo -u kylink kylink" in refused, refused
            assert "ended 78" in refused or "ended 1" in refused, refused
        assert "sudo kylink setup" in as_user(debian, "kylink setup", "alice", check=False)

    def test_other_ways_to_keep_a_kylink_work(self, debian: Machine) -> None:
        as_user(debian, "python3 -m venv tools && tools/bin/pip install -q pipx uv")
        environment = (
            f"rm -rf ~/.local; export PATH=~/tools/bin:~/.local/bin:/usr/bin:/bin SSL_CERT_FILE={CERTIFICATES}"
        )
        for line in commands(GUIDE, "Without root, for yourself"):
            assert "kylink 0" in as_user(debian, f"{environment}; cd kylink && {line} && kylink --version")

    def test_uninstall_undoes_all_but_data(self, debian: Machine, service: SupplyService) -> None:
        units = "/opt/kylink/current/lib/python3*/site-packages/kylink_cli/scheduling/unit_files"
        debian.shell(f"cp {units}/kylink-report.* /etc/systemd/system/")
        debian.run("systemctl", "enable", "--now", "kylink-report.timer")
        follow(debian, "Remove it", service)
        for path in f"{MADE} /etc/sudoers.d/kylink /etc/sysusers.d/kylink.conf".format(prefix="/usr/local").split():
            assert not is_there(debian, path), path
        assert (
            debian.shell("find /etc/systemd/system -name 'kylink*'; systemctl list-units --all --no-legend 'kylink-*'")
            == ""
        )
        assert debian.shell("ls /etc/kylink /var/lib/kylink/kylink.db").split()[:2] == [
            "/var/lib/kylink/kylink.db",
            "/etc/kylink:",
        ]

    def test_the_package_makes_the_same(self, debian: Machine) -> None:
        build, install, setup = commands(GUIDE, "As a Debian package")
        typed(debian, build)
        typed(debian, install)
        for path in MADE.format(prefix="/usr").split():
            assert is_there(debian, path), path
        assert "this host is set up" in typed(debian, f"{setup} --yes --timers")
        assert debian.property("kylink-replenish.timer", "ActiveState") == "active"
        debian.run("systemctl", "start", "kylink-recover-leases.service")
        typed(debian, "sudo apt-get remove --yes kylink")
        assert not is_there(debian, "/opt/kylink")
        assert debian.shell("find /etc/systemd/system -name 'kylink*'") == ""


class TestBookworm(Installation):
    release = "bookworm"


class TestTrixie(Installation):
    release = "trixie"
