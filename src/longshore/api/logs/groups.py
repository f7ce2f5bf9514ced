"""Log groups: create, delete, describe, and how long they keep events."""

from longshore.api.logs.group_policies import protection_status
from longshore.api.logs.lookup import (
    Answer,
    group_arn,
    group_at,
    group_named,
    invalid,
    milliseconds,
)
from longshore.api.logs.tags import checked_tags
from longshore.api.operation import Call
from longshore.domain.log import LogGroup, LogResourcePolicy, LogStream, MetricFilter, SubscriptionFilter
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
PAGE = 50


def create_log_group(call: Call) -> Answer:
    """A new, empty group that keeps its events for ever."""
    name = call.params["logGroupName"]
    if name.startswith("aws/"):
        raise invalid("Log groups starting with AWS/ are reserved for AWS.")
    if call.tx.get(LogGroup, (*call.scope, name)) is not None:
        raise ApiError("ResourceAlreadyExistsException", "The specified log group already exists")
    call.tx.put(
        LogGroup(
            account=call.scope.account,
            region=call.scope.region,
            name=name,
            created_at=call.now,
            kms_key_id=call.params.get("kmsKeyId") or "",
            log_group_class=call.params.get("logGroupClass") or "STANDARD",
            deletion_protected=call.params.get("deletionProtectionEnabled") or False,
            tags=checked_tags({}, call.params.get("tags") or {}),
        )
    )
    return {}


def delete_log_group(call: Call) -> Answer:
    """The group, its streams and their events."""
    group = group_named(call, call.params["logGroupName"])
    if group.deletion_protected:
        raise ApiError(
            "ValidationException",
            f"The log group {group.name} is protected from deletion: PutLogGroupDeletionProtection switches that off.",
        )
    for kind in (MetricFilter, SubscriptionFilter):
        for each in call.tx.select(kind, "group", group.key):
            call.tx.delete(kind, each.key)
    call.tx.delete(LogResourcePolicy, (*call.scope, group.name, ""))
    streams = call.tx.select(LogStream, "group", group.key)
    for stream in streams:
        call.tx.delete(LogStream, stream.key)
    call.tx.delete(LogGroup, group.key)
    call.events.delete([stream.uid for stream in streams])
    return {}


def describe_log_groups(call: Call) -> Answer:
    """Groups by name, or whose names begin with or contain a text."""
    params = call.params
    prefix, pattern = params.get("logGroupNamePrefix"), params.get("logGroupNamePattern")
    if prefix is not None and pattern is not None:
        raise invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    if params.get("logGroupIdentifiers"):
        if prefix is not None or pattern is not None:
            raise invalid("logGroupIdentifiers can't be combined with a name prefix or pattern.")
        named = {group.name: group for group in (group_at(call, one) for one in params["logGroupIdentifiers"])}
        groups = list(named.values())
    else:
        groups = call.tx.select(LogGroup, "scope", call.scope)
    wanted = params.get("logGroupClass")
    groups = sorted(
        (
            group
            for group in groups
            if group.name.startswith(prefix or "")
            and (pattern or "") in group.name
            and wanted in (None, group.log_group_class)
        ),
        key=lambda group: group.name,
    )
    shown, more = page(
        groups,
        lambda group: group.name,
        params.get("limit") or PAGE,
        params.get("nextToken"),
        operation="DescribeLogGroups",
        scope=f"{prefix or ''} {pattern or ''}",
    )
    return {"logGroups": [group_view(call, group) for group in shown], "nextToken": more}


def group_view(call: Call, group: LogGroup) -> Answer:
    """A group, as CloudWatch Logs answers it."""
    arn = group_arn(group)
    streams = call.tx.select(LogStream, "group", group.key)
    view: Answer = {
        "logGroupName": group.name,
        "creationTime": milliseconds(group.created_at),
        "metricFilterCount": call.tx.count(MetricFilter, "group", group.key),
        "storedBytes": sum(call.events.bounds(stream.uid).stored_bytes for stream in streams),
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "logGroupClass": group.log_group_class,
        "deletionProtectionEnabled": group.deletion_protected,
    }
    if group.retention_days is not None:
        view["retentionInDays"] = group.retention_days
    if group.kms_key_id:
        view["kmsKeyId"] = group.kms_key_id
    if status := protection_status(group):
        view["dataProtectionStatus"] = status
    return view


def put_retention_policy(call: Call) -> Answer:
    """How many days events are kept; one of AWS's numbers."""
    days = call.params["retentionInDays"]
    if days not in RETENTION_DAYS:
        allowed = ", ".join(map(str, RETENTION_DAYS))
        raise invalid(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{allowed}]"
        )
    call.tx.put(group_named(call, call.params["logGroupName"]).but(retention_days=days))
    return {}


def delete_retention_policy(call: Call) -> Answer:
    """Events are kept until the group is deleted."""
    call.tx.put(group_named(call, call.params["logGroupName"]).but(retention_days=None))
    return {}
