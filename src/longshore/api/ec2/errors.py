"""Answers that EC2 operations share: DryRun, lists with ids, filters and pages, and parameters that are missing."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.resources import RESOURCES, R, Resource, check_id, missing
from longshore.api.operation import Call, Handler, Operation
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

LARGEST_PAGE = 1000


def with_dry_run(operations: Mapping[str, Operation]) -> dict[str, Operation]:
    """The operations, each with EC2's DryRun."""
    return {name: replace(operation, handler=_ending(operation.handler)) for name, operation in operations.items()}


def _ending(handler: Handler) -> Handler:
    @functools.wraps(handler)
    def ended(call: Call) -> dict[str, Any]:
        answer = handler(call)
        if call.params.get("DryRun"):  # an error, by which EC2 says that it would have worked: nothing has changed
            text = "Request would have succeeded, but DryRun flag is set."
            raise ApiError("DryRunOperation", text, status=412)
        return answer

    return ended


def chosen(records: Mapping[str, Any], asked: Sequence[str], resource: Resource) -> list[Any]:
    """The records with the ids that were asked for, in the order of their ids; all of them when none were.

    Raises the resource's error for ids that are malformed or do not exist.
    """
    if not asked:
        return [records[key] for key in sorted(records)]
    for reference in asked:
        check_id(resource, reference)
    unknown = sorted({reference for reference in asked if reference not in records})
    if len(unknown) == 1 or (unknown and "'{id}'" not in resource.sentence):
        raise missing(resource, unknown[0])
    if unknown:
        raise ApiError(resource.not_found, f"The {resource.noun}s '{', '.join(unknown)}' do not exist")
    return [records[key] for key in sorted(set(asked))]


def listed(  # noqa: PLR0913  what a list differs in
    call: Call,
    cls: type[R],
    view: Callable[[R], dict[str, Any]],
    known: Mapping[str, filters.Values],
    name: str,
    *,
    operation: str,
    member: str,
    filter_name: str = "Filters",
    records: Iterable[R] | None = None,
) -> dict[str, Any]:
    """The answer of a describe operation: by ids, filters and pages. `member` is where a view has its id."""
    resource = RESOURCES[cls]
    if records is None:
        records = call.tx.select(cls, "scope", call.scope)
    found = {each.names()[0]: each for each in records}
    shown = chosen(found, call.params.get(resource.parameter) or (), resource)
    views = filters.apply(map(view, shown), call.params.get(filter_name), known)
    return paged(call, operation, name, views, lambda each: str(each[member]), resource.parameter)


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
    if limit is not None and limit < 1:
        raise bad_value(limit, "maxResults", f"It is 1 to {LARGEST_PAGE}.")
    limit = min(limit or LARGEST_PAGE, LARGEST_PAGE)
    shown, more = page(items, key, limit, token, operation=operation, code="InvalidNextToken")
    return {name: shown, "NextToken": more}


def invalid(text: str) -> ApiError:
    """InvalidParameterValue."""
    return ApiError("InvalidParameterValue", text)


def bad_value(value: object, parameter: str, why: str) -> ApiError:
    """InvalidParameterValue, as EC2 says it of one parameter."""
    return invalid(f"Value ({str(value)[:256]}) for parameter {parameter} is invalid. {why}")


def required(name: str) -> ApiError:
    """MissingParameter."""
    return ApiError("MissingParameter", f"The request must contain the parameter {name}")
