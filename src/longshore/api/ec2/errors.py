"""Answers that EC2 operations share: DryRun, pages, and ids that do not exist."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from longshore.api.operation import Call
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page


class Resource(NamedTuple):
    """How EC2 speaks of a kind of resource."""

    parameter: str
    """Of the list of ids, as `VpcIds`."""
    prefix: str
    malformed: str
    not_found: str
    noun: str


def end_dry_run(call: Call) -> None:
    """With DryRun EC2 says that it would have worked, by an error."""
    if call.params.get("DryRun"):
        raise ApiError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", status=412)


def chosen(records: Mapping[str, Any], asked: Sequence[str], resource: Resource) -> list[Any]:
    """The records with the ids that were asked for, in the order of their ids; all of them when none were.

    Raises the resource's error for ids that are malformed or do not exist.
    """
    if not asked:
        return [records[key] for key in sorted(records)]
    for reference in asked:
        if not reference.startswith(resource.prefix) or not reference.isascii() or len(reference) > 64:
            raise ApiError(resource.malformed, f'Invalid id: "{reference[:64]}" (expecting "{resource.prefix}...")')
    missing = sorted({reference for reference in asked if reference not in records})
    if len(missing) == 1:
        raise ApiError(resource.not_found, f"The {resource.noun} '{missing[0]}' does not exist")
    if missing:
        raise ApiError(resource.not_found, f"The {resource.noun}s '{', '.join(missing)}' do not exist")
    return [records[key] for key in sorted(set(asked))]


def paged(
    call: Call,
    operation: str,
    name: str,
    views: Iterable[dict[str, Any]],
    key: Callable[[dict[str, Any]], str],
    ids: str,
) -> dict[str, Any]:
    """One page of an answer. Without MaxResults everything is on it."""
    limit, token = call.params.get("MaxResults"), call.params.get("NextToken")
    items = list(views)
    if limit is None and token is None:
        return {name: items}
    if limit is not None and call.params.get(ids):
        raise ApiError(
            "InvalidParameterCombination",
            f"The parameter {ids[:-1]} cannot be used with the parameter MaxResults",
        )
    shown, more = page(items, key, limit or 1000, token, operation=operation, code="InvalidNextToken")
    return {name: shown, "NextToken": more}
