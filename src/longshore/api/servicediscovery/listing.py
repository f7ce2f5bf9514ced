"""Pages of Cloud Map's lists: `MaxResults` (its range is the model's to check) and `NextToken`."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from longshore.api.operation import Call
from longshore.wire.pagination import page

T = TypeVar("T")
MAX_PAGE = 100


def listed(call: Call, operation: str, items: Iterable[T], key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """One page of items in the order of their unique keys, and the token of the next, good for the same question."""
    limit: int = call.params.get("MaxResults") or MAX_PAGE
    token: str | None = call.params.get("NextToken")
    question = sorted((n, repr(value)) for n, value in call.params.items() if n not in {"NextToken", "MaxResults"})
    in_order = sorted(items, key=key)
    return page(in_order, key, limit, token, operation=operation, code="InvalidInput", scope=repr(question))
