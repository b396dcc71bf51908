"""The pages of the HTTP face, for people with a browser: looked at with a session, acted on by forms."""

from kylink_cli.serving.pages.router import router

__all__ = ["router"]
