"""Pages as KMS has them: Limit, Marker, NextMarker and Truncated."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from longshore.api.operation import Call
from longshore.wire.pagination import page

T = TypeVar("T")


def listed(
    call: Call, operation: str, items: Iterable[T], key: Callable[[T], str], limit: int, *, scope: str = ""
) -> tuple[list[T], dict[str, Any]]:
    """One page, and the members that say whether there is more."""
    shown, more = page(
        sorted(items, key=key),
        key,
        call.params.get("Limit") or limit,
        call.params.get("Marker"),
        operation=operation,
        code="InvalidMarkerException",
        scope=scope,
    )
    return shown, {"Truncated": True, "NextMarker": more} if more else {"Truncated": False}
