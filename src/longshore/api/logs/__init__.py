"""Amazon CloudWatch Logs: groups, streams and their events. See docs/logs.md."""

from longshore.api.logs import absent
from longshore.api.logs.group_policies import (
    delete_data_protection_policy,
    delete_index_policy,
    describe_index_policies,
    get_data_protection_policy,
    put_data_protection_policy,
    put_index_policy,
)
from longshore.api.logs.groups import (
    create_log_group,
    delete_log_group,
    delete_retention_policy,
    describe_log_groups,
    put_retention_policy,
)
from longshore.api.logs.listing import list_log_groups
from longshore.api.logs.metric_filters import (
    delete_metric_filter,
    describe_metric_filters,
    put_metric_filter,
    test_metric_filter,
)
from longshore.api.logs.protection import (
    associate_kms_key,
    disassociate_kms_key,
    put_log_group_deletion_protection,
)
from longshore.api.logs.put import put_log_events
from longshore.api.logs.query_definitions import (
    delete_query_definition,
    describe_query_definitions,
    put_query_definition,
)
from longshore.api.logs.reading import filter_log_events, get_log_events
from longshore.api.logs.resource_policies import (
    delete_resource_policy,
    describe_resource_policies,
    put_resource_policy,
)
from longshore.api.logs.streams import create_log_stream, delete_log_stream, describe_log_streams
from longshore.api.logs.subscription_filters import (
    delete_subscription_filter,
    describe_subscription_filters,
    put_subscription_filter,
)
from longshore.api.logs.tags import (
    list_tags_for_resource,
    list_tags_log_group,
    tag_log_group,
    tag_resource,
    untag_log_group,
    untag_resource,
)
from longshore.api.operation import Operation, Service

_LINKED = "Longshore links no accounts: ask each account for its own log groups."
_CLASSES = "Longshore has log groups of the classes STANDARD and INFREQUENT_ACCESS."
_NOT_ENCRYPTED = "Kept and answered; events are not encrypted with it."
_RECORDED = "Recorded, not acted on yet: no metric is made of events."
_INDEXES = "Longshore makes no field indexes and knows no data sources."
_UNMASK = {"unmask": "Nothing is ever masked: data protection policies are kept without effect."}
_UNSENT = "Kept and answered; no events are sent anywhere."

SERVICE = Service(
    name="logs",
    operations={
        **absent.OPERATIONS,
        "AssociateKmsKey": Operation(associate_kms_key, inert={"kmsKeyId": _NOT_ENCRYPTED}),
        "CreateLogGroup": Operation(
            create_log_group,
            refuses={"logGroupClass": _CLASSES},
            allowed={"logGroupClass": ("STANDARD", "INFREQUENT_ACCESS")},
            inert={
                "kmsKeyId": _NOT_ENCRYPTED,
                "logGroupClass": "Kept and answered; a group of either class can be read in every way.",
            },
        ),
        "CreateLogStream": Operation(create_log_stream),
        "DeleteDataProtectionPolicy": Operation(delete_data_protection_policy),
        "DeleteIndexPolicy": Operation(delete_index_policy),
        "DeleteLogGroup": Operation(delete_log_group),
        "DeleteLogStream": Operation(delete_log_stream),
        "DeleteMetricFilter": Operation(delete_metric_filter),
        "DeleteQueryDefinition": Operation(delete_query_definition),
        "DeleteResourcePolicy": Operation(delete_resource_policy),
        "DeleteRetentionPolicy": Operation(delete_retention_policy),
        "DeleteSubscriptionFilter": Operation(delete_subscription_filter),
        "DescribeIndexPolicies": Operation(
            describe_index_policies, inert={"nextToken": "One log group is asked about, which has one policy."}
        ),
        "DescribeLogGroups": Operation(
            describe_log_groups,
            refuses={
                "accountIdentifiers": _LINKED,
                "includeLinkedAccounts": _LINKED,
            },
            allowed={"includeLinkedAccounts": (False,)},
        ),
        "DescribeLogStreams": Operation(describe_log_streams),
        "DescribeMetricFilters": Operation(describe_metric_filters),
        "DescribeQueryDefinitions": Operation(describe_query_definitions),
        "DescribeResourcePolicies": Operation(describe_resource_policies),
        "DescribeSubscriptionFilters": Operation(describe_subscription_filters),
        "DisassociateKmsKey": Operation(disassociate_kms_key),
        "FilterLogEvents": Operation(
            filter_log_events,
            inert={"interleaved": "Streams are always interleaved, as on AWS since 2019.", **_UNMASK},
        ),
        "GetDataProtectionPolicy": Operation(get_data_protection_policy),
        "GetLogEvents": Operation(get_log_events, inert=_UNMASK),
        "ListLogGroups": Operation(
            list_log_groups,
            refuses={
                "accountIdentifiers": _LINKED,
                "includeLinkedAccounts": _LINKED,
                "dataSources": _INDEXES,
                "fieldIndexNames": _INDEXES,
            },
            allowed={"includeLinkedAccounts": (False,)},
        ),
        "ListTagsForResource": Operation(list_tags_for_resource),
        "ListTagsLogGroup": Operation(list_tags_log_group),
        "PutDataProtectionPolicy": Operation(
            put_data_protection_policy, inert={"policyDocument": "Kept and answered; nothing is masked or audited."}
        ),
        "PutIndexPolicy": Operation(
            put_index_policy, inert={"policyDocument": "Kept and answered; events are searched without indexes."}
        ),
        "PutLogEvents": Operation(
            put_log_events,
            inert={
                "entity": "Longshore has no entities to connect events with.",
                "sequenceToken": "Any is accepted, as on AWS since 2023.",
            },
        ),
        "PutLogGroupDeletionProtection": Operation(put_log_group_deletion_protection),
        "PutMetricFilter": Operation(
            put_metric_filter,
            refuses={
                "applyOnTransformedLogs": "Longshore has no log transformers.",
                "fieldSelectionCriteria": _LINKED,
                "emitSystemFieldDimensions": _LINKED,
            },
            allowed={"applyOnTransformedLogs": (False,)},
            inert={"metricTransformations": _RECORDED},
        ),
        "PutQueryDefinition": Operation(
            put_query_definition,
            refuses={"parameters": "Longshore runs no queries with parameters."},
            inert={"queryString": "Kept and answered; Longshore runs no queries."},
        ),
        "PutResourcePolicy": Operation(
            put_resource_policy, inert={"policyDocument": "Kept and answered; no service of AWS is here to obey it."}
        ),
        "PutRetentionPolicy": Operation(put_retention_policy),
        "PutSubscriptionFilter": Operation(
            put_subscription_filter,
            refuses={
                "applyOnTransformedLogs": "Longshore has no log transformers.",
                "fieldSelectionCriteria": _LINKED,
                "emitSystemFields": _LINKED,
            },
            allowed={"applyOnTransformedLogs": (False,)},
            inert=dict.fromkeys(("destinationArn", "filterPattern", "roleArn", "distribution"), _UNSENT),
        ),
        "TagLogGroup": Operation(tag_log_group),
        "TagResource": Operation(tag_resource),
        "TestMetricFilter": Operation(test_metric_filter),
        "UntagLogGroup": Operation(untag_log_group),
        "UntagResource": Operation(untag_resource),
    },
    refusal_code="InvalidParameterException",
    validation_code="InvalidParameterException",
    summary="Log groups, streams and events, with filter patterns; metric filters, recorded and not acted on yet",
)
