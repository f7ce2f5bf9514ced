"""Listings of what there is none of here: making one is refused, so there is nothing to list."""

from longshore.api.logs.lookup import Answer
from longshore.api.operation import Call, Operation

NONE = "There are none to choose among: making one is refused."


def describe_account_policies(_call: Call) -> Answer:
    """None."""
    return {"accountPolicies": []}


def describe_destinations(_call: Call) -> Answer:
    """None."""
    return {"destinations": []}


def describe_export_tasks(_call: Call) -> Answer:
    """None."""
    return {"exportTasks": []}


def describe_queries(_call: Call) -> Answer:
    """None."""
    return {"queries": []}


OPERATIONS: dict[str, Operation] = {
    "DescribeAccountPolicies": Operation(
        describe_account_policies,
        inert=dict.fromkeys(("policyType", "policyName", "accountIdentifiers", "nextToken"), NONE),
    ),
    "DescribeDestinations": Operation(
        describe_destinations, inert=dict.fromkeys(("DestinationNamePrefix", "limit", "nextToken"), NONE)
    ),
    "DescribeExportTasks": Operation(
        describe_export_tasks, inert=dict.fromkeys(("taskId", "statusCode", "limit", "nextToken"), NONE)
    ),
    "DescribeQueries": Operation(
        describe_queries,
        inert=dict.fromkeys(("logGroupName", "status", "maxResults", "nextToken", "queryLanguage"), NONE),
    ),
}
