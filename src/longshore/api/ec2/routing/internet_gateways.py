"""Internet gateways: created, attached to a VPC, detached, described, deleted."""

from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import invalid, listed
from longshore.api.ec2.resources import RESOURCES, find, in_use, place_of
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import NetworkInterface, Vpc
from longshore.domain.ec2.routing import Address, InternetGateway
from longshore.wire.errors import ApiError

FILTERS = {
    **filters.table(internet_gateway_id="InternetGatewayId", owner_id="OwnerId"),
    "attachment.state": filters.at("Attachments.State"),
    "attachment.vpc-id": filters.at("Attachments.VpcId"),
}


def create_internet_gateway(call: Call) -> dict[str, Any]:
    """CreateInternetGateway: of no VPC yet."""
    tags = new_tags(call, "internet-gateway")
    gateway = InternetGateway(**place_of(call), gateway_id=f"igw-{call.ids.hex(17)}", tags=tags)
    call.tx.put(gateway)
    return {"InternetGateway": view(gateway)}


def attach_internet_gateway(call: Call) -> dict[str, Any]:
    """AttachInternetGateway: one gateway, one VPC."""
    gateway = find(call, InternetGateway, call.params["InternetGatewayId"])
    vpc = find(call, Vpc, call.params["VpcId"])
    if gateway.vpc_id:
        text = f"resource {gateway.gateway_id} is already attached to network {gateway.vpc_id}"
        raise ApiError("Resource.AlreadyAssociated", text)
    if call.tx.count(InternetGateway, "vpc", (*call.scope, vpc.vpc_id)):
        raise invalid(f"Network {vpc.vpc_id} already has an internet gateway attached")
    call.tx.put(gateway.but(vpc_id=vpc.vpc_id))
    return {}


def detach_internet_gateway(call: Call) -> dict[str, Any]:
    """DetachInternetGateway, once the VPC has no public address any more."""
    gateway = find(call, InternetGateway, call.params["InternetGatewayId"])
    vpc = find(call, Vpc, call.params["VpcId"])
    if gateway.vpc_id != vpc.vpc_id:
        text = f"resource {gateway.gateway_id} is not attached to network {vpc.vpc_id}"
        raise ApiError("Gateway.NotAttached", text)
    for interface in call.tx.select(NetworkInterface, "vpc", (*call.scope, vpc.vpc_id)):
        if call.tx.count(Address, "interface", interface.key):
            text = f"Network {vpc.vpc_id} has some mapped public address(es). Please unmap those public address(es) "
            raise ApiError("DependencyViolation", f"{text}before detaching the gateway.")
    call.tx.put(gateway.but(vpc_id=""))
    return {}


def delete_internet_gateway(call: Call) -> dict[str, Any]:
    """DeleteInternetGateway, once it is of no VPC."""
    gateway = find(call, InternetGateway, call.params["InternetGatewayId"])
    if gateway.vpc_id:
        raise in_use(RESOURCES[InternetGateway], gateway.gateway_id)
    call.tx.delete(InternetGateway, gateway.key)
    return {}


def describe_internet_gateways(call: Call) -> dict[str, Any]:
    """DescribeInternetGateways."""
    return listed(
        call,
        InternetGateway,
        view,
        FILTERS,
        "InternetGateways",
        operation="DescribeInternetGateways",
        member="InternetGatewayId",
    )


def view(gateway: InternetGateway) -> dict[str, Any]:
    """An internet gateway, as EC2 answers it."""
    return {
        "InternetGatewayId": gateway.gateway_id,
        "OwnerId": gateway.account,
        "Attachments": [{"State": "available", "VpcId": gateway.vpc_id}] if gateway.vpc_id else [],
        "Tags": shown(gateway.tags),
    }


OPERATIONS = {
    "AttachInternetGateway": Operation(attach_internet_gateway),
    "CreateInternetGateway": Operation(create_internet_gateway),
    "DeleteInternetGateway": Operation(delete_internet_gateway),
    "DescribeInternetGateways": Operation(describe_internet_gateways),
    "DetachInternetGateway": Operation(detach_internet_gateway),
}
