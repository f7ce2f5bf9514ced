"""Filters of Cloud Map's lists: each by name, with the conditions that it takes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from longshore.api.servicediscovery.lookup import invalid

T = TypeVar("T")


class Filter(NamedTuple, Generic[T]):
    """What of a record a filter looks at, and the conditions it takes; the first is the default."""

    value: Callable[[T], str]
    conditions: tuple[str, ...]
    read: Callable[[str], str] = str
    """What a given value means, where that is not itself."""


def chosen(records: Iterable[T], given: Iterable[Mapping[str, Any]], known: Mapping[str, Filter[T]]) -> list[T]:
    """The records that pass all filters. Raises InvalidInput for a condition that a filter does not take."""
    tests = [_test(each, known[each["Name"]]) for each in given]
    return [record for record in records if all(test(record) for test in tests)]


def _test(given: Mapping[str, Any], known: Filter[T]) -> Callable[[T], bool]:
    name, values = given["Name"], [known.read(value) for value in given["Values"]]
    condition = given.get("Condition") or known.conditions[0]
    if condition not in known.conditions:
        raise invalid(f"The filter {name} takes the conditions {', '.join(known.conditions)}, not {condition}")
    wanted = {"EQ": 1, "BEGINS_WITH": 1, "BETWEEN": 2}.get(condition)
    if not values or (wanted is not None and len(values) != wanted):
        raise invalid(f"The filter {name} with {condition} takes {wanted or 'at least 1'} values, not {len(values)}")
    holds = _holds(condition, values)
    return lambda record: holds(known.value(record))


def _holds(condition: str, values: Sequence[str]) -> Callable[[str], bool]:
    if condition == "BETWEEN":
        return lambda value: values[0] <= value <= values[1]
    if condition == "BEGINS_WITH":
        return lambda value: value.startswith(values[0])
    return lambda value: value in values
