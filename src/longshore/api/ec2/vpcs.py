"""DescribeVpcs and DescribeVpcAttribute."""

import hashlib
from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import Resource, chosen, end_dry_run, paged
from longshore.api.operation import Call
from longshore.domain.network import Vpc
from longshore.domain.tag import tags_list
from longshore.wire.errors import ApiError

VPC = Resource("VpcIds", "vpc-", "InvalidVpcID.Malformed", "InvalidVpcID.NotFound", "vpc ID")
FILTERS = {
    **filters.table(
        cidr="CidrBlock",
        cidr_block="CidrBlock",
        dhcp_options_id="DhcpOptionsId",
        is_default="IsDefault",
        owner_id="OwnerId",
        state="State",
        vpc_id="VpcId",
    ),
    "isDefault": filters.at("IsDefault"),
    "cidr-block-association.cidr-block": filters.at("CidrBlockAssociationSet.CidrBlock"),
    "cidr-block-association.association-id": filters.at("CidrBlockAssociationSet.AssociationId"),
    "cidr-block-association.state": filters.at("CidrBlockAssociationSet.CidrBlockState.State"),
    "ipv6-cidr-block-association.ipv6-cidr-block": filters.at("Ipv6CidrBlockAssociationSet.Ipv6CidrBlock"),
    "ipv6-cidr-block-association.ipv6-pool": filters.at("Ipv6CidrBlockAssociationSet.Ipv6Pool"),
    "ipv6-cidr-block-association.association-id": filters.at("Ipv6CidrBlockAssociationSet.AssociationId"),
    "ipv6-cidr-block-association.state": filters.at("Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State"),
}


def describe_vpcs(call: Call) -> dict[str, Any]:
    """The VPCs of a region."""
    end_dry_run(call)
    found = {vpc.vpc_id: vpc for vpc in call.tx.select(Vpc, "scope", call.scope)}
    records = chosen(found, call.params.get("VpcIds") or (), VPC)
    views = filters.apply(map(vpc_view, records), call.params.get("Filters"), FILTERS)
    return paged(call, "DescribeVpcs", "Vpcs", views, lambda view: str(view["VpcId"]), "VpcIds")


def vpc_view(vpc: Vpc) -> dict[str, Any]:
    """A VPC, as EC2 answers it."""
    return {
        "VpcId": vpc.vpc_id,
        "OwnerId": vpc.account,
        "State": "available",
        "CidrBlock": vpc.cidr,
        "CidrBlockAssociationSet": [
            {
                "AssociationId": derived("vpc-cidr-assoc-", vpc.vpc_id),
                "CidrBlock": vpc.cidr,
                "CidrBlockState": {"State": "associated"},
            }
        ],
        "DhcpOptionsId": derived("dopt-", f"{vpc.account}/{vpc.region}"),
        "InstanceTenancy": "default",
        "IsDefault": vpc.is_default,
        "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
        "Tags": tags_list(vpc.tags, "Key", "Value"),
    }


def derived(prefix: str, name: str) -> str:
    """An id that needs no record of its own: always the same for the same thing."""
    return prefix + hashlib.sha256(name.encode()).hexdigest()[:17]


ATTRIBUTES = {
    "enableDnsSupport": ("EnableDnsSupport", True),
    "enableDnsHostnames": ("EnableDnsHostnames", True),
    "enableNetworkAddressUsageMetrics": ("EnableNetworkAddressUsageMetrics", False),
}


def describe_vpc_attribute(call: Call) -> dict[str, Any]:
    """One attribute of a VPC. A VPC that is not the default has no DNS host names unless asked to, as on AWS."""
    end_dry_run(call)
    vpc = call.tx.get(Vpc, (*call.scope, call.params["VpcId"]))
    if vpc is None:
        raise ApiError("InvalidVpcID.NotFound", f"The vpc ID '{call.params['VpcId'][:64]}' does not exist")
    member, value = ATTRIBUTES[call.params["Attribute"]]
    if member == "EnableDnsHostnames":
        value = vpc.is_default
    return {"VpcId": vpc.vpc_id, member: {"Value": value}}
