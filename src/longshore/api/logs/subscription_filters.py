"""Subscription filters: where a group's events are to be sent. Kept and answered; nothing is sent."""

from longshore.api.logs.filters import compiled, drop, filtered_group, first_made
from longshore.api.logs.lookup import Answer, group_named, invalid, milliseconds
from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.log import SubscriptionFilter
from longshore.wire.pagination import page

PAGE = 50
MAX_FILTERS = 2
DESTINATIONS = {"firehose": "deliverystream/", "kinesis": "stream/", "lambda": "function:", "logs": "destination:"}
"""By service, how the resource in the ARN of a destination begins."""
WITH_ROLE = ("firehose", "kinesis")
BY_STREAM = "ByLogStream"


def put_subscription_filter(call: Call) -> Answer:
    """A new filter, or all of one that is there."""
    params, group = call.params, filtered_group(call, SubscriptionFilter)
    pattern, role = params["filterPattern"], params.get("roleArn") or ""
    compiled(pattern, SubscriptionFilter)
    _check_destination(call, params["destinationArn"], role)
    created_at = first_made(call, SubscriptionFilter, group, MAX_FILTERS)
    call.tx.put(
        SubscriptionFilter(
            account=call.scope.account,
            region=call.scope.region,
            group=group.name,
            name=params["filterName"],
            pattern=pattern,
            destination=params["destinationArn"],
            role_arn=role,
            distribution=params.get("distribution") or BY_STREAM,
            created_at=created_at,
        )
    )
    return {}


def _check_destination(call: Call, text: str, role: str) -> None:
    arn = Arn.parse(text)
    if arn is None:
        raise invalid(f"destinationArn {text[:256]} is not an ARN.")
    begins = DESTINATIONS.get(arn.service)
    if begins is None or not arn.resource.startswith(begins) or arn.resource == begins:
        text = f"PutSubscriptionFilter operation cannot work with destinationArn for vendor {arn.service[:64]}"
        raise invalid(text)
    if arn.scope.region != call.scope.region or (arn.service != "logs" and arn.scope.account != call.scope.account):
        raise invalid("The destination must be in the region and, but for a logical one, the account of the log group.")
    if arn.service in WITH_ROLE and not role:
        raise invalid(f"destinationArn for vendor {arn.service} must be used with roleArn")
    if arn.service not in WITH_ROLE and role:
        raise invalid(f"destinationArn for vendor {arn.service} cannot be used with roleArn")
    named = Arn.parse(role) if role else None
    if role and (named is None or named.service != "iam" or not named.resource.startswith("role/")):
        raise invalid(f"roleArn {role[:256]} is not the ARN of a role.")


def describe_subscription_filters(call: Call) -> Answer:
    """Those of a group, in the order of their names."""
    params = call.params
    group, prefix = group_named(call, params["logGroupName"]), params.get("filterNamePrefix") or ""
    found = [each for each in call.tx.select(SubscriptionFilter, "group", group.key) if each.name.startswith(prefix)]
    shown, more = page(
        sorted(found, key=_name),
        _name,
        params.get("limit") or PAGE,
        params.get("nextToken"),
        operation="DescribeSubscriptionFilters",
        scope=f"{group.name} {prefix}",
    )
    return {"subscriptionFilters": [_view(each) for each in shown], "nextToken": more}


def _name(each: SubscriptionFilter) -> str:
    return each.name


def _view(each: SubscriptionFilter) -> Answer:
    view: Answer = {
        "filterName": each.name,
        "logGroupName": each.group,
        "filterPattern": each.pattern,
        "destinationArn": each.destination,
        "distribution": each.distribution,
        "applyOnTransformedLogs": False,
        "creationTime": milliseconds(each.created_at),
    }
    return {**view, "roleArn": each.role_arn} if each.role_arn else view


def delete_subscription_filter(call: Call) -> Answer:
    """DeleteSubscriptionFilter."""
    drop(call, SubscriptionFilter)
    return {}
