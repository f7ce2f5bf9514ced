"""DescribeSecurityGroups. A group's rules are those it is made with until rules can be changed: groups are labels here.

The default group allows its own members in and everything out, as AWS makes it.
"""

from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import Resource, chosen, end_dry_run, paged
from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.network import SecurityGroup
from longshore.domain.tag import tags_list
from longshore.wire.errors import ApiError

GROUP = Resource("GroupIds", "sg-", "InvalidGroupId.Malformed", "InvalidGroup.NotFound", "security group")
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


def describe_security_groups(call: Call) -> dict[str, Any]:
    """The security groups of a region."""
    end_dry_run(call)
    found = {group.group_id: group for group in call.tx.select(SecurityGroup, "scope", call.scope)}
    records = chosen(found, call.params.get("GroupIds") or (), GROUP)
    names = call.params.get("GroupNames")
    if names:
        records = _named(records, names)
    views = filters.apply(map(group_view, records), call.params.get("Filters"), FILTERS)
    return paged(call, "DescribeSecurityGroups", "SecurityGroups", views, lambda view: str(view["GroupId"]), "GroupIds")


def _named(records: list[SecurityGroup], names: list[str]) -> list[SecurityGroup]:
    known = {group.name for group in records}
    for name in names:
        if name not in known:
            raise ApiError("InvalidGroup.NotFound", f"The security group '{name[:255]}' does not exist")
    return [group for group in records if group.name in names]


def group_view(group: SecurityGroup) -> dict[str, Any]:
    """A security group, as EC2 answers it."""
    own_members = {"GroupId": group.group_id, "UserId": group.account}
    inbound = {
        "IpProtocol": "-1",
        "IpRanges": [],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
        "UserIdGroupPairs": [own_members],
    }
    outbound = {
        "IpProtocol": "-1",
        "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
        "UserIdGroupPairs": [],
    }
    return {
        "GroupId": group.group_id,
        "GroupName": group.name,
        "Description": group.description,
        "SecurityGroupArn": str(Arn("ec2", group.scope, f"security-group/{group.group_id}")),
        "OwnerId": group.account,
        "VpcId": group.vpc_id,
        "IpPermissions": [inbound] if group.name == "default" else [],
        "IpPermissionsEgress": [outbound],
        "Tags": tags_list(group.tags, "Key", "Value"),
    }
