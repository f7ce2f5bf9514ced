"""Describing the default VPC: filters, ids, pages, and what tools read back."""

from typing import Any

import pytest

from longshore.api import ec2
from longshore.api.ec2.defaults import CANDIDATE_CIDRS, next_vpc_cidr, seed
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, Subnet, Vpc
from longshore.domain.record import Scope
from longshore.store.store import Transaction
from tests.support.api import SCOPE, VPC_CIDR, Api

PLACE: dict[str, Any] = {"account": SCOPE.account, "region": SCOPE.region}


@pytest.fixture
def api() -> Api:
    return Api(ec2.SERVICE.operations, service="ec2")


def free_range(tx: Transaction) -> str:
    cidr = next_vpc_cidr(tx, VPC_CIDR)
    assert cidr is not None
    return cidr


def interface(number: int, **changes: Any) -> NetworkInterface:
    made = NetworkInterface(
        **PLACE,
        interface_id=f"eni-{number:017x}",
        vpc_id="vpc-1",
        subnet_id="subnet-a",
        availability_zone="us-east-1a",
        private_ip=f"172.31.0.{number}",
        mac_address=f"02:42:ac:1f:00:{number:02x}",
        security_groups=("sg-default",),
        created_at=1_700_000_000.0,
        attachment_id=f"eni-attach-{number:017x}",
        description="arn:aws:ecs:us-east-1:123456789012:attachment/1",
    )
    return made.but(**changes)


def one(name: str, *values: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)}]


def test_default_vpc_has_what_terraform_reads(api: Api) -> None:
    (vpc,) = api("DescribeVpcs", Filters=one("is-default", "true"))["Vpcs"]
    assert vpc["CidrBlock"] == VPC_CIDR
    assert vpc["State"] == "available"
    assert vpc["OwnerId"] == SCOPE.account
    assert vpc["CidrBlockAssociationSet"][0]["CidrBlock"] == VPC_CIDR
    assert api("DescribeVpcs", Filters=one("isDefault", "false"))["Vpcs"] == []


@pytest.mark.parametrize(
    ("attribute", "member", "value"),
    [
        ("enableDnsSupport", "EnableDnsSupport", True),
        ("enableDnsHostnames", "EnableDnsHostnames", True),
        ("enableNetworkAddressUsageMetrics", "EnableNetworkAddressUsageMetrics", False),
    ],
)
def test_vpc_attributes(api: Api, attribute: str, member: str, value: bool) -> None:
    answer = api("DescribeVpcAttribute", VpcId="vpc-1", Attribute=attribute)
    assert answer == {"VpcId": "vpc-1", member: {"Value": value}}


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("DescribeVpcs", {"VpcIds": ["vpc-9"]}, "InvalidVpcID.NotFound"),
        ("DescribeVpcs", {"VpcIds": ["x"]}, "InvalidVpcID.Malformed"),
        ("DescribeVpcAttribute", {"VpcId": "vpc-9", "Attribute": "enableDnsSupport"}, "InvalidVpcID.NotFound"),
        ("DescribeSubnets", {"SubnetIds": ["subnet-a", "subnet-9"]}, "InvalidSubnetID.NotFound"),
        ("DescribeSecurityGroups", {"GroupIds": ["sg-9"]}, "InvalidGroup.NotFound"),
        ("DescribeSecurityGroups", {"GroupNames": ["web"]}, "InvalidGroup.NotFound"),
        ("DescribeNetworkInterfaces", {"NetworkInterfaceIds": ["eni-9"]}, "InvalidNetworkInterfaceID.NotFound"),
        ("DescribeAvailabilityZones", {"ZoneNames": ["us-east-1z"]}, "InvalidParameterValue"),
        ("DescribeRegions", {"RegionNames": ["nowhere-1"]}, "InvalidParameterValue"),
        ("DescribeVpcs", {"Filters": one("colour", "red")}, "InvalidParameterValue"),
        ("DescribeVpcs", {"Filters": [{"Name": "state", "Values": []}]}, "InvalidParameterValue"),
        ("DescribeVpcs", {"VpcIds": ["vpc-1"], "MaxResults": 5}, "InvalidParameterCombination"),
        ("DescribeVpcs", {"NextToken": "garbage"}, "InvalidNextToken"),
        *(
            (name, {"DryRun": True}, "DryRunOperation")
            for name in ("DescribeVpcs", "DescribeSubnets", "DescribeRegions")
        ),
    ],
)
def test_refusals_have_the_codes_of_ec2(api: Api, operation: str, params: dict[str, Any], code: str) -> None:
    assert api.error(operation, **params).code == code


def test_unknown_filter_says_its_name(api: Api) -> None:
    assert api.error("DescribeSubnets", Filters=one("vpc_id", "x")).message == "The filter 'vpc_id' is invalid"


def test_subnets_count_their_free_addresses(api: Api) -> None:
    api.put(interface(4), interface(5))
    first, second, third = api("DescribeSubnets", Filters=one("vpc-id", "vpc-1"))["Subnets"]
    assert [first["AvailableIpAddressCount"], second["AvailableIpAddressCount"]] == [4089, 4091]
    assert [s["CidrBlock"] for s in (first, second, third)] == ["172.31.0.0/20", "172.31.16.0/20", "172.31.32.0/20"]
    assert first["AvailabilityZoneId"] == "use1-az1"
    assert first["SubnetArn"] == "arn:aws:ec2:us-east-1:123456789012:subnet/subnet-a"
    assert first["DefaultForAz"] is True


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (one("availability-zone", "us-east-1?"), 3),
        (one("availabilityZone", "*1b", "*1c"), 2),
        (one("cidr-block", "172.31.16.0/20"), 1),
        (one("tag:tier", "back"), 1),
        (one("tag:tier", "*"), 2),
        (one("tag-key", "tier"), 2),
        (one("tag:tier", "b\\*ck"), 0),
        ([*one("tag:tier", "back", "front"), *one("availability-zone", "us-east-1a")], 1),
        (one("available-ip-address-count", "4091"), 3),
        (one("default-for-az", "false"), 0),
    ],
)
def test_filters_join_by_and_their_values_by_or(api: Api, filters: list[dict[str, Any]], expected: int) -> None:
    for name, tier in (("subnet-a", "front"), ("subnet-b", "back")):
        subnet = api.store.get(Subnet, (*SCOPE, name))
        assert subnet is not None
        api.put(subnet.but(tags={"tier": tier}))
    assert len(api("DescribeSubnets", Filters=filters)["Subnets"]) == expected


def test_a_filter_of_many_wildcards_ends(api: Api) -> None:
    assert api("DescribeSubnets", Filters=one("subnet-arn", "*a" * 200 + "!"))["Subnets"] == []


def test_default_security_group_lets_members_in_and_all_out(api: Api) -> None:
    (group,) = api("DescribeSecurityGroups", Filters=one("group-name", "default"))["SecurityGroups"]
    assert group["IpPermissions"][0]["UserIdGroupPairs"] == [{"GroupId": "sg-default", "UserId": SCOPE.account}]
    assert group["IpPermissionsEgress"][0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    assert api("DescribeSecurityGroups", Filters=one("ip-permission.protocol", "-1"))["SecurityGroups"]
    assert api("DescribeSecurityGroups", Filters=one("egress.ip-permission.cidr", "0.0.0.0/0"))["SecurityGroups"]
    assert not api("DescribeSecurityGroups", Filters=one("ip-permission.cidr", "0.0.0.0/0"))["SecurityGroups"]


def test_interface_of_a_task_is_found_by_its_address_and_owner(api: Api) -> None:
    api.put(interface(4), interface(5, subnet_id="subnet-b"))
    by_address = api("DescribeNetworkInterfaces", Filters=one("addresses.private-ip-address", "172.31.0.4"))
    (found,) = by_address["NetworkInterfaces"]
    assert found["PrivateDnsName"] == "ip-172-31-0-4.ec2.internal"
    assert found["Groups"] == [{"GroupId": "sg-default", "GroupName": "default"}]
    assert found["Attachment"]["InstanceOwnerId"] == "amazon-aws"
    assert found["Status"] == "in-use"
    for filters, count in (
        (one("attachment.instance-owner-id", "amazon-elb"), 0),
        (one("subnet-id", "subnet-b"), 1),
        (one("subnet-id", "subnet-?"), 2),
        (one("vpc-id", "vpc-1"), 2),
        (one("group-id", "sg-default"), 2),
        (one("attachment.attach-time", "2023-11-14T*"), 2),
        (one("description", "ELB app/*"), 0),
    ):
        assert len(api("DescribeNetworkInterfaces", Filters=filters)["NetworkInterfaces"]) == count


def test_pages_hold_everything_once(api: Api) -> None:
    api.put(*(interface(number) for number in range(4, 16)))
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = api("DescribeNetworkInterfaces", MaxResults=5, **token)
        seen += [entry["NetworkInterfaceId"] for entry in page["NetworkInterfaces"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert len(seen) == len(set(seen)) == 12


def test_zones_and_regions(api: Api) -> None:
    zones = api("DescribeAvailabilityZones", Filters=one("opt-in-status", "opt-in-not-required"))["AvailabilityZones"]
    assert [zone["ZoneName"] for zone in zones] == ["us-east-1a", "us-east-1b", "us-east-1c"]
    assert api("DescribeAvailabilityZones", ZoneIds=["use1-az2"])["AvailabilityZones"][0]["ZoneName"] == "us-east-1b"
    regions = api("DescribeRegions")["Regions"]
    assert {"eu-west-1", "us-east-1", "ap-southeast-2"} <= {region["RegionName"] for region in regions}
    (opted,) = api("DescribeRegions", RegionNames=["af-south-1"])["Regions"]
    assert opted["OptInStatus"] == "opted-in"


def test_seeding_twice_changes_nothing(api: Api) -> None:
    scope = Scope(SCOPE.account, "eu-west-1")
    with api.transaction() as tx:
        cidr = free_range(tx)
        vpc = seed(tx, scope, cidr, api.ids, api.now)
    assert cidr == "172.30.0.0/16"
    revision = api.store.revision
    with api.transaction() as tx:
        assert seed(tx, scope, free_range(tx), api.ids, api.now) == vpc
    assert api.store.revision == revision
    assert vpc is not None
    assert api.store.count(Subnet, "vpc", (*scope, vpc.vpc_id)) == 3
    assert api.store.count(SecurityGroup, "vpc", (*scope, vpc.vpc_id)) == 1


def test_every_scope_has_a_range_of_its_own(api: Api) -> None:
    with api.transaction() as tx:
        for number in range(40):
            seed(tx, Scope(f"{number:012}", "us-east-1"), free_range(tx), api.ids, api.now)
    ranges = [vpc.cidr for vpc in api.store.all(Vpc)]
    assert len(ranges) == len(set(ranges)) == 41
    assert set(ranges) <= set(CANDIDATE_CIDRS)


def test_a_range_that_overlaps_is_not_taken(api: Api) -> None:
    with api.transaction() as tx:
        assert next_vpc_cidr(tx, "172.16.0.0/12", ["172.31.128.0/17", "192.168.0.0/16"]) == "192.168.0.0/16"
        assert next_vpc_cidr(tx, "10.1.0.0/16") == "10.1.0.0/16"
