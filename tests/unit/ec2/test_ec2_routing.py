"""Route tables, gateways, elastic IP addresses: what leads where, and what is refused."""

from typing import Any

import pytest

from longshore.api import ec2
from longshore.control.ecs.history import History
from longshore.domain.ec2.network import NetworkInterface
from longshore.domain.ec2.routing import NatGateway
from tests.support.api import SCOPE, Api
from tests.support.clock import HandClock
from tests.support.play_ec2 import one
from tests.support.world import SeededIds

ALL = "0.0.0.0/0"


@pytest.fixture
def api() -> Api:
    return Api(ec2.SERVICE.operations, service="ec2")


class Stack:
    """A VPC with a subnet and an internet gateway."""

    def __init__(self, api: Api, cidr: str = "10.0.0.0/16") -> None:
        self.api = api
        self.vpc: str = api("CreateVpc", CidrBlock=cidr)["Vpc"]["VpcId"]
        part = cidr.replace(".0.0/16", ".1.0/24")
        self.subnet: str = api("CreateSubnet", VpcId=self.vpc, CidrBlock=part)["Subnet"]["SubnetId"]
        self.gateway: str = api("CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
        api("AttachInternetGateway", InternetGatewayId=self.gateway, VpcId=self.vpc)

    def table(self) -> str:
        return str(self.api("CreateRouteTable", VpcId=self.vpc)["RouteTable"]["RouteTableId"])

    def main(self) -> dict[str, Any]:
        filters = [*one("vpc-id", self.vpc), *one("association.main", "true")]
        found: dict[str, Any] = self.api("DescribeRouteTables", Filters=filters)["RouteTables"][0]
        return found

    def nat(self, **more: Any) -> dict[str, Any]:
        address = self.api("AllocateAddress")["AllocationId"]
        made = self.api("CreateNatGateway", SubnetId=self.subnet, AllocationId=address, **more)
        found: dict[str, Any] = made["NatGateway"]
        return found


@pytest.fixture
def stack(api: Api) -> Stack:
    return Stack(api)


def shown(api: Api, table: str) -> dict[str, Any]:
    found: dict[str, Any] = api("DescribeRouteTables", RouteTableIds=[table])["RouteTables"][0]
    return found


# --------------------------------------------------------------------------------------------------- route tables


def test_routes_to_subnets_of_the_vpc_lead_to_nat_gateways_and_interfaces(api: Api, stack: Stack) -> None:
    """More specific than the local route, as AWS has had them since 2021 for appliances between subnets."""
    table = stack.table()
    of = {"RouteTableId": table, "DestinationCidrBlock": "10.0.1.0/24"}
    interface = api("CreateNetworkInterface", SubnetId=stack.subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert api("CreateRoute", **of, NetworkInterfaceId=interface) == {"Return": True}
    assert shown(api, table)["Routes"][1]["NetworkInterfaceId"] == interface
    gateway = api.error("ReplaceRoute", **of, GatewayId=stack.gateway)
    assert (gateway.code, "only a NAT gateway" in gateway.message) == ("InvalidParameterValue", True)
    api("ReplaceRoute", **of, NatGatewayId=stack.nat()["NatGatewayId"])
    api("DeleteRoute", **of)
    half = api.error("CreateRoute", **{**of, "DestinationCidrBlock": "10.0.1.0/25"}, NetworkInterfaceId=interface)
    assert (half.code, "whole CIDR block" in half.message) == ("InvalidParameterValue", True)


def test_routes_are_made_replaced_and_deleted(api: Api, stack: Stack) -> None:
    table = stack.table()
    nat = stack.nat()["NatGatewayId"]
    assert api("CreateRoute", RouteTableId=table, DestinationCidrBlock=ALL, GatewayId=stack.gateway) == {"Return": True}
    again = api.error("CreateRoute", RouteTableId=table, DestinationCidrBlock=ALL, NatGatewayId=nat)
    assert (again.code, again.message) == ("RouteAlreadyExists", f"The route identified by {ALL} already exists.")
    api("ReplaceRoute", RouteTableId=table, DestinationCidrBlock=ALL, NatGatewayId=nat)
    _, route = shown(api, table)["Routes"]
    assert route == {"DestinationCidrBlock": ALL, "NatGatewayId": nat, "Origin": "CreateRoute", "State": "active"}
    assert api("DescribeRouteTables", Filters=one("route.nat-gateway-id", nat))["RouteTables"]
    api("DeleteRoute", RouteTableId=table, DestinationCidrBlock=ALL)
    assert len(shown(api, table)["Routes"]) == 1
    gone = api.error("DeleteRoute", RouteTableId=table, DestinationCidrBlock=ALL)
    assert gone.code == "InvalidRoute.NotFound"
    assert gone.message == f"no route with destination-cidr-block {ALL} in route table {table}"


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        ("CreateRoute", {"DestinationCidrBlock": ALL}, "MissingParameter"),
        ("CreateRoute", {"GatewayId": "igw"}, "MissingParameter"),
        ("CreateRoute", {"DestinationCidrBlock": "x", "GatewayId": "igw"}, "InvalidParameterValue"),
        ("CreateRoute", {"DestinationIpv6CidrBlock": ALL, "GatewayId": "igw"}, "InvalidParameterValue"),
        ("CreateRoute", {"DestinationPrefixListId": "pl-0", "GatewayId": "igw"}, "InvalidPrefixListID.NotFound"),
        ("CreateRoute", {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "igw"}, "RouteAlreadyExists"),
        ("CreateRoute", {"DestinationCidrBlock": "10.0.1.0/24", "GatewayId": "igw"}, "InvalidParameterValue"),
        ("CreateRoute", {"DestinationCidrBlock": "10.0.4.0/24", "NatGatewayId": "nat"}, "InvalidParameterValue"),
        ("CreateRoute", {"DestinationCidrBlock": ALL, "GatewayId": "igw-0"}, "InvalidGatewayID.NotFound"),
        ("CreateRoute", {"DestinationCidrBlock": ALL, "NatGatewayId": "nat-0"}, "InvalidNatGatewayID.NotFound"),
        (
            "CreateRoute",
            {"DestinationCidrBlock": ALL, "NetworkInterfaceId": "eni-0"},
            "InvalidNetworkInterfaceID.NotFound",
        ),
        (
            "CreateRoute",
            {"DestinationCidrBlock": ALL, "NatGatewayId": "nat-0", "GatewayId": "igw"},
            "InvalidParameterCombination",
        ),
        (
            "CreateRoute",
            {"DestinationCidrBlock": ALL, "DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw"},
            "InvalidParameterCombination",
        ),
        ("CreateRoute", {"DestinationCidrBlock": ALL, "TransitGatewayId": "tgw-1"}, "InvalidParameterException"),
        ("ReplaceRoute", {"DestinationCidrBlock": ALL, "GatewayId": "igw"}, "InvalidParameterValue"),
        ("DeleteRoute", {"DestinationCidrBlock": "10.0.0.0/16"}, "InvalidParameterValue"),
        ("DeleteRoute", {"RouteTableId": "rtb-0", "DestinationCidrBlock": ALL}, "InvalidRouteTableID.NotFound"),
    ],
)
def test_routes_that_cannot_be(api: Api, stack: Stack, operation: str, asked: dict[str, Any], code: str) -> None:
    params = {name: stack.gateway if value == "igw" else value for name, value in asked.items()}
    assert api.error(operation, **{"RouteTableId": stack.table(), **params}).code == code


def test_routes_lead_nowhere_across_vpcs(api: Api, stack: Stack) -> None:
    other = Stack(api, "10.1.0.0/16")
    table = stack.table()
    for target in ({"GatewayId": other.gateway}, {"NatGatewayId": other.nat()["NatGatewayId"]}):
        error = api.error("CreateRoute", RouteTableId=table, DestinationCidrBlock=ALL, **target)
        assert error.code == "InvalidParameterValue"
        assert "belong to different networks" in error.message


def test_a_route_to_what_is_gone_is_a_black_hole(api: Api, stack: Stack) -> None:
    table, nat = stack.table(), stack.nat()["NatGatewayId"]
    api("CreateRoute", RouteTableId=table, DestinationCidrBlock="192.0.2.0/24", NatGatewayId=nat)
    api("CreateRoute", RouteTableId=table, DestinationCidrBlock=ALL, GatewayId=stack.gateway)
    api("DeleteNatGateway", NatGatewayId=nat)
    api("DetachInternetGateway", InternetGatewayId=stack.gateway, VpcId=stack.vpc)
    assert [route["State"] for route in shown(api, table)["Routes"]] == ["active", "blackhole", "blackhole"]


def test_a_subnet_has_the_table_it_is_associated_with(api: Api, stack: Stack) -> None:
    first, second = stack.table(), stack.table()
    made = api("AssociateRouteTable", RouteTableId=first, SubnetId=stack.subnet)
    assert made["AssociationState"] == {"State": "associated"}
    again = api("AssociateRouteTable", RouteTableId=first, SubnetId=stack.subnet)
    assert again["AssociationId"] == made["AssociationId"]
    conflict = api.error("AssociateRouteTable", RouteTableId=second, SubnetId=stack.subnet)
    assert conflict.code == "Resource.AlreadyAssociated"
    found = api("DescribeRouteTables", Filters=one("association.subnet-id", stack.subnet))["RouteTables"]
    assert [each["RouteTableId"] for each in found] == [first]
    by_id = one("association.route-table-association-id", made["AssociationId"])
    assert api("DescribeRouteTables", Filters=by_id)["RouteTables"] == found
    assert api.error("DeleteRouteTable", RouteTableId=first).code == "DependencyViolation"
    moved = api("ReplaceRouteTableAssociation", AssociationId=made["AssociationId"], RouteTableId=second)
    assert shown(api, second)["Associations"][0]["SubnetId"] == stack.subnet
    api("DeleteRouteTable", RouteTableId=first)
    api("DisassociateRouteTable", AssociationId=moved["NewAssociationId"])
    gone = api.error("DisassociateRouteTable", AssociationId=moved["NewAssociationId"])
    assert gone.code == "InvalidAssociationID.NotFound"
    assert api.error("DisassociateRouteTable", AssociationId="x").code == "InvalidAssociationID.NotFound"
    assert api.error("AssociateRouteTable", RouteTableId=second).code == "MissingParameter"
    elsewhere = api.error("AssociateRouteTable", RouteTableId=second, SubnetId="subnet-a")
    assert elsewhere.code == "InvalidParameterValue"


def test_a_subnet_that_goes_takes_its_association_along(api: Api, stack: Stack) -> None:
    table = stack.table()
    api("AssociateRouteTable", RouteTableId=table, SubnetId=stack.subnet)
    api("DeleteSubnet", SubnetId=stack.subnet)
    assert shown(api, table)["Associations"] == []
    api("DeleteRouteTable", RouteTableId=table)


def test_another_table_can_be_the_main_one(api: Api, stack: Stack) -> None:
    before, table = stack.main(), stack.table()
    association = before["Associations"][0]["RouteTableAssociationId"]
    assert api.error("DisassociateRouteTable", AssociationId=association).code == "InvalidParameterValue"
    api("ReplaceRouteTableAssociation", AssociationId=association, RouteTableId=table)
    assert stack.main()["RouteTableId"] == table
    assert api.error("DeleteRouteTable", RouteTableId=table).code == "DependencyViolation"
    api("DeleteRouteTable", RouteTableId=before["RouteTableId"])


# ----------------------------------------------------------------------------------------------- internet gateways


def test_an_internet_gateway_is_of_one_vpc_and_a_vpc_has_one(api: Api, stack: Stack) -> None:
    other = Stack(api, "10.1.0.0/16")
    spare = api("CreateInternetGateway")["InternetGateway"]
    assert spare["Attachments"] == []
    cases = (
        ("AttachInternetGateway", stack.gateway, other.vpc, "Resource.AlreadyAssociated"),
        ("AttachInternetGateway", spare["InternetGatewayId"], stack.vpc, "InvalidParameterValue"),
        ("AttachInternetGateway", spare["InternetGatewayId"], "vpc-0", "InvalidVpcID.NotFound"),
        ("DetachInternetGateway", stack.gateway, other.vpc, "Gateway.NotAttached"),
        ("DetachInternetGateway", "igw-0", other.vpc, "InvalidInternetGatewayID.NotFound"),
    )
    for operation, gateway, vpc, code in cases:
        assert api.error(operation, InternetGatewayId=gateway, VpcId=vpc).code == code
    assert api.error("DeleteInternetGateway", InternetGatewayId=stack.gateway).code == "DependencyViolation"
    api("DetachInternetGateway", InternetGatewayId=stack.gateway, VpcId=stack.vpc)
    api("DeleteInternetGateway", InternetGatewayId=stack.gateway)
    missing = api.error("DeleteInternetGateway", InternetGatewayId=stack.gateway)
    assert missing.code == "InvalidInternetGatewayID.NotFound"


def test_a_gateway_stays_while_public_addresses_are_mapped(api: Api, stack: Stack) -> None:
    nat = stack.nat()["NatGatewayId"]
    error = api.error("DetachInternetGateway", InternetGatewayId=stack.gateway, VpcId=stack.vpc)
    assert (error.code, "mapped public address" in error.message) == ("DependencyViolation", True)
    api("DeleteNatGateway", NatGatewayId=nat)
    api("DetachInternetGateway", InternetGatewayId=stack.gateway, VpcId=stack.vpc)


# --------------------------------------------------------------------------------------- elastic IPs, NAT gateways


def test_addresses_are_nobody_elses_and_go_with_interfaces(api: Api, stack: Stack) -> None:
    made = [api("AllocateAddress", Domain="vpc") for _ in range(20)]
    assert len({each["PublicIp"] for each in made}) == 20
    first, second = made[0]["AllocationId"], made[1]["AllocationId"]
    interface = api("CreateNetworkInterface", SubnetId=stack.subnet)["NetworkInterface"]["NetworkInterfaceId"]
    association = api("AssociateAddress", AllocationId=first, NetworkInterfaceId=interface)["AssociationId"]
    (found,) = api("DescribeNetworkInterfaces", NetworkInterfaceIds=[interface])["NetworkInterfaces"]
    assert found["Association"]["PublicIp"] == made[0]["PublicIp"]
    (address,) = api("DescribeAddresses", Filters=one("network-interface-id", interface))["Addresses"]
    assert (address["AssociationId"], address["PrivateIpAddress"]) == (association, found["PrivateIpAddress"])
    assert api.error("ReleaseAddress", AllocationId=first).code == "InvalidIPAddress.InUse"
    taken = api.error("AssociateAddress", AllocationId=second, NetworkInterfaceId=interface)
    assert taken.code == "Resource.AlreadyAssociated"
    api("AssociateAddress", AllocationId=second, NetworkInterfaceId=interface, AllowReassociation=True)
    api("ReleaseAddress", AllocationId=first)
    api("DisassociateAddress", PublicIp=made[1]["PublicIp"])
    api("ReleaseAddress", PublicIp=made[1]["PublicIp"])
    asked = {"AllocationIds": [made[2]["AllocationId"]], "Attribute": "domain-name"}
    (attribute,) = api("DescribeAddressesAttribute", **asked)["Addresses"]
    assert attribute == {"PublicIp": made[2]["PublicIp"], "AllocationId": made[2]["AllocationId"]}


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        (
            "AssociateAddress",
            {"AllocationId": "eipalloc-0", "NetworkInterfaceId": "eni-0"},
            "InvalidAllocationID.NotFound",
        ),
        ("AssociateAddress", {"AllocationId": "own"}, "MissingParameter"),
        (
            "AssociateAddress",
            {"AllocationId": "own", "NetworkInterfaceId": "eni-0"},
            "InvalidNetworkInterfaceID.NotFound",
        ),
        ("AssociateAddress", {"AllocationId": "own", "InstanceId": "i-1"}, "InvalidParameterException"),
        ("DisassociateAddress", {"AssociationId": "eipassoc-0"}, "InvalidAssociationID.NotFound"),
        ("DisassociateAddress", {}, "MissingParameter"),
        ("ReleaseAddress", {"AllocationId": "eipalloc-0"}, "InvalidAllocationID.NotFound"),
        ("ReleaseAddress", {"PublicIp": "192.0.2.1"}, "InvalidAddress.NotFound"),
        ("ReleaseAddress", {}, "MissingParameter"),
        ("DescribeAddresses", {"PublicIps": ["192.0.2.1"]}, "InvalidAddress.NotFound"),
        ("DescribeAddressesAttribute", {"AllocationIds": ["eipalloc-0"]}, "InvalidAllocationID.NotFound"),
        ("AllocateAddress", {"Domain": "standard"}, "InvalidParameterException"),
    ],
)
def test_addresses_that_cannot_be(api: Api, operation: str, asked: dict[str, Any], code: str) -> None:
    own = api("AllocateAddress")["AllocationId"]
    params = {name: own if value == "own" else value for name, value in asked.items()}
    assert api.error(operation, **params).code == code


def test_a_nat_gateway_has_an_address_in_its_subnet_until_it_is_deleted(api: Api, stack: Stack) -> None:
    made = stack.nat(ClientToken="t")
    assert made["State"] == "pending"
    gateway = {"NatGatewayIds": [made["NatGatewayId"]]}
    (found,) = api("DescribeNatGateways", **gateway)["NatGateways"]
    assert (found["State"], found["ConnectivityType"]) == ("available", "public")
    (address,) = found["NatGatewayAddresses"]
    (interface,) = api("DescribeNetworkInterfaces", Filters=one("subnet-id", stack.subnet))["NetworkInterfaces"]
    assert interface["Description"] == f"Interface for NAT Gateway {made['NatGatewayId']}"
    assert interface["Association"]["PublicIp"] == address["PublicIp"]
    refused = api.error("DisassociateAddress", AssociationId=address["AssociationId"])
    assert refused.code == "AuthFailure"
    api("DeleteNatGateway", NatGatewayId=made["NatGatewayId"])
    (gone,) = api("DescribeNatGateways", **gateway)["NatGateways"]
    assert gone["State"] == "deleted"
    assert api.store.count(NetworkInterface, "subnet", (*SCOPE, stack.subnet)) == 0
    api("ReleaseAddress", AllocationId=address["AllocationId"])
    api("DeleteSubnet", SubnetId=stack.subnet)


def test_a_request_that_is_sent_again_makes_no_second_gateway(api: Api, stack: Stack) -> None:
    address = api("AllocateAddress")["AllocationId"]
    asked = {"SubnetId": stack.subnet, "AllocationId": address, "ClientToken": "t"}
    first, again = (api("CreateNatGateway", **asked) for _ in range(2))
    assert again == first
    other = api.error("CreateNatGateway", **{**asked, "ConnectivityType": "public"})
    assert other.code == "IdempotentParameterMismatch"
    for operation in ("CreateRouteTable", "CreateNetworkAcl"):
        one_more = [api(operation, VpcId=stack.vpc, ClientToken="t") for _ in range(2)]
        assert one_more[0] == one_more[1]
    assert len(api("DescribeNatGateways")["NatGateways"]) == 1


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "MissingParameter"),
        ({"AllocationId": "eipalloc-0"}, "InvalidAllocationID.NotFound"),
        ({"AllocationId": "used"}, "Resource.AlreadyAssociated"),
        ({"ConnectivityType": "private", "AllocationId": "own"}, "InvalidParameterCombination"),
        ({"ConnectivityType": "private", "PrivateIpAddress": "10.9.9.9"}, "InvalidParameterValue"),
        ({"ConnectivityType": "private", "PrivateIpAddress": "10.0.1.3"}, "InvalidParameterValue"),
        ({"ConnectivityType": "private", "PrivateIpAddress": "used"}, "InvalidIPAddress.InUse"),
        ({"SubnetId": "subnet-0", "AllocationId": "own"}, "InvalidSubnetID.NotFound"),
        ({"SubnetId": None}, "MissingParameter"),
        ({"SubnetId": "bare", "AllocationId": "own"}, "Gateway.NotAttached"),
        ({"AvailabilityMode": "regional"}, "InvalidParameterException"),
    ],
)
def test_nat_gateways_that_cannot_be(api: Api, stack: Stack, asked: dict[str, Any], code: str) -> None:
    (used,) = stack.nat()["NatGatewayAddresses"]
    bare = api("CreateVpc", CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    values = {
        ("AllocationId", "used"): used["AllocationId"],
        ("AllocationId", "own"): api("AllocateAddress")["AllocationId"],
        ("PrivateIpAddress", "used"): used["PrivateIp"],
        ("SubnetId", "bare"): api("CreateSubnet", VpcId=bare, CidrBlock="10.2.0.0/24")["Subnet"]["SubnetId"],
    }
    params = {name: values.get((name, value), value) for name, value in asked.items()}
    assert api.error("CreateNatGateway", **{"SubnetId": stack.subnet, **params}).code == code


async def test_a_deleted_gateway_is_forgotten_after_an_hour(api: Api, stack: Stack) -> None:
    gone, kept = stack.nat()["NatGatewayId"], stack.nat()["NatGatewayId"]
    api("DeleteNatGateway", NatGatewayId=gone)
    clock = HandClock(api.now + 3000)
    history = History(api.store, clock, history_s=1e6)
    await history.sweep()
    assert api.store.get(NatGateway, (*SCOPE, gone)) is not None
    clock.time += 1000
    await history.sweep()
    assert [each.gateway_id for each in api.store.all(NatGateway)] == [kept]
    assert api.error("DescribeNatGateways", NatGatewayIds=[gone]).code == "NatGatewayNotFound"


def test_no_address_is_handed_out_twice(api: Api) -> None:
    vpc = api("CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = api("CreateSubnet", VpcId=vpc, CidrBlock="10.0.0.0/28")["Subnet"]["SubnetId"]
    api.ids = SeededIds(3)
    made = [api("CreateNetworkInterface", SubnetId=subnet)["NetworkInterface"] for _ in range(11)]
    addresses = {each["PrivateIpAddress"] for each in made}
    assert addresses == {f"10.0.0.{number}" for number in range(4, 15)}
    assert api("DescribeSubnets", SubnetIds=[subnet])["Subnets"][0]["AvailableIpAddressCount"] == 0
    full = api.error("CreateNetworkInterface", SubnetId=subnet)
    assert full.code == "InsufficientFreeAddressesInSubnet"
