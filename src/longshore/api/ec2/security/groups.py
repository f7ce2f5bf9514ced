"""Security groups: created, described, deleted; and how their rules are answered as permissions."""

import re
from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.defaults import default_vpc
from longshore.api.ec2.errors import bad_value, listed, required
from longshore.api.ec2.making import rule_to_everywhere
from longshore.api.ec2.resources import find, missing_group, place_of
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.operation import Call, Operation
from longshore.domain.arn import Arn
from longshore.domain.ec2.endpoint import VpcEndpoint
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, SecurityGroupRule, Vpc
from longshore.wire.errors import ApiError

MAX_GROUPS = 2500
"""Per account and region: what AWS serves by default."""
TEXT = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")
_RULE_FILTERS = {
    "cidr": "IpRanges.CidrIp",
    "from-port": "FromPort",
    "group-id": "UserIdGroupPairs.GroupId",
    "group-name": "UserIdGroupPairs.GroupName",
    "ipv6-cidr": "Ipv6Ranges.CidrIpv6",
    "prefix-list-id": "PrefixListIds.PrefixListId",
    "protocol": "IpProtocol",
    "to-port": "ToPort",
    "user-id": "UserIdGroupPairs.UserId",
}
FILTERS = {
    **filters.table(
        description="Description",
        group_id="GroupId",
        group_name="GroupName",
        owner_id="OwnerId",
        vpc_id="VpcId",
    ),
    **{f"ip-permission.{name}": filters.at(f"IpPermissions.{path}") for name, path in _RULE_FILTERS.items()},
    **{
        f"egress.ip-permission.{name}": filters.at(f"IpPermissionsEgress.{path}")
        for name, path in _RULE_FILTERS.items()
    },
}


def create_security_group(call: Call) -> dict[str, Any]:
    """CreateSecurityGroup: nothing may come in, everything may go out."""
    name, description, reference = call.params["GroupName"], call.params["Description"], call.params.get("VpcId")
    vpc = find(call, Vpc, reference) if reference else default_vpc(call.tx, call.scope)
    if vpc is None:
        raise ApiError("VPCIdNotSpecified", "No default VPC for this user")
    _check_name(name)
    if not description:
        raise required("GroupDescription")
    if not TEXT.fullmatch(description):
        raise bad_value(description, "GroupDescription", f"It has 1 to 255 characters of the set {ALLOWED}")
    if any(group.name == name for group in call.tx.select(SecurityGroup, "vpc", (*call.scope, vpc.vpc_id))):
        text = f"The security group '{name}' already exists for VPC '{vpc.vpc_id}'"
        raise ApiError("InvalidGroup.Duplicate", text)
    if call.tx.count(SecurityGroup, "scope", call.scope) >= MAX_GROUPS:
        text = f"The maximum number of security groups has been reached: {MAX_GROUPS}."
        raise ApiError("SecurityGroupLimitExceeded", text)
    group = SecurityGroup(
        **place_of(call),
        group_id=f"sg-{call.ids.hex(17)}",
        vpc_id=vpc.vpc_id,
        name=name,
        description=description,
        tags=new_tags(call, "security-group"),
    )
    call.tx.put(group)
    call.tx.put(rule_to_everywhere(group, call.ids))
    return {"GroupId": group.group_id, "SecurityGroupArn": arn_of(group), "Tags": shown(group.tags)}


ALLOWED = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"


def _check_name(name: str) -> None:
    if not name:
        raise required("GroupName")
    if not TEXT.fullmatch(name) or name.startswith(" "):
        raise bad_value(name, "GroupName", f"It has 1 to 255 characters of the set {ALLOWED}")
    if name.lower().startswith("sg-"):
        raise bad_value(name, "GroupName", "Group names may not be in the format sg-*.")
    if name == "default":
        raise ApiError("InvalidParameterValue", "Cannot use reserved security group name: default")


def delete_security_group(call: Call) -> dict[str, Any]:
    """DeleteSecurityGroup, once no interface has it and no other group's rule names it."""
    group = group_of(call, call.params.get("GroupId"), call.params.get("GroupName"))
    if group.name == "default":
        text = f'the specified group: "{group.group_id}" name: "default" cannot be deleted by a user'
        raise ApiError("CannotDelete", text)
    named = (rule.group_id for rule in call.tx.select(SecurityGroupRule, "referenced", group.key))
    used = any(group_id != group.group_id for group_id in named)
    if used or any(call.tx.count(cls, "group", group.key) for cls in (NetworkInterface, VpcEndpoint)):
        raise ApiError("DependencyViolation", f"resource {group.group_id} has a dependent object")
    for rule in call.tx.select(SecurityGroupRule, "group", group.key):
        call.tx.delete(SecurityGroupRule, rule.key)
    call.tx.delete(SecurityGroup, group.key)
    return {"Return": True, "GroupId": group.group_id}


def group_of(call: Call, reference: str | None, name: str | None = None) -> SecurityGroup:
    """A group by its id, or one of the default VPC by its name."""
    if reference:
        return find(call, SecurityGroup, reference)
    if not name:
        raise ApiError("MissingParameter", "The request must contain the parameter groupName or groupId")
    vpc = default_vpc(call.tx, call.scope)
    for group in call.tx.select(SecurityGroup, "vpc", (*call.scope, vpc.vpc_id)) if vpc else ():
        if group.name == name:
            return group
    raise missing_group(name)


def describe_security_groups(call: Call) -> dict[str, Any]:
    """DescribeSecurityGroups."""
    names = call.params.get("GroupNames")
    records = call.tx.select(SecurityGroup, "scope", call.scope)
    if names:
        vpc = default_vpc(call.tx, call.scope)
        records = _named([group for group in records if vpc is not None and group.vpc_id == vpc.vpc_id], names)
    return listed(
        call,
        SecurityGroup,
        lambda group: group_view(call, group),
        FILTERS,
        "SecurityGroups",
        operation="DescribeSecurityGroups",
        member="GroupId",
        records=records,
    )


def _named(records: list[SecurityGroup], names: list[str]) -> list[SecurityGroup]:
    known = {group.name for group in records}
    for name in names:
        if name not in known:
            raise missing_group(name)
    return [group for group in records if group.name in names]


def group_view(call: Call, group: SecurityGroup) -> dict[str, Any]:
    """A security group, as EC2 answers it."""
    rules = call.tx.select(SecurityGroupRule, "group", group.key)
    return {
        "GroupId": group.group_id,
        "GroupName": group.name,
        "Description": group.description,
        "SecurityGroupArn": arn_of(group),
        "OwnerId": group.account,
        "VpcId": group.vpc_id,
        "IpPermissions": permissions_view([rule for rule in rules if not rule.is_egress]),
        "IpPermissionsEgress": permissions_view([rule for rule in rules if rule.is_egress]),
        "Tags": shown(group.tags),
    }


def permissions_view(rules: list[SecurityGroupRule]) -> list[dict[str, Any]]:
    """Rules as permissions: one for each protocol and range of ports."""
    found: dict[tuple[str, int, int], dict[str, Any]] = {}
    for rule in rules:
        key = (rule.protocol, rule.from_port, rule.to_port)
        if key not in found:
            ports = {"FromPort": rule.from_port, "ToPort": rule.to_port} if has_ports(rule.protocol) else {}
            found[key] = {
                "IpProtocol": rule.protocol,
                **ports,
                "IpRanges": [],
                "Ipv6Ranges": [],
                "PrefixListIds": [],
                "UserIdGroupPairs": [],
            }
        described = {"Description": rule.description} if rule.description else {}
        if rule.cidr_ipv4:
            found[key]["IpRanges"].append({"CidrIp": rule.cidr_ipv4, **described})
        elif rule.cidr_ipv6:
            found[key]["Ipv6Ranges"].append({"CidrIpv6": rule.cidr_ipv6, **described})
        elif rule.prefix_list_id:
            found[key]["PrefixListIds"].append({"PrefixListId": rule.prefix_list_id, **described})
        else:
            pair = {"GroupId": rule.referenced_group_id, "UserId": rule.account}
            found[key]["UserIdGroupPairs"].append({**pair, **described})
    return list(found.values())


def has_ports(protocol: str) -> bool:
    """Whether a protocol has ports, or ICMP's types and codes."""
    return protocol in {"tcp", "udp", "icmp", "icmpv6"}


def arn_of(group: SecurityGroup) -> str:
    """The ARN of a group."""
    return str(Arn("ec2", group.scope, f"security-group/{group.group_id}"))


OPERATIONS = {
    "CreateSecurityGroup": Operation(create_security_group),
    "DeleteSecurityGroup": Operation(delete_security_group),
    "DescribeSecurityGroups": Operation(describe_security_groups),
}
