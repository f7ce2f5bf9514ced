"""Load balancers: an address in each subnet, created twice without harm, moved, protected, deleted."""

from typing import Any

import pytest

from longshore.api import elbv2
from longshore.api.ec2 import SERVICE as EC2
from longshore.api.elbv2.limits import LIMITS
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, Subnet, Vpc
from longshore.domain.ec2.routing import InternetGateway
from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Rule
from longshore.domain.elbv2.quota import LoadBalancerQuota
from tests.support.api import SCOPE, Api
from tests.support.balancers import (
    ARN,
    PLACE,
    balancer_named,
    create_balancer,
    create_group,
    forward,
    listener_of,
    rule_of,
)

INTERNAL = {"Type": "network", "Scheme": "internal"}


@pytest.fixture
def api() -> Api:
    return Api(elbv2.OPERATIONS, service="elbv2")


def interfaces(api: Api) -> list[NetworkInterface]:
    return api.store.select(NetworkInterface, "scope", SCOPE)


def mapping(subnet: str, address: str = "") -> dict[str, str]:
    return {"SubnetId": subnet, **({"PrivateIPv4Address": address} if address else {})}


@pytest.mark.parametrize("kind", ["application", "network"])
def test_internet_facing_load_balancer_needs_an_internet_gateway(api: Api, kind: str) -> None:
    [gateway] = api.store.all(InternetGateway)
    asked = {"Type": kind, "Subnets": ["subnet-a", "subnet-b"]}
    api("CreateLoadBalancer", Name="before", **asked)
    api.put(gateway.but(vpc_id=""))
    error = api.error("CreateLoadBalancer", Name="web", **asked)
    assert (error.code, error.message) == (
        "InvalidSubnet",
        "VPC vpc-1 has no internet gateway: attach one, or use Scheme internal",
    )
    api("CreateLoadBalancer", Name="web", Scheme="internal", **asked)
    api("CreateLoadBalancer", Name="before", **asked)  # it is there
    api.put(gateway)
    api("CreateLoadBalancer", Name="after", **asked)


def test_a_load_balancer_is_described_as_it_was_asked_for(api: Api) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    (made,) = api("CreateLoadBalancer", Name="Front", Subnets=["subnet-b", "subnet-a"], Tags=tags)["LoadBalancers"]
    arn, dns_name = made.pop("LoadBalancerArn"), made.pop("DNSName")
    assert arn.startswith(f"{ARN}loadbalancer/app/Front/")
    assert dns_name.startswith("front-")
    assert dns_name.endswith(".us-east-1.elb.localhost")
    assert made == {
        "LoadBalancerName": "Front",
        "CanonicalHostedZoneId": "Z35SXDOTRQ7X7K",
        "CreatedTime": api.now,
        "Scheme": "internet-facing",
        "VpcId": "vpc-1",
        "State": {"Code": "provisioning"},
        "Type": "application",
        "AvailabilityZones": [
            {"ZoneName": "us-east-1a", "SubnetId": "subnet-a", "LoadBalancerAddresses": []},
            {"ZoneName": "us-east-1b", "SubnetId": "subnet-b", "LoadBalancerAddresses": []},
        ],
        "IpAddressType": "ipv4",
        "SecurityGroups": ["sg-default"],
    }
    (described,) = api("DescribeLoadBalancers", LoadBalancerArns=[arn])["LoadBalancers"]
    assert described == {**made, "LoadBalancerArn": arn, "DNSName": dns_name}
    (tagged,) = api("DescribeTags", ResourceArns=[arn])["TagDescriptions"]
    assert tagged["Tags"] == tags


def test_each_subnet_gives_an_address_that_is_gone_with_the_load_balancer(api: Api) -> None:
    balancer = create_balancer(api)
    ec2 = Api(EC2.operations, service="ec2")
    ec2.store = api.store
    owned = [{"Name": "attachment.instance-owner-id", "Values": ["amazon-elb"]}]
    described = [{"Name": "description", "Values": [f"ELB app/front/{balancer.lb_id}"]}]
    found = ec2("DescribeNetworkInterfaces", Filters=[*owned, *described])["NetworkInterfaces"]
    shown = {(each["SubnetId"], each["PrivateIpAddress"]) for each in found}
    assert shown == {(zone.subnet_id, zone.address) for zone in balancer.zones}
    assert {each["RequesterId"] for each in found} == {"amazon-elb"}
    assert {each["InterfaceType"] for each in found} == {"interface"}
    assert [group["GroupId"] for group in found[0]["Groups"]] == ["sg-default"]
    api("DeleteLoadBalancer", LoadBalancerArn=balancer.arn)
    assert interfaces(api) == []
    assert api.store.get(LoadBalancer, balancer.key) is None


def test_no_two_load_balancers_have_the_same_address(api: Api) -> None:
    small = [subnet.but(cidr=f"{subnet.cidr.rpartition('/')[0]}/27") for subnet in api.store.all(Subnet)]
    api.put(*small)
    taken = {zone.address for number in range(27) for zone in create_balancer(api, f"lb{number}").zones}
    assert len(taken) == 54
    assert {interface.private_ip for interface in interfaces(api)} == taken
    assert api.error("CreateLoadBalancer", Name="more", **TWO).code == "InvalidSubnet"


def test_the_addresses_next_in_line_are_left_to_tasks(api: Api) -> None:
    before = list(api.store.all(Subnet))
    create_balancer(api)
    assert list(api.store.all(Subnet)) == before


def test_internal_load_balancers_have_a_name_that_says_so(api: Api) -> None:
    assert create_balancer(api, Scheme="internal").dns_name.startswith("internal-front-")


def test_a_network_load_balancer_needs_one_zone_and_no_security_group(api: Api) -> None:
    balancer = create_balancer(api, Type="network", Subnets=["subnet-c"])
    assert balancer.arn.startswith(f"{ARN}loadbalancer/net/front/")
    assert balancer.security_groups == ()
    (shown,) = api("DescribeLoadBalancers")["LoadBalancers"]
    assert "SecurityGroups" not in shown
    assert shown["EnablePrefixForIpv6SourceNat"] == "off"
    assert [interface.interface_type for interface in interfaces(api)] == ["network_load_balancer"]


def test_an_address_that_was_asked_for_is_taken_and_answered(api: Api) -> None:
    asked = [mapping("subnet-a", "172.31.0.77"), mapping("subnet-b")]
    balancer = create_balancer(api, SubnetMappings=asked, **INTERNAL)
    (shown,) = api("DescribeLoadBalancers")["LoadBalancers"]
    addresses = [zone["LoadBalancerAddresses"] for zone in shown["AvailabilityZones"]]
    assert addresses == [[{"PrivateIPv4Address": "172.31.0.77"}], []]
    error = api.error("CreateLoadBalancer", Name="other", SubnetMappings=asked, **INTERNAL)
    assert error.code == "ResourceInUse"
    assert create_balancer(api, SubnetMappings=asked, **INTERNAL) == balancer


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("172.31.0.3", "InvalidConfigurationRequest"),
        ("172.31.15.255", "InvalidConfigurationRequest"),
        ("172.31.16.9", "InvalidConfigurationRequest"),
        ("172.31.0.256", "ValidationError"),
        ("::1", "ValidationError"),
    ],
)
def test_addresses_that_a_subnet_does_not_give_out_are_refused(api: Api, address: str, code: str) -> None:
    asked = {"Name": "inner", "SubnetMappings": [mapping("subnet-a", address)], **INTERNAL}
    assert api.error("CreateLoadBalancer", **asked).code == code


def test_the_same_call_again_answers_with_what_is_there(api: Api) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    first = create_balancer(api, Tags=tags)
    revision = api.store.revision
    assert create_balancer(api, Tags=tags) == first
    assert create_balancer(api, Tags=tags, Subnets=["subnet-b", "subnet-a"], SecurityGroups=["sg-default"]) == first
    assert api.store.revision == revision


@pytest.mark.parametrize(
    "changes",
    [
        {"Scheme": "internal"},
        {"Type": "network"},
        {"Subnets": ["subnet-a", "subnet-c"]},
        {"Tags": [{"Key": "a", "Value": "c"}]},
        {"SecurityGroups": ["sg-2"]},
    ],
)
def test_another_one_of_the_same_name_is_refused(api: Api, changes: dict[str, Any]) -> None:
    api.put(SecurityGroup(**PLACE, group_id="sg-2", vpc_id="vpc-1", name="two", description=""))
    create_balancer(api)
    asked = {"Name": "front", "Subnets": ["subnet-a", "subnet-b"], **changes}
    assert api.error("CreateLoadBalancer", **asked).code == "DuplicateLoadBalancerName"


TWO = {"Subnets": ["subnet-a", "subnet-b"]}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"Name": "", **TWO}, "ValidationError"),
    ({"Name": "a" * 33, **TWO}, "ValidationError"),
    ({"Name": "a_b", **TWO}, "ValidationError"),
    ({"Name": "-a", **TWO}, "ValidationError"),
    ({"Name": "internal-a", **TWO}, "ValidationError"),
    ({"Name": "a"}, "ValidationError"),
    ({"Name": "a", "Subnets": ["subnet-a"]}, "ValidationError"),
    ({"Name": "a", "SubnetMappings": [mapping("")]}, "ValidationError"),
    ({"Name": "a", **TWO, "SubnetMappings": [mapping("subnet-a")]}, "ValidationError"),
    ({"Name": "a", "Subnets": ["subnet-a", "subnet-a"]}, "InvalidConfigurationRequest"),
    ({"Name": "a", "Subnets": ["subnet-a", "subnet-x"]}, "InvalidConfigurationRequest"),
    ({"Name": "a", "Subnets": ["subnet-a", "subnet-9"]}, "SubnetNotFound"),
    ({"Name": "a", "Subnets": ["subnet-a", "subnet-y"]}, "InvalidConfigurationRequest"),
    ({"Name": "a", "Subnets": ["subnet-a", "subnet-full"]}, "InvalidSubnet"),
    ({"Name": "a", **TWO, "SecurityGroups": ["sg-9"]}, "InvalidSecurityGroup"),
    ({"Name": "a", **TWO, "SecurityGroups": ["sg-other"]}, "InvalidSecurityGroup"),
    ({"Name": "a", **TWO, "SecurityGroups": [f"sg-{n}" for n in range(6)]}, "InvalidConfigurationRequest"),
    ({"Name": "a", **TWO, "Tags": [{"Key": "a"}, {"Key": "a"}]}, "DuplicateTagKeys"),
    ({"Name": "a", **TWO, "Tags": [{"Key": f"k{n}"} for n in range(51)]}, "TooManyTags"),
    ({"Name": "a", **TWO, "Tags": [{"Key": "aws:a"}]}, "ValidationError"),
    (
        {"Name": "a", "SubnetMappings": [mapping("subnet-a", "172.31.0.9"), mapping("subnet-b")]},
        "InvalidConfigurationRequest",
    ),
]


@pytest.mark.parametrize(("asked", "code"), WRONG)
def test_what_can_not_be_created_leaves_nothing_behind(api: Api, asked: dict[str, Any], code: str) -> None:
    subnet: dict[str, Any] = {**PLACE, "cidr": "172.31.64.0/20", "vpc_id": "vpc-1"}
    api.put(
        Subnet(**subnet, subnet_id="subnet-x", availability_zone="us-east-1a"),
        Subnet(**{**subnet, "vpc_id": "vpc-2"}, subnet_id="subnet-y", availability_zone="us-east-1b"),
        Subnet(**{**subnet, "cidr": "172.31.80.0/30"}, subnet_id="subnet-full", availability_zone="us-east-1d"),
        Vpc(**PLACE, vpc_id="vpc-2", cidr="10.0.0.0/16"),
        SecurityGroup(**PLACE, group_id="sg-other", vpc_id="vpc-2", name="default", description=""),
    )
    assert api.error("CreateLoadBalancer", **asked).code == code
    assert interfaces(api) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"Type": "gateway"},
        {"IpAddressType": "dualstack"},
        {"CustomerOwnedIpv4Pool": "ipv4pool-coip-1"},
        {"IpamPools": {"Ipv4IpamPoolId": "ipam-pool-1"}},
        {"EnablePrefixForIpv6SourceNat": "on"},
        {"SubnetMappings": [{"SubnetId": "subnet-a", "AllocationId": "eipalloc-1"}]},
    ],
)
def test_what_is_not_served_is_refused(api: Api, asked: dict[str, Any]) -> None:
    (member,) = asked
    assert api.error("CreateLoadBalancer", Name="a", **asked).message.startswith(member)


def test_the_number_of_load_balancers_of_a_type_has_an_end(api: Api) -> None:
    made = create_balancer(api, "lb0")
    most = LIMITS["application-load-balancers"]
    api.put(*(made.but(lb_id=f"{number:016x}", name=f"lb{number}") for number in range(1, most)))
    error = api.error("CreateLoadBalancer", Name="more", **TWO)
    assert error.code == "TooManyLoadBalancers"
    create_balancer(api, "network", Type="network")


def test_the_number_of_load_balancers_is_a_setting(api: Api) -> None:
    api.put(LoadBalancerQuota(account="", region="", load_balancers=2))
    for name in ("one", "two"):
        create_balancer(api, name)
    assert "2" in api.error("CreateLoadBalancer", Name="three", **TWO).message
    limits = {each["Name"]: each["Max"] for each in api("DescribeAccountLimits")["Limits"]}
    assert (limits["application-load-balancers"], limits["network-load-balancers"]) == ("2", "2")
    assert limits["target-groups"] == "3000"


# ------------------------------------------------------------------------------------------------------ described


def test_pages_hold_every_load_balancer_once(api: Api) -> None:
    for number in range(7):
        create_balancer(api, f"lb{number}")
    names: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = api("DescribeLoadBalancers", PageSize=3, **marker)
        names += [each["LoadBalancerName"] for each in page["LoadBalancers"]]
        if "NextMarker" not in page:
            break
        marker = {"Marker": page["NextMarker"]}
    assert names == [f"lb{number}" for number in range(7)]
    assert api.error("DescribeLoadBalancers", Marker="x").code == "ValidationError"
    assert api.error("DescribeLoadBalancers", Names=["lb1"], **marker).code == "ValidationError"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"Names": ["none"]}, "LoadBalancerNotFound"),
        ({"LoadBalancerArns": [f"{ARN}loadbalancer/app/front/0123456789abcdef"]}, "LoadBalancerNotFound"),
        ({"LoadBalancerArns": ["front"]}, "ValidationError"),
        ({"LoadBalancerArns": ["x"], "Names": ["front"]}, "ValidationError"),
        ({"Names": [f"n{number}" for number in range(21)]}, "ValidationError"),
    ],
)
def test_describing_what_is_not_there(api: Api, asked: dict[str, Any], code: str) -> None:
    create_balancer(api)
    assert api.error("DescribeLoadBalancers", **asked).code == code


def test_a_failed_load_balancer_says_why(api: Api) -> None:
    api.put(create_balancer(api).but(state="failed", state_reason="no HAProxy"))
    (shown,) = api("DescribeLoadBalancers", Names=["front"])["LoadBalancers"]
    assert shown["State"] == {"Code": "failed", "Reason": "no HAProxy"}


def test_no_capacity_is_reserved(api: Api) -> None:
    balancer = create_balancer(api)
    assert api("DescribeCapacityReservation", LoadBalancerArn=balancer.arn) == {"CapacityReservationState": []}


# --------------------------------------------------------------------------------------------- changed and deleted


def test_moving_keeps_the_addresses_of_subnets_that_stay(api: Api) -> None:
    before = create_balancer(api)
    answer = api("SetSubnets", LoadBalancerArn=before.arn, Subnets=["subnet-c", "subnet-b"])
    assert [zone["ZoneName"] for zone in answer["AvailabilityZones"]] == ["us-east-1b", "us-east-1c"]
    after = balancer_named(api, "front")
    assert after.zones[0] == before.zones[1]
    assert {interface.subnet_id for interface in interfaces(api)} == {"subnet-b", "subnet-c"}
    assert len(interfaces(api)) == 2


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"Subnets": ["subnet-a"]}, "ValidationError"),
        ({"Subnets": ["subnet-a", "subnet-9"]}, "SubnetNotFound"),
        ({"Subnets": ["subnet-y", "subnet-z"]}, "InvalidConfigurationRequest"),
    ],
)
def test_where_a_load_balancer_can_not_move(api: Api, asked: dict[str, Any], code: str) -> None:
    other: dict[str, Any] = {**PLACE, "vpc_id": "vpc-2", "cidr": "10.0.0.0/24"}
    api.put(
        Subnet(**other, subnet_id="subnet-y", availability_zone="us-east-1a"),
        Subnet(**other, subnet_id="subnet-z", availability_zone="us-east-1b"),
    )
    balancer = create_balancer(api)
    assert api.error("SetSubnets", LoadBalancerArn=balancer.arn, **asked).code == code


def test_a_chosen_address_does_not_change(api: Api) -> None:
    balancer = create_balancer(api, SubnetMappings=[mapping("subnet-a", "172.31.0.77")], **INTERNAL)
    arn = {"LoadBalancerArn": balancer.arn}
    api("SetSubnets", **arn, SubnetMappings=[mapping("subnet-a", "172.31.0.77"), mapping("subnet-b", "172.31.16.9")])
    assert [zone.address for zone in balancer_named(api, "front").zones] == ["172.31.0.77", "172.31.16.9"]
    error = api.error("SetSubnets", **arn, SubnetMappings=[mapping("subnet-a", "172.31.0.78")])
    assert error.code == "InvalidConfigurationRequest"


def test_security_groups_are_those_of_the_interfaces_too(api: Api) -> None:
    api.put(SecurityGroup(**PLACE, group_id="sg-2", vpc_id="vpc-1", name="two", description=""))
    balancer = create_balancer(api)
    answer = api("SetSecurityGroups", LoadBalancerArn=balancer.arn, SecurityGroups=["sg-2", "sg-2"])
    assert answer == {"SecurityGroupIds": ["sg-2"]}
    assert {interface.security_groups for interface in interfaces(api)} == {("sg-2",)}
    for groups, code in (([], "ValidationError"), (["sg-9"], "InvalidSecurityGroup")):
        assert api.error("SetSecurityGroups", LoadBalancerArn=balancer.arn, SecurityGroups=groups).code == code


def test_a_network_load_balancer_without_security_groups_gets_none_later(api: Api) -> None:
    without = create_balancer(api, Type="network")
    error = api.error("SetSecurityGroups", LoadBalancerArn=without.arn, SecurityGroups=["sg-default"])
    assert error.code == "InvalidConfigurationRequest"
    with_groups = create_balancer(api, "inner", Type="network", SecurityGroups=["sg-default"])
    answer = api("SetSecurityGroups", LoadBalancerArn=with_groups.arn, SecurityGroups=["sg-default"])
    assert answer["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "on"


def test_every_load_balancer_speaks_ipv4(api: Api) -> None:
    balancer = create_balancer(api)
    assert api("SetIpAddressType", LoadBalancerArn=balancer.arn, IpAddressType="ipv4") == {"IpAddressType": "ipv4"}
    assert "IPv4" in api.error("SetIpAddressType", LoadBalancerArn=balancer.arn, IpAddressType="dualstack").message


def test_deletion_protection_protects(api: Api) -> None:
    arn = {"LoadBalancerArn": create_balancer(api).arn}
    key = "deletion_protection.enabled"
    api("ModifyLoadBalancerAttributes", **arn, Attributes=[{"Key": key, "Value": "true"}])
    assert api.error("DeleteLoadBalancer", **arn).code == "OperationNotPermitted"
    api("ModifyLoadBalancerAttributes", **arn, Attributes=[{"Key": key, "Value": "false"}])
    api("DeleteLoadBalancer", **arn)
    assert api("DescribeLoadBalancers")["LoadBalancers"] == []


def test_deleting_takes_listeners_and_rules_along_and_nothing_else(api: Api) -> None:
    group = create_group(api)
    first, second = create_balancer(api, "one"), create_balancer(api, "two")
    for balancer in (first, second):
        listener = listener_of(balancer, forward(group))
        api.put(listener, rule_of(listener, 5, forward(group)))
    api("DeleteLoadBalancer", LoadBalancerArn=first.arn)
    for cls in (Listener, Rule):
        assert api.store.count(cls, "load_balancer", (first.lb_id,)) == 0
        assert api.store.count(cls, "load_balancer", (second.lb_id,)) == 1
    assert len(interfaces(api)) == 2


def test_deleting_what_is_not_there_succeeds(api: Api) -> None:
    balancer = create_balancer(api)
    for _ in range(2):
        assert api("DeleteLoadBalancer", LoadBalancerArn=balancer.arn) == {}
    assert api.error("DeleteLoadBalancer", LoadBalancerArn="front").code == "ValidationError"
