"""VPCs and subnets as users make them: what comes with them, what is refused, where their addresses are."""

import hashlib
from typing import Any

import pytest

from longshore.api import ec2
from longshore.api.ec2.defaults import seed, seeded
from longshore.api.ec2.vpcs.ranges import POOL
from longshore.domain.ec2.network import SecurityGroup, SecurityGroupRule, Subnet, Vpc, default_subnets, real_ranges
from longshore.domain.ec2.routing import RouteTable
from longshore.domain.ecs.cluster import Host
from longshore.domain.record import Scope
from tests.support.api import SCOPE, VPC_CIDR, Api
from tests.support.play_ec2 import one

PLACE: dict[str, Any] = {"account": SCOPE.account, "region": SCOPE.region}


@pytest.fixture
def api() -> Api:
    return Api(ec2.SERVICE.operations, service="ec2")


def create_vpc(api: Api, cidr: str = "10.0.0.0/16") -> str:
    return str(api("CreateVpc", CidrBlock=cidr)["Vpc"]["VpcId"])


def create_subnet(api: Api, vpc: str, cidr: str = "10.0.1.0/24", **more: Any) -> str:
    return str(api("CreateSubnet", VpcId=vpc, CidrBlock=cidr, **more)["Subnet"]["SubnetId"])


def record(api: Api, vpc: str) -> Vpc:
    found = api.store.get(Vpc, (*SCOPE, vpc))
    assert found is not None
    return found


def on_a_machine(api: Api, *networks: str) -> None:
    """As if tasks had real addresses, and the machine these networks."""
    api.put(Host(account="", region="", cpu_units=65536, memory_mib=65536, networks=networks))


def test_a_new_vpc_has_a_main_table_an_acl_and_a_group_with_the_rules_of_aws(api: Api) -> None:
    made = api("CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]
    assert (made["State"], made["IsDefault"], made["CidrBlock"]) == ("pending", False, "10.0.0.0/16")
    vpc = made["VpcId"]
    (table,) = api("DescribeRouteTables", Filters=[*one("vpc-id", vpc), *one("association.main", "true")])[
        "RouteTables"
    ]
    assert [(route["DestinationCidrBlock"], route["GatewayId"]) for route in table["Routes"]] == [
        ("10.0.0.0/16", "local")
    ]
    (acl,) = api("DescribeNetworkAcls", Filters=[*one("vpc-id", vpc), *one("default", "true")])["NetworkAcls"]
    entries = [(each["RuleNumber"], each["Egress"], each["RuleAction"]) for each in acl["Entries"]]
    assert entries == [(100, True, "allow"), (32767, True, "deny"), (100, False, "allow"), (32767, False, "deny")]
    (group,) = api("DescribeSecurityGroups", Filters=one("vpc-id", vpc))["SecurityGroups"]
    assert (group["GroupName"], group["Description"]) == ("default", "default VPC security group")
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group["GroupId"]
    assert group["IpPermissionsEgress"][0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    assert api("DescribeVpcs", VpcIds=[vpc])["Vpcs"][0]["State"] == "available"


def test_a_deleted_vpc_leaves_nothing(api: Api) -> None:
    before = {kind.kind: len(list(api.store.all(kind))) for kind in (Vpc, SecurityGroup, Subnet)}
    revision = {name: api(name)[key] for name, key in EVERYTHING.items()}
    vpc = create_vpc(api)
    api("DeleteVpc", VpcId=vpc)
    assert {name: api(name)[key] for name, key in EVERYTHING.items()} == revision
    assert {kind.kind: len(list(api.store.all(kind))) for kind in (Vpc, SecurityGroup, Subnet)} == before


EVERYTHING = {
    "DescribeNetworkAcls": "NetworkAcls",
    "DescribeRouteTables": "RouteTables",
    "DescribeSecurityGroupRules": "SecurityGroupRules",
    "DescribeSecurityGroups": "SecurityGroups",
    "DescribeVpcs": "Vpcs",
}


@pytest.mark.parametrize(
    ("cidr", "code"),
    [
        ("10.0.0.0/15", "InvalidVpc.Range"),
        ("10.0.0.0/29", "InvalidVpc.Range"),
        ("127.0.0.0/16", "InvalidVpc.Range"),
        ("169.254.0.0/16", "InvalidVpc.Range"),
        ("224.0.0.0/16", "InvalidVpc.Range"),
        ("10.0.0.0", "InvalidParameterValue"),
        ("10.0.0/16", "InvalidParameterValue"),
        ("x/16", "InvalidParameterValue"),
        ("fd00::/56", "InvalidParameterValue"),
        ("", "MissingParameter"),
    ],
)
def test_ranges_that_no_vpc_may_have(api: Api, cidr: str, code: str) -> None:
    assert api.error("CreateVpc", CidrBlock=cidr).code == code


def test_host_bits_of_a_range_are_cleared(api: Api) -> None:
    vpc = api("CreateVpc", CidrBlock="10.1.2.3/16")["Vpc"]
    assert vpc["CidrBlock"] == "10.1.0.0/16"
    subnet = api("CreateSubnet", VpcId=vpc["VpcId"], CidrBlock="10.1.7.9/24")["Subnet"]
    assert subnet["CidrBlock"] == "10.1.7.0/24"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"CidrBlock": "10.1.0.0/24"}, "InvalidSubnet.Range"),
        ({"CidrBlock": "10.0.0.0/15"}, "InvalidSubnet.Range"),
        ({"CidrBlock": "10.0.1.0/29"}, "InvalidSubnet.Range"),
        ({"CidrBlock": "10.0.1.128/25"}, "InvalidSubnet.Conflict"),
        ({"CidrBlock": "10.0.0.0/22"}, "InvalidSubnet.Conflict"),
        ({"CidrBlock": "10.0.1.0/24"}, "InvalidSubnet.Conflict"),
        ({"CidrBlock": "ten"}, "InvalidParameterValue"),
        ({}, "MissingParameter"),
        ({"CidrBlock": "10.0.2.0/24", "AvailabilityZone": "us-east-1z"}, "InvalidParameterValue"),
        ({"CidrBlock": "10.0.2.0/24", "AvailabilityZoneId": "use1-az9"}, "InvalidParameterValue"),
        (
            {"CidrBlock": "10.0.2.0/24", "AvailabilityZone": "us-east-1a", "AvailabilityZoneId": "use1-az1"},
            "InvalidParameterCombination",
        ),
        ({"CidrBlock": "10.0.2.0/24", "VpcId": "vpc-0"}, "InvalidVpcID.NotFound"),
        ({"CidrBlock": "10.0.2.0/24", "DryRun": True}, "DryRunOperation"),
        ({"CidrBlock": "10.0.2.0/24", "TagSpecifications": [{"ResourceType": "vpc"}]}, "InvalidParameterValue"),
    ],
)
def test_subnets_that_cannot_be(api: Api, asked: dict[str, Any], code: str) -> None:
    vpc = create_vpc(api)
    create_subnet(api, vpc)
    assert api.error("CreateSubnet", **{"VpcId": vpc, **asked}).code == code


def test_subnets_without_a_zone_spread(api: Api) -> None:
    vpc = create_vpc(api)
    for number in range(3):
        create_subnet(api, vpc, f"10.0.{number}.0/24")
    zones = {subnet["AvailabilityZone"] for subnet in api("DescribeSubnets", Filters=one("vpc-id", vpc))["Subnets"]}
    assert len(zones) == 3
    by_id = api("CreateSubnet", VpcId=vpc, CidrBlock="10.0.9.0/28", AvailabilityZoneId="use1-az3")["Subnet"]
    assert (by_id["AvailabilityZone"], by_id["AvailableIpAddressCount"]) == ("us-east-1c", 11)


def test_attributes_are_changed_one_at_a_time(api: Api) -> None:
    vpc = create_vpc(api)
    subnet = create_subnet(api, vpc)
    api("ModifyVpcAttribute", VpcId=vpc, EnableDnsHostnames={"Value": True})
    answer = api("DescribeVpcAttribute", VpcId=vpc, Attribute="enableDnsHostnames")
    assert answer["EnableDnsHostnames"] == {"Value": True}
    both: dict[str, Any] = {"EnableDnsHostnames": {"Value": True}, "EnableDnsSupport": {"Value": True}}
    assert api.error("ModifyVpcAttribute", VpcId=vpc, **both).code == "InvalidParameterCombination"
    assert api.error("ModifyVpcAttribute", VpcId=vpc).code == "MissingParameter"
    api("ModifyVpcAttribute", VpcId=vpc, EnableDnsHostnames={"Value": False})
    api("ModifyVpcAttribute", VpcId=vpc, EnableDnsSupport={"Value": False})
    refused = api.error("ModifyVpcAttribute", VpcId=vpc, EnableDnsHostnames={"Value": True})
    assert refused.code == "InvalidParameterValue"
    api("ModifySubnetAttribute", SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    api("ModifySubnetAttribute", SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": False})
    (shown,) = api("DescribeSubnets", SubnetIds=[subnet])["Subnets"]
    assert shown["MapPublicIpOnLaunch"] is True
    assert api.error("ModifySubnetAttribute", SubnetId=subnet).code == "MissingParameter"
    both = {"MapPublicIpOnLaunch": {"Value": True}, "PrivateDnsHostnameTypeOnLaunch": "ip-name"}
    assert api.error("ModifySubnetAttribute", SubnetId=subnet, **both).code == "InvalidParameterCombination"


@pytest.mark.parametrize("left", ["subnet", "gateway", "table", "group", "acl", "endpoint"])
def test_a_vpc_goes_only_when_it_is_empty(api: Api, left: str) -> None:
    vpc = create_vpc(api)
    if left == "subnet":
        create_subnet(api, vpc)
    elif left == "gateway":
        gateway = api("CreateInternetGateway")["InternetGateway"]["InternetGatewayId"]
        api("AttachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
    elif left == "table":
        api("CreateRouteTable", VpcId=vpc)
    elif left == "group":
        api("CreateSecurityGroup", VpcId=vpc, GroupName="g", Description="d")
    elif left == "acl":
        api("CreateNetworkAcl", VpcId=vpc)
    else:
        api("CreateVpcEndpoint", VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3")
    error = api.error("DeleteVpc", VpcId=vpc)
    assert (error.code, error.message) == (
        "DependencyViolation",
        f"The vpc '{vpc}' has dependencies and cannot be deleted.",
    )


def test_a_subnet_goes_only_when_no_interface_is_in_it(api: Api) -> None:
    subnet = create_subnet(api, create_vpc(api))
    interface = api("CreateNetworkInterface", SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert api.error("DeleteSubnet", SubnetId=subnet).code == "DependencyViolation"
    api("DeleteNetworkInterface", NetworkInterfaceId=interface)
    api("DeleteSubnet", SubnetId=subnet)
    assert api.error("DeleteSubnet", SubnetId=subnet).code == "InvalidSubnetID.NotFound"


# --------------------------------------------------------------------------------------------- where addresses are


def test_the_second_vpc_of_a_range_is_moved_and_says_what_it_was_asked(api: Api) -> None:
    on_a_machine(api)
    first, second = create_vpc(api), create_vpc(api)
    assert record(api, first).machine_cidr == ""
    assert record(api, second).machine_cidr == POOL[0]
    shown = api("DescribeVpcs", VpcIds=[second])["Vpcs"][0]
    assert shown["CidrBlock"] == "10.0.0.0/16"
    subnet = create_subnet(api, second, "10.0.7.0/24")
    assert api("DescribeSubnets", SubnetIds=[subnet])["Subnets"][0]["CidrBlock"] == "10.0.7.0/24"
    made = api("CreateNetworkInterface", SubnetId=subnet)["NetworkInterface"]
    assert made["PrivateIpAddress"].startswith("10.64.7.")


def test_a_vpc_is_moved_from_a_network_of_the_machine_and_one_partly_taken_too(api: Api) -> None:
    on_a_machine(api, "10.0.3.0/24", "10.64.0.0/16")
    moved = record(api, create_vpc(api))
    assert moved.machine_cidr == "10.65.0.0/16"
    assert record(api, create_vpc(api, "10.1.0.0/16")).machine_cidr == ""
    small = record(api, create_vpc(api, "10.1.8.0/28"))
    assert small.machine_cidr == "10.66.0.0/28"


def test_where_addresses_only_seem_to_be_there_no_vpc_is_moved(api: Api) -> None:
    assert [record(api, create_vpc(api)).machine_cidr for _ in range(2)] == ["", ""]


def test_a_vpc_that_has_no_room_on_the_machine_is_refused_with_a_sentence(api: Api) -> None:
    on_a_machine(api, "10.0.0.0/8", "100.64.0.0/10")
    error = api.error("CreateVpc", CidrBlock="10.0.0.0/16")
    assert error.code == "VpcLimitExceeded"
    assert "Delete a VPC, or use another range" in error.message
    create_vpc(api, "172.16.0.0/16")


@pytest.mark.parametrize(
    ("cidr", "real"),
    [
        ("10.0.1.0/24", ("10.64.1.0/24",)),
        ("10.0.0.0/16", ("10.64.0.0/16",)),
        ("10.0.0.7/32", ("10.64.0.7/32",)),
        ("10.0.0.0/8", ("10.0.0.0/8", "10.64.0.0/16")),
        ("0.0.0.0/0", ("0.0.0.0/0",)),
        ("192.168.0.0/16", ("192.168.0.0/16",)),
    ],
)
def test_what_a_range_means_in_a_moved_vpc(cidr: str, real: tuple[str, ...]) -> None:
    vpc = Vpc(**PLACE, vpc_id="vpc-9", cidr="10.0.0.0/16", machine_cidr="10.64.0.0/16")
    assert real_ranges(vpc, cidr) == real
    assert real_ranges(vpc.but(machine_cidr=""), cidr) == (cidr,)


# ------------------------------------------------------------------------------------------------------- defaults


def empty_default_vpc(api: Api) -> None:
    gateway = api("DescribeInternetGateways")["InternetGateways"][0]["InternetGatewayId"]
    api("DetachInternetGateway", InternetGatewayId=gateway, VpcId="vpc-1")
    for subnet in api("DescribeSubnets")["Subnets"]:
        api("DeleteSubnet", SubnetId=subnet["SubnetId"])


def test_a_deleted_default_vpc_stays_away_until_it_is_made_anew(api: Api) -> None:
    assert api.error("CreateDefaultVpc").code == "DefaultVpcAlreadyExists"
    empty_default_vpc(api)
    api("DeleteVpc", VpcId="vpc-1")
    with api.transaction() as tx:
        assert seeded(tx, SCOPE)
        assert seed(tx, SCOPE, VPC_CIDR, api.ids, api.now) is None
    assert api.error("CreateSecurityGroup", GroupName="g", Description="d").code == "VPCIdNotSpecified"
    missing = api.error("CreateDefaultSubnet", AvailabilityZone="us-east-1a")
    assert missing.code == "DefaultVpcDoesNotExist"
    made = api("CreateDefaultVpc")["Vpc"]
    assert (made["IsDefault"], made["CidrBlock"]) == (True, "172.31.0.0/16")
    assert len(api("DescribeSubnets", Filters=one("default-for-az", "true"))["Subnets"]) == 3
    (table,) = api("DescribeRouteTables", Filters=one("vpc-id", made["VpcId"]))["RouteTables"]
    assert [route["State"] for route in table["Routes"]] == ["active", "active"]


def test_a_default_subnet_is_made_anew_where_there_is_none(api: Api) -> None:
    error = api.error("CreateDefaultSubnet", AvailabilityZone="us-east-1a")
    assert error.code == "DefaultSubnetAlreadyExistsInAvailabilityZone"
    assert api.error("CreateDefaultSubnet").code == "MissingParameter"
    api("DeleteSubnet", SubnetId="subnet-a")
    made = api("CreateDefaultSubnet", AvailabilityZone="us-east-1a")["Subnet"]
    assert (made["CidrBlock"], made["DefaultForAz"], made["MapPublicIpOnLaunch"]) == ("172.31.0.0/20", True, True)


def test_a_state_of_an_earlier_version_gets_what_it_lacks_and_keeps_its_ids(api: Api) -> None:
    scope = Scope(SCOPE.account, "eu-west-1")
    place: dict[str, Any] = {"account": scope.account, "region": scope.region}
    vpc = Vpc(**place, vpc_id="vpc-old", cidr="172.30.0.0/16", is_default=True)
    subnets = [
        Subnet(
            **place, subnet_id=f"subnet-{zone}", vpc_id="vpc-old", cidr=cidr, availability_zone=zone, is_default=True
        )
        for zone, cidr in default_subnets(vpc.cidr, ("eu-west-1a", "eu-west-1b", "eu-west-1c"))
    ]
    group = SecurityGroup(**place, group_id="sg-old", vpc_id="vpc-old", name="default", description="d")
    api.put(vpc, *subnets, group)
    with api.transaction() as tx:
        assert seed(tx, scope, "10.9.0.0/16", api.ids, api.now) == vpc
    read = api.store
    assert read.count(Subnet, "scope", scope) == 3
    assert [each.group_id for each in read.select(SecurityGroup, "scope", scope)] == ["sg-old"]
    tables = [table.table_id for table in read.select(RouteTable, "scope", scope)]
    assert tables == [vpc.main_route_table] == ["rtb-" + hashlib.sha256(b"vpc-old").hexdigest()[:17]]
    rules = read.select(SecurityGroupRule, "group", group.key)
    assert sorted((rule.is_egress, rule.protocol) for rule in rules) == [(False, "-1"), (True, "-1")]
