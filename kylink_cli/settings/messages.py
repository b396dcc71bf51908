"""How a setting and what is wrong with it are put into words; what is secret stays so."""

from enum import EnumType
from typing import Any, get_args

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from kylink_cli.language import tr
from kylink_cli.rules.addresses import MASK, shown_address
from kylink_cli.rules.text import one_line
from kylink_cli.settings.fields import Settings, is_secret

_SHOWN_LENGTH = 80
ADDRESSES = {"database_url", "proxy_api_url", "kylink_lock_url"}


def shown(field: str, value: Any) -> Any:
    """A setting's value as it may be shown: secrets masked, also those within URLs."""
    if value is None:
        return None
    if is_secret(field):
        return MASK
    if field in ADDRESSES:
        return one_line(shown_address(value))
    return one_line(value) if isinstance(value, str) else value


def problem(detail: ErrorDetails) -> str:
    """One bad setting in one line: the name, what was given, what is allowed."""
    if not detail["loc"]:
        return _stated(detail)
    field = str(detail["loc"][0])
    given = tr("(secret)") if is_secret(field) else repr(one_line(shown(field, str(detail["input"])), _SHOWN_LENGTH))
    return tr("{name} is {given}: {allowed}", name=field.upper(), given=given, allowed=_allowed(field, detail))


def limits(info: FieldInfo) -> str | None:
    """What a number may be, from the field's own limits; None if it has none."""
    low = next((str(limit.ge) for limit in info.metadata if isinstance(limit, Ge)), None)
    above = next((str(limit.gt) for limit in info.metadata if isinstance(limit, Gt)), None)
    high = next((str(limit.le) for limit in info.metadata if isinstance(limit, Le)), None)
    if high is None:
        return None
    if low is None:
        return tr("above {low} and at most {high}", low=above, high=high)
    return tr("{low} to {high}", low=low, high=high)


def _allowed(field: str, detail: ErrorDetails) -> str:
    info = Settings.model_fields[field]
    allowed = limits(info)
    if allowed is not None:
        if info.annotation is float:
            return tr("must be {allowed}", allowed=allowed)
        return tr("must be a whole number, {allowed}", allowed=allowed)
    if detail["type"] == "bool_parsing":
        return tr("must be true or false")
    if detail["type"] in {"literal_error", "enum"}:
        return tr("must be {choice}", choice=tr(" or ").join(_choices(info)))
    if detail["type"] == "string_too_long":
        limit, number = detail["ctx"]["max_length"], len(str(detail["input"]))
        return tr("must have at most {limit} characters, not {number}", limit=limit, number=number)
    return _stated(detail)


def _choices(info: FieldInfo) -> list[str]:
    kind = info.annotation
    return [str(choice) for choice in (kind if isinstance(kind, EnumType) else get_args(kind))]


def _stated(detail: ErrorDetails) -> str:
    return detail["msg"].removeprefix("Value error, ")
