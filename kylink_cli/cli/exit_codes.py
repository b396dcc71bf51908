"""What the exit codes mean, as the help, the man page and the reference tell it."""

from typing import Final

from kylink_cli.language import marked

EXIT_CODES: Final = (
    (0, marked("Done, or nothing to do; also a scheduled run while scheduling is off or the job is paused.")),
    (1, marked("Failed: nothing of what was asked for was achieved.")),
    (2, marked("Wrong usage.")),
    (10, marked("Partly done: some campaigns, tokens or checks failed.")),
    (11, marked("Not found, or no stock.")),
    (69, marked("The supply service is unavailable: nothing was obtained.")),
    (75, marked("Another run is at work, or the database is busy: try later.")),
    (77, marked("The supply service refuses the key.")),
    (78, marked("Bad configuration, or a database that does not fit.")),
)
