"""DescribeRouteTables and DescribeInternetGateways: how the subnets of a VPC reach each other and the world.

A VPC has its main route table, which holds for every subnet without one of its own, and a default VPC has an internet
gateway. Neither can be changed, so neither has a record: both follow from the VPC.
"""

from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import Resource, chosen, end_dry_run, paged
from longshore.api.ec2.vpcs import derived
from longshore.api.operation import Call
from longshore.domain.network import Vpc

TABLE = Resource(
    "RouteTableIds", "rtb-", "InvalidRouteTableId.Malformed", "InvalidRouteTableID.NotFound", "routeTable ID"
)
GATEWAY = Resource(
    "InternetGatewayIds",
    "igw-",
    "InvalidInternetGatewayId.Malformed",
    "InvalidInternetGatewayID.NotFound",
    "internetGateway ID",
)


def _below(prefix: str, path: str, **members: str) -> dict[str, filters.Values]:
    """Filters such as `route.gateway-id`; underscores in names stand for hyphens."""
    return {f"{prefix}.{name.replace('_', '-')}": filters.at(f"{path}.{member}") for name, member in members.items()}


TABLE_FILTERS = {
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
GATEWAY_FILTERS = {
    **filters.table(internet_gateway_id="InternetGatewayId", owner_id="OwnerId"),
    **_below("attachment", "Attachments", state="State", vpc_id="VpcId"),
}


def describe_route_tables(call: Call) -> dict[str, Any]:
    """The main route table of each VPC."""
    end_dry_run(call)
    found = {main_route_table_id(vpc): vpc for vpc in call.tx.select(Vpc, "scope", call.scope)}
    records = chosen(found, call.params.get("RouteTableIds") or (), TABLE)
    shown = filters.apply(map(route_table_view, records), call.params.get("Filters"), TABLE_FILTERS)
    return paged(
        call, "DescribeRouteTables", "RouteTables", shown, lambda view: str(view["RouteTableId"]), "RouteTableIds"
    )


def describe_internet_gateways(call: Call) -> dict[str, Any]:
    """The internet gateway of each default VPC."""
    end_dry_run(call)
    found = {internet_gateway_id(vpc): vpc for vpc in call.tx.select(Vpc, "scope", call.scope) if vpc.is_default}
    records = chosen(found, call.params.get("InternetGatewayIds") or (), GATEWAY)
    shown = filters.apply(map(internet_gateway_view, records), call.params.get("Filters"), GATEWAY_FILTERS)
    return paged(
        call,
        "DescribeInternetGateways",
        "InternetGateways",
        shown,
        lambda view: str(view["InternetGatewayId"]),
        "InternetGatewayIds",
    )


def main_route_table_id(vpc: Vpc) -> str:
    """The id of a VPC's main route table."""
    return derived("rtb-", vpc.vpc_id)


def internet_gateway_id(vpc: Vpc) -> str:
    """The id of a default VPC's internet gateway."""
    return derived("igw-", vpc.vpc_id)


def route_table_view(vpc: Vpc) -> dict[str, Any]:
    """A VPC's main route table, as EC2 answers it."""
    table_id = main_route_table_id(vpc)
    routes = [_route(vpc.cidr, "local", "CreateRouteTable")]
    if vpc.is_default:
        routes.append(_route("0.0.0.0/0", internet_gateway_id(vpc), "CreateRoute"))
    return {
        "RouteTableId": table_id,
        "VpcId": vpc.vpc_id,
        "OwnerId": vpc.account,
        "Associations": [
            {
                "Main": True,
                "RouteTableAssociationId": derived("rtbassoc-", vpc.vpc_id),
                "RouteTableId": table_id,
                "AssociationState": {"State": "associated"},
            }
        ],
        "PropagatingVgws": [],
        "Routes": routes,
        "Tags": [],
    }


def _route(cidr: str, gateway_id: str, origin: str) -> dict[str, str]:
    return {"DestinationCidrBlock": cidr, "GatewayId": gateway_id, "Origin": origin, "State": "active"}


def internet_gateway_view(vpc: Vpc) -> dict[str, Any]:
    """A default VPC's internet gateway, as EC2 answers it."""
    return {
        "InternetGatewayId": internet_gateway_id(vpc),
        "OwnerId": vpc.account,
        "Attachments": [{"State": "available", "VpcId": vpc.vpc_id}],
        "Tags": [],
    }
