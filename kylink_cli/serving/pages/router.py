"""All pages, as one router."""

from fastapi import APIRouter

from kylink_cli.serving.pages import acting, alerts, campaigns, entering, looking, static, trail

router = APIRouter(include_in_schema=False)
for _part in (entering, looking, campaigns, alerts, trail, acting, static):
    router.include_router(_part.router)
