"""Refuses input members that an operation does not serve, by the tables beside the handlers."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from longshore.api.operation import Operation
from longshore.wire.errors import ApiError

Check = Callable[[dict[str, Any]], None]


def compile_refusals(operation: Operation, code: str) -> Check | None:
    """A function that raises for refused members; None where nothing is refused."""
    if not operation.refuses:
        return None
    rules = [
        (_steps(path), f"{path}: {sentence}", operation.allowed.get(path, ()), operation.codes.get(path, code))
        for path, sentence in operation.refuses.items()
    ]

    def check(params: dict[str, Any]) -> None:
        for steps, text, allowed, refusal_code in rules:
            if steps[0][0] not in params:
                continue
            for value in _found(params, steps):
                if value not in (None, "", [], {}) and value not in allowed:
                    raise ApiError(refusal_code, text)

    return check


def _steps(path: str) -> tuple[tuple[str, bool], ...]:
    """`a.b[].c` as `(name, is a list)` pairs."""
    return tuple((step.removesuffix("[]"), step.endswith("[]")) for step in path.split("."))


def _found(value: Any, steps: tuple[tuple[str, bool], ...]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    if not isinstance(value, Mapping):
        return
    (name, is_list), rest = steps[0], steps[1:]
    below = value.get(name)
    if below is None:
        return
    for item in below if is_list else (below,):
        yield from _found(item, rest)
