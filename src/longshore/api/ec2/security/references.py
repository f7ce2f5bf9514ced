"""Who names a security group from elsewhere. Without VPC peering nobody does, and no rule is stale."""

from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import paged
from longshore.api.ec2.resources import find
from longshore.api.ec2.tags import shown
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import SecurityGroup, Vpc


def describe_security_group_references(call: Call) -> dict[str, Any]:
    """DescribeSecurityGroupReferences: from VPCs on the other side of a peering connection. There are none."""
    for reference in call.params["GroupId"]:
        find(call, SecurityGroup, reference)
    return {"SecurityGroupReferenceSet": []}


def describe_stale_security_groups(call: Call) -> dict[str, Any]:
    """DescribeStaleSecurityGroups: a group that a rule names can't be deleted, so no rule is stale."""
    find(call, Vpc, call.params["VpcId"])
    return paged(call, "DescribeStaleSecurityGroups", "StaleSecurityGroupSet", (), str, "")


FILTERS = filters.table(
    group_id="GroupId",
    description="Description",
    group_name="GroupName",
    owner_id="OwnerId",
    primary_vpc_id="PrimaryVpcId",
)


def get_security_groups_for_vpc(call: Call) -> dict[str, Any]:
    """GetSecurityGroupsForVpc."""
    vpc = find(call, Vpc, call.params["VpcId"])
    groups = sorted(call.tx.select(SecurityGroup, "vpc", vpc.key), key=lambda group: group.group_id)
    views = [
        {
            "GroupId": group.group_id,
            "GroupName": group.name,
            "Description": group.description,
            "OwnerId": group.account,
            "PrimaryVpcId": group.vpc_id,
            "Tags": shown(group.tags),
        }
        for group in groups
    ]
    found = filters.apply(views, call.params.get("Filters"), FILTERS)
    return paged(call, "GetSecurityGroupsForVpc", "SecurityGroupForVpcs", found, lambda view: str(view["GroupId"]), "")


OPERATIONS = {
    "DescribeSecurityGroupReferences": Operation(describe_security_group_references),
    "DescribeStaleSecurityGroups": Operation(describe_stale_security_groups),
    "GetSecurityGroupsForVpc": Operation(get_security_groups_for_vpc),
}
