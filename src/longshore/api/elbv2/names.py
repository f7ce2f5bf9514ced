"""The rules for names that users choose."""

import re

from longshore.wire.errors import ApiError

MAX_NAME = 32


def check_name(name: str, noun: str) -> None:
    """Raise ValidationError for what can't be the name of a load balancer or a target group, which `noun` says."""
    if not name:
        raise ApiError("ValidationError", f"{noun} name cannot be empty")
    if len(name) > MAX_NAME:
        raise ApiError("ValidationError", f"{noun} name '{name[:255]}' cannot be longer than '{MAX_NAME}' characters")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        text = f"{noun} name '{name}' can only contain characters that are alphanumeric characters or hyphens(-)"
        raise ApiError("ValidationError", text)
    if name.startswith("-") or name.endswith("-"):
        raise ApiError("ValidationError", f"{noun} name '{name}' cannot begin or end with '-'")
