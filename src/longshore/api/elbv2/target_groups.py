"""Target groups: created, described, changed, deleted."""

from typing import Any

from longshore.api.elbv2.errors import conflict
from longshore.api.elbv2.health_checks import checked_health_check, health_check_view
from longshore.api.elbv2.limits import LIMITS
from longshore.api.elbv2.lookup import find_group, find_load_balancer
from longshore.api.elbv2.names import check_name
from longshore.api.elbv2.paging import paged
from longshore.api.elbv2.tags import checked_tags
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import Vpc
from longshore.domain.elbv2.balancer import (
    HTTP_PROTOCOLS,
    Listener,
    LoadBalancer,
    Rule,
    Target,
    TargetGroup,
    forwarded_groups,
    group_key_of,
)
from longshore.wire.errors import ApiError

VERSIONS = ("HTTP1", "HTTP2", "GRPC")


def create_target_group(call: Call) -> dict[str, Any]:
    """CreateTargetGroup. A call for one that exists answers with it, unless it asks for something else."""
    params = call.params
    name: str = params["Name"]
    check_name(name, "Target group")
    protocol: str = _needed(call, "Protocol", "A protocol must be specified")
    version = _version(protocol, params.get("ProtocolVersion"))
    group = TargetGroup(
        account=call.scope.account,
        region=call.scope.region,
        group_id=call.ids.hex(16),
        name=name,
        protocol=protocol,
        protocol_version=version,
        port=_needed(call, "Port", "A port must be specified"),
        vpc_id=_needed(call, "VpcId", "A VPC ID must be specified"),
        target_type=params.get("TargetType") or "instance",
        ip_address_type=params.get("IpAddressType") or "ipv4",
        health_check=checked_health_check(params, protocol, version),
        created_at=call.now,
        tags=checked_tags(params.get("Tags")),
    )
    if call.tx.get(Vpc, (*call.scope, group.vpc_id)) is None:
        raise ApiError("ValidationError", f"The VPC ID '{group.vpc_id}' is not found")
    known = call.tx.select(TargetGroup, "name", (*call.scope, name))
    if known:
        return {"TargetGroups": [view(call, _same(known[0], group))]}
    if call.tx.count(TargetGroup, "scope", call.scope) >= LIMITS["target-groups"]:
        most = LIMITS["target-groups"]
        raise ApiError("TooManyTargetGroups", f"The maximum number of target groups has been reached: {most}")
    call.tx.put(group)
    return {"TargetGroups": [view(call, group)]}


def describe_target_groups(call: Call) -> dict[str, Any]:
    """DescribeTargetGroups: those of a load balancer, those with the ARNs or names that are given, or all."""
    balancer_arn = call.params.get("LoadBalancerArn")
    arns, names = call.params.get("TargetGroupArns") or (), call.params.get("Names") or ()
    if sum(map(bool, (balancer_arn, arns, names))) > 1:
        text = "Target group names, target group ARNs, and a load balancer ARN cannot be specified at the same time"
        raise ApiError("ValidationError", text)
    if balancer_arn:
        found = groups_of(call, find_load_balancer(call, balancer_arn))
    elif arns:
        found = [find_group(call, arn) for arn in dict.fromkeys(arns)]
    elif names:
        found = [_named(call, name) for name in dict.fromkeys(names)]
    else:
        found = call.tx.select(TargetGroup, "scope", call.scope)
    found.sort(key=_name)
    shown, marker = paged(call, "DescribeTargetGroups", found, _name)
    return {"TargetGroups": [view(call, group) for group in shown], "NextMarker": marker}


def modify_target_group(call: Call) -> dict[str, Any]:
    """ModifyTargetGroup: its health check; nothing else of it can change."""
    group = find_group(call, call.params["TargetGroupArn"])
    settings = checked_health_check(call.params, group.protocol, group.protocol_version, group.health_check)
    group = group.but(health_check=settings)
    call.tx.put(group)
    return {"TargetGroups": [view(call, group)]}


def delete_target_group(call: Call) -> dict[str, Any]:
    """DeleteTargetGroup, with its targets. One that does not exist is no error."""
    arn: str = call.params["TargetGroupArn"]
    try:
        group = find_group(call, arn)
    except ApiError as error:
        if error.code == "TargetGroupNotFound":
            return {}
        raise
    if in_use(call, group):
        raise ApiError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    for key in call.tx.select_keys(Target, "group", (group.group_id,)):
        call.tx.delete(Target, key)
    call.tx.delete(TargetGroup, group.key)
    return {}


def in_use(call: Call, group: TargetGroup) -> bool:
    """Whether a listener or a rule forwards to a group."""
    return any(call.tx.count(cls, "group", (group.arn,)) for cls in (Listener, Rule))


def users_of(call: Call, group: TargetGroup) -> list[Listener | Rule]:
    """The listeners and rules that forward to a group."""
    return [*call.tx.select(Listener, "group", (group.arn,)), *call.tx.select(Rule, "group", (group.arn,))]


def groups_of(call: Call, balancer: LoadBalancer) -> list[TargetGroup]:
    """The groups that a load balancer forwards to."""
    arns: dict[str, None] = {}
    for listener in call.tx.select(Listener, "load_balancer", (balancer.lb_id,)):
        arns.update(forwarded_groups(listener.default_actions))
    for rule in call.tx.select(Rule, "load_balancer", (balancer.lb_id,)):
        arns.update(forwarded_groups(rule.actions))
    found = (call.tx.get(TargetGroup, key) for key in map(group_key_of, arns) if key is not None)
    return [group for group in found if group is not None]


def view(call: Call, group: TargetGroup) -> dict[str, Any]:
    """A target group, as ELBv2 answers it."""
    arns = dict.fromkeys(user.load_balancer_arn for user in users_of(call, group))
    shown: dict[str, Any] = {
        "TargetGroupArn": group.arn,
        "TargetGroupName": group.name,
        "Protocol": group.protocol,
        "Port": group.port,
        "VpcId": group.vpc_id,
        **health_check_view(group.health_check, group.protocol_version),
        "LoadBalancerArns": list(arns),
        "TargetType": group.target_type,
        "IpAddressType": group.ip_address_type,
    }
    if group.protocol_version:
        shown["ProtocolVersion"] = group.protocol_version
    return shown


def _needed(call: Call, member: str, sentence: str) -> Any:
    value = call.params.get(member)
    if value in (None, ""):
        raise ApiError("ValidationError", sentence)
    return value


def _version(protocol: str, asked: str | None) -> str:
    """The protocol version as it is kept: groups of network load balancers have none."""
    if protocol not in HTTP_PROTOCOLS:
        if asked:
            text = f"A protocol version cannot be specified for target groups with protocol {protocol}"
            raise conflict(text)
        return ""
    version = (asked or VERSIONS[0]).upper()
    if version not in VERSIONS:
        text = f"Protocol version '{version[:64]}' must be one of '{', '.join(VERSIONS)}'"
        raise ApiError("ValidationError", text)
    return version


def _named(call: Call, name: str) -> TargetGroup:
    found = call.tx.select(TargetGroup, "name", (*call.scope, name))
    if not found:
        raise ApiError("TargetGroupNotFound", "One or more target groups not found")
    return found[0]


def _same(known: TargetGroup, asked: TargetGroup) -> TargetGroup:
    """The group of this name, if it is what was asked for; otherwise DuplicateTargetGroupName."""
    own = {"group_id": known.group_id, "created_at": known.created_at, "attributes": known.attributes}
    if asked.but(**own) != known:
        text = f"A target group with the same name '{known.name}' exists, but with different settings"
        raise ApiError("DuplicateTargetGroupName", text)
    return known


def _name(group: TargetGroup) -> str:
    return group.name


_NO_DATAGRAMS = "Only HTTP, HTTPS, TCP and TLS are served: no datagrams, and no gateway load balancers."
_NO_LAMBDA = "Only targets of the types instance and ip are served: no functions, and no load balancers behind others."
OPERATIONS: dict[str, Operation] = {
    "CreateTargetGroup": Operation(
        create_target_group,
        refuses={
            "Protocol": _NO_DATAGRAMS,
            "TargetType": _NO_LAMBDA,
            "IpAddressType": "Targets have IPv4 addresses alone: use ipv4.",
            "TargetControlPort": "The target optimizer is not served: leave TargetControlPort out.",
        },
        allowed={
            "Protocol": ("HTTP", "HTTPS", "TCP", "TLS"),
            "TargetType": ("instance", "ip"),
            "IpAddressType": ("ipv4",),
        },
    ),
    "DeleteTargetGroup": Operation(delete_target_group),
    "DescribeTargetGroups": Operation(describe_target_groups),
    "ModifyTargetGroup": Operation(modify_target_group),
}
