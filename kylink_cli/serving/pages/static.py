"""The files that pages refer to: the report's style and their own, a script, an icon."""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

router = APIRouter()

_OWN: Final = files("kylink_cli.serving.pages") / "assets"
_REPORTS: Final = files("kylink_cli.report") / "assets"


@router.get("/assets/pages.css")
async def style() -> Response:
    """How pages look: as the report does."""
    both = [_REPORTS.joinpath("page.css"), _OWN.joinpath("pages.css")]
    return Response("\n".join(one.read_text(encoding="utf-8") for one in both), media_type="text/css")


@router.get("/assets/live.js")
async def script() -> Response:
    """What keeps a page up to date while it is looked at."""
    return Response(_OWN.joinpath("live.js").read_text(encoding="utf-8"), media_type="text/javascript")


@router.get("/assets/icon.svg")
async def icon() -> Response:
    """What a browser shows beside the title."""
    return Response(_OWN.joinpath("icon.svg").read_text(encoding="utf-8"), media_type="image/svg+xml")
