"""VPCs: created, described, changed, deleted; the default one made anew."""

from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.defaults import default_vpc, put_default_subnets
from longshore.api.ec2.errors import bad_value, invalid, listed, required
from longshore.api.ec2.making import default_options_id, furnish, unmake
from longshore.api.ec2.resources import RESOURCES, find, in_use, place_of
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.ec2.vpcs.ranges import block, machine_cidr, usable_block
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.endpoint import VpcEndpoint
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, Subnet, Vpc, derived_id
from longshore.domain.ec2.network_acl import NetworkAcl
from longshore.domain.ec2.routing import InternetGateway, NatGateway, RouteTable
from longshore.domain.record import Record
from longshore.wire.errors import ApiError

DEFAULT_CIDR = "172.31.0.0/16"
_NO_IPV6 = "VPCs have IPv4 addresses alone."
_NO_IPAM = "There is no IP address manager: give the range as CidrBlock."
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


def create_vpc(call: Call) -> dict[str, Any]:
    """CreateVpc. Its range may be another VPC's too: see `ranges`."""
    asked = call.params.get("CidrBlock")
    if not asked:
        raise required("CidrBlock")
    if block(asked) is None:
        raise bad_value(asked, "cidrBlock", "This is not a valid CIDR block.")
    network = usable_block(asked)
    if network is None:
        raise ApiError("InvalidVpc.Range", f"The CIDR '{asked}' is invalid.")
    vpc = Vpc(
        **place_of(call),
        vpc_id=f"vpc-{call.ids.hex(17)}",
        cidr=str(network),
        machine_cidr=machine_cidr(call, str(network)),
        instance_tenancy=call.params.get("InstanceTenancy") or "default",
        tags=new_tags(call, "vpc"),
    )
    call.tx.put(vpc)
    furnish(call.tx, vpc, call.ids)
    return {"Vpc": {**vpc_view(vpc), "State": "pending"}}


def create_default_vpc(call: Call) -> dict[str, Any]:
    """CreateDefaultVpc: anew, after it has been deleted."""
    if default_vpc(call.tx, call.scope) is not None:
        text = "A Default VPC already exists for this account in this region."
        raise ApiError("DefaultVpcAlreadyExists", text)
    vpc = Vpc(
        **place_of(call),
        vpc_id=f"vpc-{call.ids.hex(17)}",
        cidr=DEFAULT_CIDR,
        machine_cidr=machine_cidr(call, DEFAULT_CIDR),
        is_default=True,
    )
    call.tx.put(vpc)
    furnish(call.tx, vpc, call.ids)
    put_default_subnets(call.tx, vpc, call.ids)
    return {"Vpc": {**vpc_view(vpc), "State": "pending"}}


KEPT: dict[type[Record], int] = {
    **dict.fromkeys((Subnet, InternetGateway, NatGateway, NetworkInterface, VpcEndpoint), 0),
    **dict.fromkeys((SecurityGroup, RouteTable, NetworkAcl), 1),
}
"""How many of each a VPC may still have when it is deleted: those that came with it."""


def delete_vpc(call: Call) -> dict[str, Any]:
    """DeleteVpc, once nothing is left in it but what came with it."""
    vpc = find(call, Vpc, call.params["VpcId"])
    value = (*call.scope, vpc.vpc_id)
    if any(call.tx.count(cls, "vpc", value) > kept for cls, kept in KEPT.items()):
        raise in_use(RESOURCES[Vpc], vpc.vpc_id)
    unmake(call.tx, vpc)
    return {}


def describe_vpcs(call: Call) -> dict[str, Any]:
    """DescribeVpcs."""
    return listed(call, Vpc, vpc_view, FILTERS, "Vpcs", operation="DescribeVpcs", member="VpcId")


def vpc_view(vpc: Vpc) -> dict[str, Any]:
    """A VPC, as EC2 answers it."""
    return {
        "VpcId": vpc.vpc_id,
        "OwnerId": vpc.account,
        "State": "available",
        "CidrBlock": vpc.cidr,
        "CidrBlockAssociationSet": [
            {
                "AssociationId": derived_id("vpc-cidr-assoc-", vpc.vpc_id),
                "CidrBlock": vpc.cidr,
                "CidrBlockState": {"State": "associated"},
            }
        ],
        "DhcpOptionsId": vpc.dhcp_options_id or default_options_id(vpc.scope),
        "InstanceTenancy": vpc.instance_tenancy,
        "IsDefault": vpc.is_default,
        "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
        "Tags": shown(vpc.tags),
    }


def attributes_of(vpc: Vpc) -> dict[str, bool]:
    """The attributes of a VPC by their member. One that is not the default has no host names unless asked to."""
    hostnames = vpc.is_default if vpc.dns_hostnames is None else vpc.dns_hostnames
    return {
        "EnableDnsSupport": vpc.dns_support,
        "EnableDnsHostnames": hostnames,
        "EnableNetworkAddressUsageMetrics": vpc.address_usage_metrics,
    }


def describe_vpc_attribute(call: Call) -> dict[str, Any]:
    """DescribeVpcAttribute: one of them."""
    vpc = find(call, Vpc, call.params["VpcId"])
    name: str = call.params["Attribute"]
    member = name[0].upper() + name[1:]
    return {"VpcId": vpc.vpc_id, member: {"Value": attributes_of(vpc)[member]}}


FIELDS = {
    "EnableDnsSupport": "dns_support",
    "EnableDnsHostnames": "dns_hostnames",
    "EnableNetworkAddressUsageMetrics": "address_usage_metrics",
}


def modify_vpc_attribute(call: Call) -> dict[str, Any]:
    """ModifyVpcAttribute: one at a time."""
    vpc = find(call, Vpc, call.params["VpcId"])
    given = {member: call.params.get(member) for member in FIELDS}
    changes = {FIELDS[member]: bool(value.get("Value")) for member, value in given.items() if value is not None}
    if not changes:
        raise required("attribute")
    if len(changes) > 1:
        text = "Fields for multiple attribute types specified; only one attribute can be changed at a time"
        raise ApiError("InvalidParameterCombination", text)
    changed = vpc.but(**changes)
    values = attributes_of(changed)
    if changes.get("dns_hostnames") and not values["EnableDnsSupport"]:
        raise invalid("enableDnsHostnames can't be set to true while enableDnsSupport is false")
    call.tx.put(changed)
    return {}


OPERATIONS = {
    "CreateDefaultVpc": Operation(create_default_vpc),
    "CreateVpc": Operation(
        create_vpc,
        refuses={
            "AmazonProvidedIpv6CidrBlock": _NO_IPV6,
            "Ipv6Pool": _NO_IPV6,
            "Ipv6CidrBlock": _NO_IPV6,
            "Ipv6IpamPoolId": _NO_IPV6,
            "Ipv6NetmaskLength": _NO_IPV6,
            "Ipv6CidrBlockNetworkBorderGroup": _NO_IPV6,
            "Ipv4IpamPoolId": _NO_IPAM,
            "Ipv4NetmaskLength": _NO_IPAM,
            "VpcEncryptionControl": "Traffic within a VPC stays on this machine: there is no encryption to control.",
        },
        allowed={"AmazonProvidedIpv6CidrBlock": (False,)},
        inert={"InstanceTenancy": "Kept and answered: there are no instances."},
    ),
    "DeleteVpc": Operation(delete_vpc),
    "DescribeVpcAttribute": Operation(describe_vpc_attribute),
    "DescribeVpcs": Operation(describe_vpcs),
    "ModifyVpcAttribute": Operation(
        modify_vpc_attribute,
        inert={
            "EnableDnsHostnames": "Kept and answered: private DNS names resolve in every VPC.",
            "EnableDnsSupport": "Kept and answered: tasks can always ask the name server.",
            "EnableNetworkAddressUsageMetrics": "Kept and answered: there are no such metrics.",
        },
    ),
}
