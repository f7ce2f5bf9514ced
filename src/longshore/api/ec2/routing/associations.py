"""Which route table a subnet has, and which one is a VPC's main table."""

from typing import Any

from longshore.api.ec2.errors import invalid, required
from longshore.api.ec2.resources import find
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import Subnet, Vpc
from longshore.domain.ec2.routing import RouteTable
from longshore.wire.errors import ApiError

ASSOCIATED = {"State": "associated"}


def associate_route_table(call: Call) -> dict[str, Any]:
    """AssociateRouteTable: a subnet gets a table of its own. Again, it is answered as before."""
    reference = call.params.get("SubnetId")
    table = find(call, RouteTable, call.params["RouteTableId"])
    if not reference:
        raise required("subnetId")
    subnet = find(call, Subnet, reference)
    if subnet.vpc_id != table.vpc_id:
        raise _elsewhere(table, subnet.subnet_id)
    if subnet.route_table_id and subnet.route_table_id != table.table_id:
        text = f"the specified association for route table {table.table_id} conflicts with an existing association"
        raise ApiError("Resource.AlreadyAssociated", text)
    if not subnet.route_table_id:
        subnet = subnet.but(route_table_id=table.table_id, route_table_association_id=f"rtbassoc-{call.ids.hex(17)}")
        call.tx.put(subnet)
    return {"AssociationId": subnet.route_table_association_id, "AssociationState": ASSOCIATED}


def replace_route_table_association(call: Call) -> dict[str, Any]:
    """ReplaceRouteTableAssociation: another table for the subnet, or another main table."""
    reference = call.params["AssociationId"]
    table = find(call, RouteTable, call.params["RouteTableId"])
    owner = _owner(call, reference)
    if owner.vpc_id != table.vpc_id:
        raise _elsewhere(table, owner.names()[0])
    new = f"rtbassoc-{call.ids.hex(17)}"
    if isinstance(owner, Vpc):
        call.tx.put(owner.but(main_route_table_id=table.table_id, main_association_id=new))
    else:
        call.tx.put(owner.but(route_table_id=table.table_id, route_table_association_id=new))
    return {"NewAssociationId": new, "AssociationState": ASSOCIATED}


def disassociate_route_table(call: Call) -> dict[str, Any]:
    """DisassociateRouteTable: the subnet has its VPC's main table again."""
    reference = call.params["AssociationId"]
    owner = _owner(call, reference)
    if isinstance(owner, Vpc):
        raise invalid(f"cannot disassociate the main route table association {reference}")
    call.tx.put(owner.but(route_table_id="", route_table_association_id=""))
    return {}


def _owner(call: Call, reference: str) -> Vpc | Subnet:
    """The VPC or the subnet whose association it is."""
    if not reference.startswith("rtbassoc-"):
        raise ApiError("InvalidAssociationID.NotFound", f"The association ID '{reference[:64]}' does not exist")
    for subnet in call.tx.select(Subnet, "scope", call.scope):
        if subnet.route_table_association_id == reference:
            return subnet
    for vpc in call.tx.select(Vpc, "scope", call.scope):
        if vpc.main_association == reference:
            return vpc
    raise ApiError("InvalidAssociationID.NotFound", f"The association ID '{reference[:64]}' does not exist")


def _elsewhere(table: RouteTable, what: str) -> ApiError:
    return invalid(f"route table {table.table_id} and {what} belong to different networks")


OPERATIONS = {
    "AssociateRouteTable": Operation(
        associate_route_table,
        refuses={
            "GatewayId": "Route tables are those of subnets: nothing comes in through a gateway.",
            "PublicIpv4Pool": "There are no pools of public addresses.",
        },
    ),
    "DisassociateRouteTable": Operation(disassociate_route_table),
    "ReplaceRouteTableAssociation": Operation(replace_route_table_association),
}
