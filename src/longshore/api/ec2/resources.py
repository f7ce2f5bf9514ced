"""How EC2 speaks of each kind of resource: the prefix of its ids, the errors for ids that are none, its name in tags.

`find` is how every handler gets the record that an id names.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

from longshore.api.operation import Call
from longshore.domain.ec2.endpoint import EndpointServiceConfiguration, PrefixList, VpcEndpoint
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, SecurityGroupRule, Subnet, Vpc
from longshore.domain.ec2.network_acl import NetworkAcl
from longshore.domain.ec2.network_settings import DhcpOptions, FlowLog
from longshore.domain.ec2.routing import Address, InternetGateway, NatGateway, RouteTable
from longshore.domain.record import Record
from longshore.wire.errors import ApiError

R = TypeVar("R", bound=Record)
MAX_ID = 64


class Resource(NamedTuple):
    """How EC2 speaks of a kind of resource."""

    type: str
    """As in tags: `route-table`."""
    parameter: str
    """Of the list of ids, as `VpcIds`."""
    prefix: str
    malformed: str
    not_found: str
    noun: str
    sentence: str = "The {noun} '{id}' does not exist"


RESOURCES: dict[type[Record], Resource] = {
    Vpc: Resource("vpc", "VpcIds", "vpc-", "InvalidVpcID.Malformed", "InvalidVpcID.NotFound", "vpc ID"),
    Subnet: Resource(
        "subnet", "SubnetIds", "subnet-", "InvalidSubnetID.Malformed", "InvalidSubnetID.NotFound", "subnet ID"
    ),
    SecurityGroup: Resource(
        "security-group", "GroupIds", "sg-", "InvalidGroupId.Malformed", "InvalidGroup.NotFound", "security group"
    ),
    SecurityGroupRule: Resource(
        "security-group-rule",
        "SecurityGroupRuleIds",
        "sgr-",
        "InvalidSecurityGroupRuleId.Malformed",
        "InvalidSecurityGroupRuleId.NotFound",
        "security group rule ID",
    ),
    RouteTable: Resource(
        "route-table",
        "RouteTableIds",
        "rtb-",
        "InvalidRouteTableId.Malformed",
        "InvalidRouteTableID.NotFound",
        "routeTable ID",
    ),
    InternetGateway: Resource(
        "internet-gateway",
        "InternetGatewayIds",
        "igw-",
        "InvalidInternetGatewayId.Malformed",
        "InvalidInternetGatewayID.NotFound",
        "internetGateway ID",
    ),
    NatGateway: Resource(
        "natgateway",
        "NatGatewayIds",
        "nat-",
        "NatGatewayMalformed",
        "NatGatewayNotFound",
        "Nat Gateway",
        "The {noun} {id} was not found",
    ),
    Address: Resource(
        "elastic-ip",
        "AllocationIds",
        "eipalloc-",
        "InvalidAllocationID.Malformed",
        "InvalidAllocationID.NotFound",
        "allocation ID",
    ),
    NetworkAcl: Resource(
        "network-acl",
        "NetworkAclIds",
        "acl-",
        "InvalidNetworkAclID.Malformed",
        "InvalidNetworkAclID.NotFound",
        "networkAcl ID",
    ),
    NetworkInterface: Resource(
        "network-interface",
        "NetworkInterfaceIds",
        "eni-",
        "InvalidNetworkInterfaceId.Malformed",
        "InvalidNetworkInterfaceID.NotFound",
        "networkInterface ID",
    ),
    # Before VpcEndpoint: its ids begin with more of the same.
    EndpointServiceConfiguration: Resource(
        "vpc-endpoint-service",
        "ServiceIds",
        "vpce-svc-",
        "InvalidVpcEndpointServiceId.Malformed",
        "InvalidVpcEndpointServiceId.NotFound",
        "VpcEndpointService Id",
    ),
    VpcEndpoint: Resource(
        "vpc-endpoint",
        "VpcEndpointIds",
        "vpce-",
        "InvalidVpcEndpointId.Malformed",
        "InvalidVpcEndpointId.NotFound",
        "Vpc Endpoint Id",
    ),
    PrefixList: Resource(
        "prefix-list",
        "PrefixListIds",
        "pl-",
        "InvalidPrefixListID.Malformed",
        "InvalidPrefixListID.NotFound",
        "prefix list ID",
    ),
    DhcpOptions: Resource(
        "dhcp-options",
        "DhcpOptionsIds",
        "dopt-",
        "InvalidDhcpOptionsId.Malformed",
        "InvalidDhcpOptionID.NotFound",
        "dhcpOption ID",
    ),
    FlowLog: Resource(
        "vpc-flow-log", "FlowLogIds", "fl-", "InvalidFlowLogId.Malformed", "InvalidFlowLogId.NotFound", "flow log ID"
    ),
}


def find(call: Call, cls: type[R], reference: str) -> R:
    """The record that an id names. Raises the resource's errors."""
    resource = RESOURCES[cls]
    check_id(resource, reference)
    found = call.tx.get(cls, (*call.scope, reference))
    if found is None:
        raise missing(resource, reference)
    return found


def check_id(resource: Resource, reference: str) -> None:
    """Raise for what can't be an id of the resource."""
    if not reference.startswith(resource.prefix) or not reference.isascii() or len(reference) > MAX_ID:
        raise ApiError(resource.malformed, f'Invalid id: "{reference[:MAX_ID]}" (expecting "{resource.prefix}...")')


def missing(resource: Resource, reference: str) -> ApiError:
    """That there is no such thing."""
    text = resource.sentence.format(noun=resource.noun, id=reference[:MAX_ID])
    return ApiError(resource.not_found, text)


def kind_of(reference: str) -> tuple[type[Record], Resource] | None:
    """What an id is of, by its prefix."""
    for cls, resource in RESOURCES.items():
        if reference.startswith(resource.prefix):
            return cls, resource
    return None


def place_of(call: Call) -> dict[str, Any]:
    """The account and region, as records take them."""
    return {"account": call.scope.account, "region": call.scope.region}


def every(call: Call) -> Iterator[tuple[Resource, Any]]:
    """All resources of the account and region."""
    for cls, resource in RESOURCES.items():
        for record in call.tx.select(cls, "scope", call.scope):
            yield resource, record


def in_use(resource: Resource, reference: str) -> ApiError:
    """That something still needs it."""
    noun = resource.noun.removesuffix(" ID")
    return ApiError("DependencyViolation", f"The {noun} '{reference}' has dependencies and cannot be deleted.")


def missing_group(name: str) -> ApiError:
    """That there is no security group of a name."""
    return ApiError("InvalidGroup.NotFound", f"The security group '{name[:255]}' does not exist")
