"""Fields of requests: text that is text, and nothing that is not declared."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from kylink_cli.language import tr
from kylink_cli.rules.leases import TEXT_LIMIT
from kylink_cli.rules.text import has_hidden_characters


def _plain(text: str) -> str:
    if not text.strip() or has_hidden_characters(text):
        raise ValueError(tr("must be text without control characters"))
    return text


PlainText = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT), AfterValidator(_plain)]


class Body(BaseModel):
    """A body of a request: what it does not declare is refused, and nothing is guessed."""

    model_config: Final = ConfigDict(extra="forbid", strict=True)  # type: ignore[misc]
