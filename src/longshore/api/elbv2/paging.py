"""Pages of Describe* operations: `PageSize` (its range is the model's to check) and `Marker`."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from longshore.api.operation import Call
from longshore.wire.pagination import page

T = TypeVar("T")
MAX_PAGE = 400


def paged(call: Call, operation: str, items: Sequence[T], key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """One page of `items`, which stand in the order of their unique keys, and the marker of the next.

    A marker is good only for the same question. Without PageSize a page has 400 items, as many as it can have.
    """
    question = sorted((name, repr(value)) for name, value in call.params.items() if name not in {"Marker", "PageSize"})
    limit: int = call.params.get("PageSize") or MAX_PAGE
    marker: str | None = call.params.get("Marker")
    return page(items, key, limit, marker, operation=operation, code="ValidationError", scope=repr(question))
