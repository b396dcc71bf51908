"""The demo's tour: the commands that an operator would type, run for real against a service on loopback."""

import csv
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from kylink_cli.children import own_command
from kylink_cli.demo.sample import COLUMNS, SAMPLES
from kylink_cli.language import preferred
from kylink_cli.settings.fields import Settings
from kylink_cli.store import stock
from kylink_cli.store.engine.database import open_database

RETRY_DELAY_MS = 1000
ITEM_LIFE = timedelta(hours=48)
# A demo without a failing campaign would show no alert: "some campaigns failed" is how its run is to end.
EXPECTED_CODES = {0, 10}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Tour:
    """A folder with a database and settings of its own, and the commands run in it."""

    folder: Path
    say: Say

    @property
    def env_file(self) -> Path:
        """The settings of the demo."""
        return self.folder / "kylink.env"

    def prepare(self, service_url: str, key: str) -> None:
        """Write the settings and the sample campaigns, and fill the stocks that are not to begin empty."""
        lines = {
            "DATABASE_URL": f"sqlite:///{self.folder / 'kylink.db'}",
            "PROXY_API_URL": service_url,
            "PROXY_API_KEY": key,
            "REPLENISH_RETRY_DELAY_MS": str(RETRY_DELAY_MS),
            "KYLINK_LANG": preferred(),
        }
        self.env_file.touch(mode=0o600)
        self.env_file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), encoding="utf-8")
        with (self.folder / "campaigns.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *[sample.row() for sample in SAMPLES]])
        self.show("campaigns", "import", str(self.folder / "campaigns.csv"))
        self._stock()

    def _stock(self) -> None:
        """Put the items into stock that the campaigns have at the start."""
        database = open_database(self.folder / "kylink.db")
        now = database.now()
        for sample in SAMPLES:
            ends = {f"gclid={secrets.token_hex(8)}": now + ITEM_LIFE for _ in range(sample.stock)}
            database.commit(partial(stock.add, campaign_id=sample.campaign_id, values=ends, now=now))
        database.close()

    def show(self, *arguments: str) -> int:
        """Print a command and run it before the user's eyes.

        Returns:
            Its exit code.
        """
        self.say("")
        self.say(f"$ kylink {' '.join(arguments)}")
        return self._run(*arguments)

    def _run(self, *arguments: str) -> int:
        command = [*own_command(), "--env-file", str(self.env_file), *arguments]
        sys.stdout.flush()
        return subprocess.run(  # noqa: S603  (our own command)
            command,
            env=_environment(),
            check=False,
        ).returncode


def _environment() -> dict[str, str]:
    """The environment without settings of the user's own kylink."""
    own = {field.upper() for field in Settings.model_fields} | {"STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"}
    return {name: value for name, value in os.environ.items() if name.upper() not in own}
