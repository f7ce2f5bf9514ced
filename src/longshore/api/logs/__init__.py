"""Amazon CloudWatch Logs: groups, streams and their events. See docs/logs.md."""

from longshore.api.logs.groups import (
    create_log_group,
    delete_log_group,
    delete_retention_policy,
    describe_log_groups,
    put_retention_policy,
)
from longshore.api.logs.put import put_log_events
from longshore.api.logs.reading import filter_log_events, get_log_events
from longshore.api.logs.streams import create_log_stream, delete_log_stream, describe_log_streams
from longshore.api.logs.tags import (
    list_tags_for_resource,
    list_tags_log_group,
    tag_log_group,
    tag_resource,
    untag_log_group,
    untag_resource,
)
from longshore.api.operation import Operation, Service

_UNMASK = {"unmask": "Nothing is ever masked: there are no data protection policies."}

SERVICE = Service(
    name="logs",
    operations={
        "CreateLogGroup": Operation(
            create_log_group,
            refuses={
                "logGroupClass": "Longshore has log groups of the class STANDARD only.",
                "deletionProtectionEnabled": "Longshore doesn't protect log groups from deletion yet.",
            },
            allowed={"logGroupClass": ("STANDARD",), "deletionProtectionEnabled": (False,)},
            inert={"kmsKeyId": "Kept and answered; events are not encrypted with it."},
        ),
        "CreateLogStream": Operation(create_log_stream),
        "DeleteLogGroup": Operation(delete_log_group),
        "DeleteLogStream": Operation(delete_log_stream),
        "DeleteRetentionPolicy": Operation(delete_retention_policy),
        "DescribeLogGroups": Operation(
            describe_log_groups,
            refuses={
                "accountIdentifiers": "Longshore links no accounts: ask each account for its own log groups.",
                "includeLinkedAccounts": "Longshore links no accounts: ask each account for its own log groups.",
                "logGroupClass": "Longshore has log groups of the class STANDARD only.",
            },
            allowed={"includeLinkedAccounts": (False,), "logGroupClass": ("STANDARD",)},
        ),
        "DescribeLogStreams": Operation(describe_log_streams),
        "FilterLogEvents": Operation(
            filter_log_events,
            inert={"interleaved": "Streams are always interleaved, as on AWS since 2019.", **_UNMASK},
        ),
        "GetLogEvents": Operation(get_log_events, inert=_UNMASK),
        "ListTagsForResource": Operation(list_tags_for_resource),
        "ListTagsLogGroup": Operation(list_tags_log_group),
        "PutLogEvents": Operation(
            put_log_events,
            inert={
                "entity": "Longshore has no entities to connect events with.",
                "sequenceToken": "Any is accepted, as on AWS since 2023.",
            },
        ),
        "PutRetentionPolicy": Operation(put_retention_policy),
        "TagLogGroup": Operation(tag_log_group),
        "TagResource": Operation(tag_resource),
        "UntagLogGroup": Operation(untag_log_group),
        "UntagResource": Operation(untag_resource),
    },
    refusal_code="InvalidParameterException",
    validation_code="InvalidParameterException",
    summary="Log groups, streams and events, with filter patterns",
)
