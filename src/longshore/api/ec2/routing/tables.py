"""Route tables: created, described, deleted; and their routes and associations, as they are answered."""

from collections.abc import Iterator
from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import listed
from longshore.api.ec2.resources import RESOURCES, find, in_use, place_of
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.ec2.tokens import repeated, token_fields
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.endpoint import VpcEndpoint
from longshore.domain.ec2.network import NetworkInterface, Subnet, Vpc
from longshore.domain.ec2.routing import InternetGateway, NatGateway, Route, RouteTable
from longshore.wire.errors import ApiError

MAX_TABLES = 200
"""Per VPC."""


def _below(prefix: str, path: str, **members: str) -> dict[str, filters.Values]:
    """Filters such as `route.gateway-id`; underscores in names stand for hyphens."""
    return {f"{prefix}.{name.replace('_', '-')}": filters.at(f"{path}.{member}") for name, member in members.items()}


FILTERS = {
    **filters.table(owner_id="OwnerId", route_table_id="RouteTableId", vpc_id="VpcId"),
    **_below(
        "association",
        "Associations",
        gateway_id="GatewayId",
        main="Main",
        route_table_association_id="RouteTableAssociationId",
        route_table_id="RouteTableId",
        subnet_id="SubnetId",
    ),
    **_below(
        "route",
        "Routes",
        destination_cidr_block="DestinationCidrBlock",
        destination_ipv6_cidr_block="DestinationIpv6CidrBlock",
        destination_prefix_list_id="DestinationPrefixListId",
        egress_only_internet_gateway_id="EgressOnlyInternetGatewayId",
        gateway_id="GatewayId",
        instance_id="InstanceId",
        nat_gateway_id="NatGatewayId",
        origin="Origin",
        state="State",
        transit_gateway_id="TransitGatewayId",
        vpc_peering_connection_id="VpcPeeringConnectionId",
    ),
}


def create_route_table(call: Call) -> dict[str, Any]:
    """CreateRouteTable: of no subnet yet."""
    token = call.params.get("ClientToken")
    made = repeated(call, RouteTable)
    if made is None:
        vpc = find(call, Vpc, call.params["VpcId"])
        if call.tx.count(RouteTable, "vpc", (*call.scope, vpc.vpc_id)) >= MAX_TABLES:
            text = f"The maximum number of route tables has been reached: {MAX_TABLES} per VPC."
            raise ApiError("RouteTableLimitExceeded", text)
        made = RouteTable(
            **place_of(call),
            **token_fields(call),
            table_id=f"rtb-{call.ids.hex(17)}",
            vpc_id=vpc.vpc_id,
            tags=new_tags(call, "route-table"),
        )
        call.tx.put(made)
    return {"RouteTable": table_view(call, made), "ClientToken": token}


def delete_route_table(call: Call) -> dict[str, Any]:
    """DeleteRouteTable, once no subnet has it; the main one goes with its VPC."""
    table = find(call, RouteTable, call.params["RouteTableId"])
    vpc = find(call, Vpc, table.vpc_id)
    if vpc.main_route_table == table.table_id or call.tx.count(Subnet, "route_table", table.key):
        raise in_use(RESOURCES[RouteTable], table.table_id)
    for endpoint in call.tx.select(VpcEndpoint, "route_table", table.key):
        left = tuple(each for each in endpoint.route_table_ids if each != table.table_id)
        call.tx.put(endpoint.but(route_table_ids=left))
    call.tx.delete(RouteTable, table.key)
    return {}


def describe_route_tables(call: Call) -> dict[str, Any]:
    """DescribeRouteTables."""
    return listed(
        call,
        RouteTable,
        lambda table: table_view(call, table),
        FILTERS,
        "RouteTables",
        operation="DescribeRouteTables",
        member="RouteTableId",
    )


def table_view(call: Call, table: RouteTable) -> dict[str, Any]:
    """A route table, as EC2 answers it."""
    vpc = find(call, Vpc, table.vpc_id)
    return {
        "RouteTableId": table.table_id,
        "VpcId": table.vpc_id,
        "OwnerId": table.account,
        "Associations": list(_associations(call, table, vpc)),
        "PropagatingVgws": [],
        "Routes": list(_routes(call, table, vpc)),
        "Tags": shown(table.tags),
    }


def _associations(call: Call, table: RouteTable, vpc: Vpc) -> Iterator[dict[str, Any]]:
    if vpc.main_route_table == table.table_id:
        yield {
            "Main": True,
            "RouteTableAssociationId": vpc.main_association,
            "RouteTableId": table.table_id,
            "AssociationState": {"State": "associated"},
        }
    for subnet in call.tx.select(Subnet, "route_table", table.key):
        yield {
            "Main": False,
            "RouteTableAssociationId": subnet.route_table_association_id,
            "RouteTableId": table.table_id,
            "SubnetId": subnet.subnet_id,
            "AssociationState": {"State": "associated"},
        }


def _routes(call: Call, table: RouteTable, vpc: Vpc) -> Iterator[dict[str, Any]]:
    """The VPC's own route, those that the user made, and those of gateway endpoints."""
    yield {
        "DestinationCidrBlock": vpc.cidr,
        "GatewayId": "local",
        "Origin": "CreateRouteTable",
        "State": "active",
    }
    for route in table.routes:
        yield {
            _destination_member(route.destination): route.destination,
            **_target_members(call, route.target),
            "Origin": "CreateRoute",
            "State": "active" if leads_somewhere(call, table, route) else "blackhole",
        }
    for endpoint in call.tx.select(VpcEndpoint, "route_table", table.key):
        yield {
            "DestinationPrefixListId": endpoint.prefix_list_id,
            "GatewayId": endpoint.endpoint_id,
            "Origin": "CreateRoute",
            "State": "active",
        }


def _destination_member(destination: str) -> str:
    if destination.startswith("pl-"):
        return "DestinationPrefixListId"
    return "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"


def _target_members(call: Call, target: str) -> dict[str, str]:
    if target.startswith("eni-"):
        interface = call.tx.get(NetworkInterface, (*call.scope, target))
        owner = {"InstanceOwnerId": interface.account} if interface else {}
        return {"NetworkInterfaceId": target, **owner}
    return {"NatGatewayId" if target.startswith("nat-") else "GatewayId": target}


def leads_somewhere(call: Call, table: RouteTable, route: Route) -> bool:
    """Whether what a route leads to is there, in the table's VPC."""
    key = (*call.scope, route.target)
    if route.target.startswith("nat-"):
        gateway = call.tx.get(NatGateway, key)
        return gateway is not None and gateway.live
    if route.target.startswith("eni-"):
        interface = call.tx.get(NetworkInterface, key)
        return interface is not None and bool(interface.attachment_id)
    internet = call.tx.get(InternetGateway, key)
    return internet is not None and internet.vpc_id == table.vpc_id


OPERATIONS = {
    "CreateRouteTable": Operation(create_route_table),
    "DeleteRouteTable": Operation(delete_route_table),
    "DescribeRouteTables": Operation(describe_route_tables),
}
