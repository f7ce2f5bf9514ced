"""Flow logs: kept and answered, without effect: nothing is logged."""

from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import bad_value, invalid, listed, required
from longshore.api.ec2.resources import RESOURCES, find, missing, place_of
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.ec2.tokens import repeated, token_fields
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import NetworkInterface, Subnet, Vpc
from longshore.domain.ec2.network_settings import FlowLog
from longshore.domain.record import Record

KINDS: dict[str, type[Record]] = {"VPC": Vpc, "Subnet": Subnet, "NetworkInterface": NetworkInterface}
INTERVALS = (60, 600)
MAX_RESOURCES = 1000
LOG_FORMAT = (
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} "
    "${bytes} ${start} ${end} ${action} ${log-status}"
)
FILTERS = filters.table(
    deliver_log_status="DeliverLogsStatus",
    flow_log_id="FlowLogId",
    log_destination_type="LogDestinationType",
    log_group_name="LogGroupName",
    resource_id="ResourceId",
    traffic_type="TrafficType",
)


def create_flow_logs(call: Call) -> dict[str, Any]:
    """CreateFlowLogs: one for each resource."""
    token = call.params.get("ClientToken")
    earlier = repeated(call, FlowLog)
    if earlier is not None:
        known = call.tx.select(FlowLog, "token", (*call.scope, earlier.client_token))
        return _made(token, [each.flow_log_id for each in known])
    kind = KINDS[call.params["ResourceType"]]
    references = list(dict.fromkeys(call.params["ResourceIds"]))
    if not references or len(references) > MAX_RESOURCES:
        raise invalid(f"1 to {MAX_RESOURCES} resources can be named in one call")
    settings = _settings(call)
    tags = new_tags(call, "vpc-flow-log")
    made = []
    for reference in references:
        find(call, kind, reference)
        flow_log = FlowLog(
            **place_of(call),
            **token_fields(call),
            **settings,
            flow_log_id=f"fl-{call.ids.hex(17)}",
            resource_id=reference,
            created_at=call.now,
            tags=tags,
        )
        call.tx.put(flow_log)
        made.append(flow_log.flow_log_id)
    return _made(token, made)


def _made(token: str | None, flow_log_ids: list[str]) -> dict[str, Any]:
    return {"ClientToken": token, "FlowLogIds": flow_log_ids, "Unsuccessful": []}


def _settings(call: Call) -> dict[str, Any]:
    params = call.params
    kind = params.get("LogDestinationType") or "cloud-watch-logs"
    destination, group = params.get("LogDestination") or "", params.get("LogGroupName") or ""
    if kind != "cloud-watch-logs" and group:
        raise bad_value(group, "LogGroupName", f"It can't be given where LogDestinationType is {kind}.")
    if not destination and not group:
        raise required("LogDestination" if kind != "cloud-watch-logs" else "LogGroupName")
    if destination and group:
        raise invalid("Only one of LogDestination and LogGroupName can be given")
    if not params.get("TrafficType"):
        raise required("TrafficType")
    interval = params.get("MaxAggregationInterval") or 600
    if interval not in INTERVALS:
        raise bad_value(interval, "MaxAggregationInterval", "It is 60 or 600.")
    options = params.get("DestinationOptions") or {}
    return {
        "traffic_type": params["TrafficType"],
        "log_destination_type": kind,
        "log_destination": destination,
        "log_group_name": group or (destination.partition(":log-group:")[2].removesuffix(":*")),
        "role_arn": params.get("DeliverLogsPermissionArn") or "",
        "cross_account_role": params.get("DeliverCrossAccountRole") or "",
        "log_format": params.get("LogFormat") or LOG_FORMAT,
        "aggregation_s": interval,
        "file_format": (options.get("FileFormat") or "plain-text") if kind == "s3" else "",
        "hive_partitions": bool(options.get("HiveCompatiblePartitions")),
        "per_hour": bool(options.get("PerHourPartition")),
    }


def delete_flow_logs(call: Call) -> dict[str, Any]:
    """DeleteFlowLogs. Those that do not exist are named in the answer."""
    unsuccessful = []
    for reference in dict.fromkeys(call.params["FlowLogIds"]):
        key = (*call.scope, reference)
        if call.tx.get(FlowLog, key) is None:
            error = missing(RESOURCES[FlowLog], reference)
            unsuccessful.append({"ResourceId": reference, "Error": {"Code": error.code, "Message": error.message}})
        call.tx.delete(FlowLog, key)
    return {"Unsuccessful": unsuccessful}


def describe_flow_logs(call: Call) -> dict[str, Any]:
    """DescribeFlowLogs."""
    return listed(
        call,
        FlowLog,
        view,
        FILTERS,
        "FlowLogs",
        operation="DescribeFlowLogs",
        member="FlowLogId",
        filter_name="Filter",
    )


def view(flow_log: FlowLog) -> dict[str, Any]:
    """A flow log, as EC2 answers it."""
    shown_log: dict[str, Any] = {
        "FlowLogId": flow_log.flow_log_id,
        "FlowLogStatus": "ACTIVE",
        "DeliverLogsStatus": "SUCCESS",
        "CreationTime": flow_log.created_at,
        "ResourceId": flow_log.resource_id,
        "TrafficType": flow_log.traffic_type,
        "LogDestinationType": flow_log.log_destination_type,
        "LogDestination": flow_log.log_destination or None,
        "LogGroupName": flow_log.log_group_name or None,
        "DeliverLogsPermissionArn": flow_log.role_arn or None,
        "DeliverCrossAccountRole": flow_log.cross_account_role or None,
        "LogFormat": flow_log.log_format,
        "MaxAggregationInterval": flow_log.aggregation_s,
        "Tags": shown(flow_log.tags),
    }
    if flow_log.file_format:
        shown_log["DestinationOptions"] = {
            "FileFormat": flow_log.file_format,
            "HiveCompatiblePartitions": flow_log.hive_partitions,
            "PerHourPartition": flow_log.per_hour,
        }
    return {name: value for name, value in shown_log.items() if value is not None}


OPERATIONS = {
    "CreateFlowLogs": Operation(
        create_flow_logs,
        refuses={
            "ResourceType": "Flow logs are kept for VPCs, subnets and network interfaces.",
            "TagFieldSpecifications": "Flow logs are only kept: they have no fields.",
        },
        allowed={"ResourceType": tuple(KINDS)},
        inert={"ResourceIds": "Flow logs are kept and answered, but nothing is logged."},
    ),
    "DeleteFlowLogs": Operation(delete_flow_logs),
    "DescribeFlowLogs": Operation(describe_flow_logs),
}
