"""Words that the page needs beside its sections: those of states, of the template and of the script."""

from kylink_cli.language import tr
from kylink_cli.rules.vocabulary import AlertLevel, AlertState, CampaignStatus, RunStatus, Trigger

_STATES = ("low", "empty", *CampaignStatus, *RunStatus, *Trigger, *AlertLevel, *AlertState)


def state_words() -> dict[str, str]:
    """The words of states; what is missing is the same in every language."""
    return {state: tr(state) for state in _STATES}


def for_template() -> dict[str, str]:
    """What the template says."""
    return {
        "skip": tr("Skip to the figures"),
        "sections": tr("Sections"),
        "headline": tr("Headline figures"),
        "attention": tr("Needs attention"),
        "type": tr("Type:"),
        "of_user": tr("user {user}"),
        "begin": tr("How to begin"),
        "last_runs": tr("The last runs of each job, oldest first"),
        "no_script": tr("Without JavaScript, charts are lists of their figures, and tables show their first rows."),
        "runs_of_all": tr("Runs serve all users: these are the runs for everyone."),
        "table_below": tr("The table below holds these figures."),
        "figures": tr("The figures of this chart"),
        "figures_of": tr("Figures: {title}"),
        "nothing": tr("There is nothing to show."),
        "made_by": tr("Made by kylink {version}. All times are UTC."),
    }


def first_steps() -> list[tuple[str, str]]:
    """What to type in the beginning, each with what it does."""
    return [
        ("kylink demo", tr("shows kylink at work, on this machine alone")),
        ("kylink setup", tr("asks for the supply service and its key, and installs the timers")),
        ("kylink campaigns import campaigns.csv --user you", tr("says which campaigns are kept in stock")),
        ("kylink replenish --all", tr("fills it for the first time; from then on the timers do")),
        ("kylink report", tr("updates this page")),
    ]


def for_script() -> dict[str, str]:
    """What the script says; it puts numbers in the place of {placeholders}."""
    return {
        "rows": tr("{from} to {to} of {number}"),
        "matches": tr("{number} of {total} match"),
        "none": tr("nothing matches"),
        "previous": tr("Previous rows"),
        "next": tr("Next rows"),
        "search": tr("Search this table"),
        "all": tr("{column}: all"),
        "csv": tr("Save as CSV"),
        "page": tr("page {page} of {pages}"),
        "first": tr("First rows"),
        "last": tr("Last rows"),
        "choose_page": tr("Page"),
        "stock": tr("{available} available, watermark {watermark}, target {target}"),
        "rank": tr("rank {rank}"),
        "dark": tr("Dark"),
        "light": tr("Light"),
    }
