"""What the live view asks and explains, above everything else."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from kylink_cli.language import marked, tr

_KEYS = (
    ("enter", marked("open the campaign under the cursor")),
    ("r", marked("replenish it now")),
    ("p", marked("pause it, or resume it")),
    ("a", marked("acknowledge the alert under the cursor")),
    ("/", marked("show only what contains a text, in id, name or user")),
    ("l", marked("show only campaigns that are low")),
    ("s", marked("sort by runway, stock or name")),
    ("tab", marked("go to the alerts, and back")),
    ("home", marked("go to the first row; end: to the last")),
    ("esc", marked("back; show everything again")),
    ("q", marked("quit")),
)


class Question(ModalScreen[bool]):
    """A question before something is done."""

    BINDINGS: ClassVar[list[BindingType]] = [("y,enter", "answer(True)", ""), ("n,escape,q", "answer(False)", "")]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Show the question."""
        keys = Text(tr("y yes   n no"), style="bold")
        yield Static(Text.assemble(self._question, "\n\n", keys), classes="box", markup=False)

    def action_answer(self, answer: bool) -> None:  # noqa: FBT001  (as Textual calls it)
        """Hand the answer on."""
        self.dismiss(answer)


class Keys(ModalScreen[None]):
    """What the keys do."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark,enter", "dismiss", "")]

    def compose(self) -> ComposeResult:
        """Show every key."""
        lines = [Text.assemble((f"{key:<7}", "bold"), tr(does)) for key, does in _KEYS]
        yield Static(Text("\n").join(lines), classes="box", markup=False)
