"""NAT gateways: created, described, deleted. A deleted one is still described for an hour, as on AWS."""

from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import listed, required
from longshore.api.ec2.interfaces.making import take_interface
from longshore.api.ec2.resources import find, place_of
from longshore.api.ec2.routing.addresses import associate, find_allocation
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.ec2.tokens import repeated, token_fields
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import NetworkInterface, Subnet
from longshore.domain.ec2.routing import Address, InternetGateway, NatGateway
from longshore.wire.errors import ApiError

FILTERS = filters.table(
    nat_gateway_id="NatGatewayId",
    state="State",
    subnet_id="SubnetId",
    vpc_id="VpcId",
    connectivity_type="ConnectivityType",
)


def create_nat_gateway(call: Call) -> dict[str, Any]:
    """CreateNatGateway: an interface in a subnet, with an elastic IP address unless it is private."""
    token, asked = call.params.get("ClientToken"), call.params.get("SubnetId")
    private = call.params.get("ConnectivityType") == "private"
    allocation, address = call.params.get("AllocationId"), call.params.get("PrivateIpAddress")
    made = repeated(call, NatGateway)
    if made is None:
        if not asked:
            raise required("subnetId")
        subnet = find(call, Subnet, asked)
        made = _new(call, subnet, "" if private else _allocation(call, subnet, allocation), address or "")
        if private and allocation:
            text = "AllocationId can't be given for a private NAT gateway"
            raise ApiError("InvalidParameterCombination", text)
    return {"ClientToken": token, "NatGateway": {**view(made), "State": "pending"}}


def _allocation(call: Call, subnet: Subnet, allocation: str | None) -> str:
    """The elastic IP address that a public gateway is to have, after a look whether it can."""
    if not allocation:
        text = "The request must include the AllocationId parameter. Add the required parameter and retry the request."
        raise ApiError("MissingParameter", text)
    if not call.tx.count(InternetGateway, "vpc", (*call.scope, subnet.vpc_id)):
        raise ApiError("Gateway.NotAttached", f"Network {subnet.vpc_id} has no Internet gateway attached")
    return find_allocation(call, allocation).allocation_id


def _new(call: Call, subnet: Subnet, allocation: str, address: str) -> NatGateway:
    gateway_id = f"nat-{call.ids.hex(17)}"
    tags = new_tags(call, "natgateway")
    interface = take_interface(
        call,
        subnet,
        address=address,
        attachment_id=f"ela-attach-{call.ids.hex(17)}",
        description=f"Interface for NAT Gateway {gateway_id}",
        interface_type="nat_gateway",
        security_groups=(),
    )
    public = associate(call, find_allocation(call, allocation), interface) if allocation else None
    gateway = NatGateway(
        **place_of(call),
        **token_fields(call),
        gateway_id=gateway_id,
        vpc_id=subnet.vpc_id,
        subnet_id=subnet.subnet_id,
        interface_id=interface.interface_id,
        private_ip=interface.private_ip,
        allocation_id=public.allocation_id if public else "",
        association_id=public.association_id if public else "",
        public_ip=public.public_ip if public else "",
        created_at=call.now,
        tags=tags,
    )
    call.tx.put(gateway)
    return gateway


def delete_nat_gateway(call: Call) -> dict[str, Any]:
    """DeleteNatGateway: its addresses are free again; routes to it lead nowhere."""
    gateway = find(call, NatGateway, call.params["NatGatewayId"])
    if gateway.live:
        call.tx.delete(NetworkInterface, (*call.scope, gateway.interface_id))
        for address in call.tx.select(Address, "interface", (*call.scope, gateway.interface_id)):
            call.tx.put(address.but(association_id="", interface_id=""))
        call.tx.put(gateway.but(deleted_at=call.now))
    return {"NatGatewayId": gateway.gateway_id}


def describe_nat_gateways(call: Call) -> dict[str, Any]:
    """DescribeNatGateways."""
    return listed(
        call,
        NatGateway,
        view,
        FILTERS,
        "NatGateways",
        operation="DescribeNatGateways",
        member="NatGatewayId",
        filter_name="Filter",
    )


def view(gateway: NatGateway) -> dict[str, Any]:
    """A NAT gateway, as EC2 answers it."""
    address: dict[str, Any] = {
        "NetworkInterfaceId": gateway.interface_id,
        "PrivateIp": gateway.private_ip,
        "IsPrimary": True,
        "Status": "succeeded",
    }
    if gateway.allocation_id:
        address |= {
            "AllocationId": gateway.allocation_id,
            "AssociationId": gateway.association_id,
            "PublicIp": gateway.public_ip,
        }
    shown_gateway: dict[str, Any] = {
        "NatGatewayId": gateway.gateway_id,
        "VpcId": gateway.vpc_id,
        "SubnetId": gateway.subnet_id,
        "State": "available" if gateway.live else "deleted",
        "CreateTime": gateway.created_at,
        "ConnectivityType": "public" if gateway.allocation_id else "private",
        "AvailabilityMode": "zonal",
        "NatGatewayAddresses": [address],
        "Tags": shown(gateway.tags),
    }
    if gateway.deleted_at is not None:
        shown_gateway["DeleteTime"] = gateway.deleted_at
    return shown_gateway


_ZONAL = "NAT gateways are zonal, each in its subnet."
_ONE = "A NAT gateway has one address."
OPERATIONS = {
    "CreateNatGateway": Operation(
        create_nat_gateway,
        refuses={
            "AvailabilityMode": _ZONAL,
            "VpcId": _ZONAL,
            "AvailabilityZoneAddresses": _ZONAL,
            "SecondaryAllocationIds": _ONE,
            "SecondaryPrivateIpAddresses": _ONE,
            "SecondaryPrivateIpAddressCount": _ONE,
        },
        allowed={"AvailabilityMode": ("zonal",), "SecondaryPrivateIpAddressCount": (0,)},
    ),
    "DeleteNatGateway": Operation(delete_nat_gateway),
    "DescribeNatGateways": Operation(describe_nat_gateways),
}
