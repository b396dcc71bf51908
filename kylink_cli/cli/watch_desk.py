"""What the live view reads, and what it can do for whom sits before it."""

import subprocess
import tempfile
from typing import TYPE_CHECKING

from kylink_cli.children import own_command
from kylink_cli.cli.command import Cli
from kylink_cli.console.watch.desk import Desk
from kylink_cli.errors import NotFoundError
from kylink_cli.language import tr
from kylink_cli.overview.campaign import look_at_campaign
from kylink_cli.overview.watching import look
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import CampaignStatus

if TYPE_CHECKING:
    from kylink_cli.locks.base import Locks
    from kylink_cli.store.engine.database import Database


def desk(cli: Cli, database: "Database", locks: "Locks") -> Desk:
    """Everything that the view may ask for."""

    def set_paused(campaign_id: str, paused: bool) -> None:
        from kylink_cli.running.pausing import set_status

        set_status(database, [campaign_id], CampaignStatus.PAUSED if paused else CampaignStatus.ACTIVE, cli.who)

    def acknowledge(alert_id: int) -> str:
        from kylink_cli.alerting.acts import acknowledge as act

        [result] = act(database, [alert_id], database.now(), cli.who)
        if result.state == "unknown":
            raise NotFoundError(result.message)
        return tr("alert {id}: {message}", id=alert_id, message=result.message)

    named = [] if cli.options.env_file is None else ["--env-file", str(cli.options.env_file.absolute())]
    return Desk(
        look=lambda: look(database, locks, cli.settings),
        look_at=lambda campaign_id: look_at_campaign(database, cli.settings.policy, campaign_id),
        replenish=lambda campaign_id: StartedReplenishing(named, campaign_id),
        set_paused=set_paused,
        acknowledge=acknowledge,
    )


class StartedReplenishing:
    """A `kylink replenish` of its own, which goes on when the view is closed."""

    def __init__(self, options: list[str], campaign_id: str) -> None:
        self._campaign_id = campaign_id
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  (open until it has ended)
        command = [*own_command(), *options, "--log-format", "text", "replenish", f"--campaign={campaign_id}"]
        self._process = subprocess.Popen(  # noqa: S603  (kylink itself)
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._words,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def ended(self) -> str | None:
        """Its last line, once it has ended."""
        if self._process.poll() is None:
            return None
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").splitlines() or [""]
        self._words.close()
        said = one_line(lines[-1]).removeprefix("kylink: ")
        return tr("campaign {campaign_id}: {said}", campaign_id=one_line(self._campaign_id), said=said)
