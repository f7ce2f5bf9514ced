"""Routes: created, replaced, deleted in a route table."""

import ipaddress
from typing import Any

from longshore.api.ec2.endpoints.services import aws_prefix_lists
from longshore.api.ec2.errors import bad_value, invalid
from longshore.api.ec2.resources import find
from longshore.api.ec2.vpcs.ranges import Network, block
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.endpoint import PrefixList
from longshore.domain.ec2.network import NetworkInterface, Subnet, Vpc
from longshore.domain.ec2.routing import InternetGateway, NatGateway, Route, RouteTable
from longshore.wire.errors import ApiError

MAX_ROUTES = 500
"""Per table: what AWS serves by default."""
DESTINATIONS = {
    "DestinationCidrBlock": "destination-cidr-block",
    "DestinationIpv6CidrBlock": "destination-ipv6-cidr-block",
    "DestinationPrefixListId": "destination-prefix-list-id",
}
TARGETS = ("GatewayId", "NatGatewayId", "NetworkInterfaceId")


def create_route(call: Call) -> dict[str, Any]:
    """CreateRoute."""
    table, vpc = _table(call)
    _, destination = _destination(call)
    _check_destination(call, vpc, destination)
    if destination == vpc.cidr or any(route.destination == destination for route in table.routes):
        raise ApiError("RouteAlreadyExists", f"The route identified by {destination} already exists.")
    if len(table.routes) >= MAX_ROUTES:
        text = f"The maximum number of routes has been reached: {MAX_ROUTES} per route table."
        raise ApiError("RouteLimitExceeded", text)
    route = Route(destination=destination, target=_target(call, table))
    call.tx.put(table.but(routes=(*table.routes, route)))
    return {"Return": True}


def replace_route(call: Call) -> dict[str, Any]:
    """ReplaceRoute: the same destination, by another way."""
    table, vpc = _table(call)
    _, destination = _destination(call)
    if any(route.destination == destination for route in table.routes):
        _check_destination(call, vpc, destination)
    new = Route(destination=destination, target=_target(call, table))
    if not any(route.destination == destination for route in table.routes):
        text = f"There is no route defined for '{destination}' in the route table. Use CreateRoute instead."
        raise invalid(text)
    routes = tuple(new if route.destination == destination else route for route in table.routes)
    call.tx.put(table.but(routes=routes))
    return {}


def delete_route(call: Call) -> dict[str, Any]:
    """DeleteRoute."""
    table, vpc = _table(call)
    name, destination = _destination(call)
    if destination == vpc.cidr:
        raise invalid(f"cannot remove local route {destination} in route table {table.table_id}")
    left = tuple(route for route in table.routes if route.destination != destination)
    if len(left) == len(table.routes):
        text = f"no route with {DESTINATIONS[name]} {destination} in route table {table.table_id}"
        raise ApiError("InvalidRoute.NotFound", text)
    call.tx.put(table.but(routes=left))
    return {}


def _table(call: Call) -> tuple[RouteTable, Vpc]:
    table = find(call, RouteTable, call.params["RouteTableId"])
    return table, find(call, Vpc, table.vpc_id)


def _destination(call: Call) -> tuple[str, str]:
    """`(member, destination)`, ranges in their usual form."""
    given = [(name, value) for name in DESTINATIONS if (value := call.params.get(name))]
    if not given:
        text = "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock, "
        raise ApiError("MissingParameter", f"{text}destinationPrefixListId")
    if len(given) > 1:
        raise ApiError("InvalidParameterCombination", "A route has one destination")
    name, value = given[0]
    if name == "DestinationPrefixListId":
        return name, value
    network = block(value) if name == "DestinationCidrBlock" else _ipv6_block(value)
    if network is None:
        raise bad_value(value, name[0].lower() + name[1:], "This is not a valid CIDR block.")
    return name, str(network)


def _ipv6_block(cidr: str) -> ipaddress.IPv6Network | None:
    try:
        return ipaddress.IPv6Network(cidr, strict=False) if "/" in cidr else None
    except ValueError:
        return None


def _check_destination(call: Call, vpc: Vpc, destination: str) -> None:
    if destination.startswith("pl-"):
        if destination not in aws_prefix_lists(call.scope.region):
            find(call, PrefixList, destination)
    elif _within(vpc, destination):
        text = f"The destination CIDR block {destination} is equal to or more specific than one of this VPC's CIDR"
        if not (call.params.get("NatGatewayId") or call.params.get("NetworkInterfaceId")):
            raise invalid(f"{text} blocks. This route can target only a NAT gateway, an interface or an instance.")
        subnets = call.tx.select(Subnet, "vpc", vpc.key)
        if not any(subnet.cidr == destination for subnet in subnets):
            raise invalid(f"{text} blocks. It must be the whole CIDR block of one of the VPC's subnets.")


def _within(vpc: Vpc, destination: str) -> bool:
    """Whether a route is more specific than the local one."""
    return ":" not in destination and destination != vpc.cidr and Network(destination).subnet_of(Network(vpc.cidr))


def _target(call: Call, table: RouteTable) -> str:
    """The id of what a route is to lead to, after a look whether it is there and can be led to."""
    given = [(name, value) for name in TARGETS if (value := call.params.get(name))]
    if len(given) != 1:
        text = "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId"
        raise ApiError("InvalidParameterCombination" if given else "MissingParameter", text)
    name, target = given[0]
    if name == "NatGatewayId":
        _check_nat(call, table, target)
    elif name == "NetworkInterfaceId":
        if find(call, NetworkInterface, target).vpc_id != table.vpc_id:
            raise _elsewhere(table, f"interface {target}")
    else:
        gateway = call.tx.get(InternetGateway, (*call.scope, target))
        if gateway is None:
            raise ApiError("InvalidGatewayID.NotFound", f"The gateway ID '{target[:64]}' does not exist")
        if gateway.vpc_id != table.vpc_id:
            raise _elsewhere(table, f"network gateway {target}")
    return str(target)


def _check_nat(call: Call, table: RouteTable, target: str) -> None:
    gateway = call.tx.get(NatGateway, (*call.scope, target))
    if gateway is None or not gateway.live:
        raise ApiError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{target[:64]}' does not exist")
    if gateway.vpc_id != table.vpc_id:
        raise _elsewhere(table, f"NAT gateway {target}")


def _elsewhere(table: RouteTable, what: str) -> ApiError:
    return invalid(f"route table {table.table_id} and {what} belong to different networks")


UNSERVED = {
    "CarrierGatewayId": "There are no carrier gateways.",
    "CoreNetworkArn": "There are no core networks.",
    "EgressOnlyInternetGatewayId": "There are no egress-only internet gateways: VPCs have IPv4 addresses alone.",
    "InstanceId": "There are no instances.",
    "LocalGatewayId": "There are no local gateways.",
    "OdbNetworkArn": "There are no ODB networks.",
    "TransitGatewayId": "There are no transit gateways.",
    "VpcEndpointId": "There are no Gateway Load Balancer endpoints; gateway endpoints make their routes themselves.",
    "VpcPeeringConnectionId": "There are no VPC peering connections.",
}
OPERATIONS = {
    "CreateRoute": Operation(create_route, refuses=UNSERVED),
    "DeleteRoute": Operation(delete_route),
    "ReplaceRoute": Operation(
        replace_route,
        refuses={**UNSERVED, "LocalTarget": "Local routes can't be replaced, so there is none to put back."},
        allowed={"LocalTarget": (False,)},
    ),
}
