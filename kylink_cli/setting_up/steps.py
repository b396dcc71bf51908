"""What follows once a host's settings are written: commands that a person could type, one after the other."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kylink_cli.children import own_command
from kylink_cli.errors import BadFileError
from kylink_cli.language import tr
from kylink_cli.reasons import reason
from kylink_cli.scheduling import systemd
from kylink_cli.setting_up.answers import Answers
from kylink_cli.setting_up.host import Host


@dataclass(frozen=True, slots=True)
class Step:
    """A command of kylink's own."""

    purpose: str
    arguments: Sequence[str]
    by_service: bool = True  # whether the jobs' user runs it, else whoever sets up
    piped: bytes = b""  # what it finds on standard input
    must_succeed: bool = True  # whether nothing follows its failure

    def shown(self, host: Host) -> str:
        """The command as a person types it."""
        words = ["kylink", *self.arguments]
        if host.service is None:
            return " ".join([*words[:1], "--env-file", str(host.env_file), *words[1:]])
        return " ".join(["sudo", *(["-u", host.service.pw_name] if self.by_service else []), *words])

    def run(self, host: Host, *, quiet: bool) -> int:
        """Run it, with the rights that it needs and no more; its exit code.

        Args:
            quiet: whether its results go to standard error too.
        """
        user = host.service if self.by_service else None
        done = subprocess.run(  # noqa: S603  (the arguments are ours)
            [*own_command(), "--env-file", str(host.env_file), *self.arguments],
            input=self.piped,
            stdout=sys.stderr if quiet else None,
            env=os.environ | ({} if user is None else {"HOME": user.pw_dir, "USER": user.pw_name}),
            cwd="/",
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else os.getgrouplist(user.pw_name, user.pw_gid),
            check=False,
        )
        return done.returncode


def plan(host: Host, answers: Answers) -> Iterator[Step]:
    """The steps, in order.

    Raises:
        BadFileError: the file of campaigns can't be read.
    """
    yield Step(tr("the database"), ["db", "init"])
    if answers.campaigns is not None:
        yield _import(answers.campaigns, answers.user)
    look = tr("a full check, before the timers start") if answers.timers else tr("a full check")
    yield Step(look, ["doctor"], must_succeed=False)
    if answers.test_alert:
        yield Step(tr("a test alert through every channel"), ["alerts", "test"], must_succeed=False)
    if answers.timers:
        yield _timers(host)


def _import(file: str, user: str | None) -> Step:
    """The file is read here, by who sets up: the jobs' user sees nobody's folders."""
    try:
        data = Path(file).read_bytes()
    except (OSError, ValueError) as error:
        raise BadFileError(tr("{source} can't be read: {reason}", source=file, reason=reason(error))) from None
    whose = [] if user is None else ["--user", user]
    return Step(tr("the campaigns of {file}", file=file), ["campaigns", "import", "-", *whose], piped=data)


def _timers(host: Host) -> Step:
    if not systemd.is_running():
        return Step(tr("cron, which starts the jobs"), ["cron", "install"], by_service=False)
    own = [] if host.service is not None or os.geteuid() == 0 else ["--user-units"]
    return Step(tr("the timers, which start the jobs"), ["systemd", "install", *own, "--now"], by_service=False)
