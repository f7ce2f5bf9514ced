"""DescribeParameters."""

from longshore.api.operation import Call, Operation
from longshore.api.ssm.filters import DESCRIBED, ParameterFilter, checked_filters, passes
from longshore.api.ssm.lookup import Answer, invalid, newest_of
from longshore.api.ssm.reading import description
from longshore.domain.secrets.parameter import Parameter
from longshore.wire.pagination import page

MAX_LISTED = 50


def describe_parameters(call: Call) -> Answer:
    """Parameters without their values, by name."""
    params = call.params
    filters = _filters(call)
    found = [
        (parameter, newest)
        for parameter in call.tx.select(Parameter, "scope", call.scope)
        if passes(call, parameter, newest := newest_of(call, parameter), filters)
    ]
    shown, more = page(
        sorted(found, key=lambda item: item[0].name),
        lambda item: item[0].name,
        params.get("MaxResults") or MAX_LISTED,
        params.get("NextToken"),
        operation="DescribeParameters",
        code="InvalidNextToken",
        scope=repr(filters),
    )
    views = [{**description(newest), "ARN": parameter.arn} for parameter, newest in shown]
    return {"Parameters": views, "NextToken": more}


def _filters(call: Call) -> list[ParameterFilter]:
    """Those of `ParameterFilters`, or of the older `Filters`, which match the beginning."""
    params = call.params
    old, new = params.get("Filters"), params.get("ParameterFilters")
    if old and new:
        raise invalid("You can use either Filters or ParameterFilters in a single request.")
    if old:
        return [(each["Key"], "BeginsWith", each["Values"]) for each in old]
    return checked_filters(new, DESCRIBED)


OPERATIONS: dict[str, Operation] = {
    "DescribeParameters": Operation(
        describe_parameters,
        refuses={"Shared": "Accounts share no parameters here: leave Shared out, or set it to false."},
        allowed={"Shared": (False,)},
    ),
}
