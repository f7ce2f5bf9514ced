"""Pages of List* operations: the limits of `maxResults`, and tokens that fit one question only."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from longshore.api.operation import Call
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

T = TypeVar("T")
INERT = {"nextToken", "maxResults"}


def listed(
    call: Call,
    operation: str,
    items: Sequence[T],
    key: Callable[[T], str],
    *,
    default: int = 100,
    descending: bool = False,
) -> tuple[list[T], str | None]:
    """One page of `items`, which stand in the order of their unique keys, and the token of the next.

    A token is good only for the same filters: they are part of what it is checked against.
    """
    given: int | None = call.params.get("maxResults")
    limit = default if given is None else given
    if not 1 <= limit <= 100:
        raise ApiError("InvalidParameterException", "maxResults should be between 1 and 100")
    question = sorted((name, repr(value)) for name, value in call.params.items() if name not in INERT)
    return page(
        items,
        key,
        limit,
        call.params.get("nextToken"),
        operation=operation,
        scope=repr(question),
        descending=descending,
    )
