"""What the validators share: the error they raise, and small questions about a definition's parts."""

import re
from collections.abc import Mapping
from typing import Any

from longshore.wire.errors import ApiError

Document = Mapping[str, Any]

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


def refused(text: str) -> ApiError:
    """ECS answers a bad task definition with ClientException."""
    return ApiError("ClientException", text)


def check_range(value: int | None, low: int, high: int, what: str) -> None:
    """A number that may be absent."""
    if value is not None and not low <= value <= high:
        raise refused(f"{what} must be between {low} and {high}")


def containers_of(document: Document) -> list[dict[str, Any]]:
    """The container definitions."""
    containers: list[dict[str, Any]] = document.get("containerDefinitions") or []
    return containers


def is_essential(container: Document) -> bool:
    """Containers are, unless they say otherwise."""
    return container.get("essential") is not False


def requires(document: Document, launch_type: str) -> bool:
    """Whether `requiresCompatibilities` asks for a launch type."""
    return launch_type in (document.get("requiresCompatibilities") or ())
