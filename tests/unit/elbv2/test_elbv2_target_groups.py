"""Target groups: AWS's defaults, health checks that fit their protocol, created twice without harm, in use or not."""

from typing import Any

import pytest

from longshore.api import elbv2
from longshore.api.elbv2.limits import LIMITS
from longshore.domain.elbv2.balancer import Target, TargetGroup
from tests.support.api import Api
from tests.support.balancers import ARN, create_balancer, create_group, forward, listener_of, rule_of

BASIC = {"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"}


@pytest.fixture
def api() -> Api:
    return Api(elbv2.OPERATIONS, service="elbv2")


def shown(api: Api, **asked: Any) -> dict[str, Any]:
    (group,) = api("CreateTargetGroup", **{**BASIC, **asked})["TargetGroups"]
    return dict(group)


def test_a_group_has_the_defaults_of_application_load_balancers(api: Api) -> None:
    group = shown(api)
    assert group.pop("TargetGroupArn").startswith(f"{ARN}targetgroup/web/")
    assert group == {
        "TargetGroupName": "web",
        "Protocol": "HTTP",
        "ProtocolVersion": "HTTP1",
        "Port": 80,
        "VpcId": "vpc-1",
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "HealthCheckPath": "/",
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [],
        "TargetType": "ip",
        "IpAddressType": "ipv4",
    }


@pytest.mark.parametrize(
    ("asked", "check"),
    [
        ({"Protocol": "HTTPS"}, ("HTTP", 5, "/", {"HttpCode": "200"})),
        ({"ProtocolVersion": "GRPC"}, ("HTTP", 5, "/AWS.ALB/healthcheck", {"GrpcCode": "12"})),
        ({"Protocol": "TCP"}, ("TCP", 10, None, None)),
        ({"Protocol": "TLS"}, ("TCP", 10, None, None)),
        ({"Protocol": "TCP", "HealthCheckProtocol": "HTTP"}, ("HTTP", 6, "/", {"HttpCode": "200-399"})),
        ({"Protocol": "TCP", "HealthCheckProtocol": "HTTPS"}, ("HTTPS", 10, "/", {"HttpCode": "200-399"})),
    ],
)
def test_each_protocol_has_its_own_defaults(api: Api, asked: dict[str, Any], check: tuple[Any, ...]) -> None:
    group = shown(api, **asked)
    members = ("HealthCheckProtocol", "HealthCheckTimeoutSeconds", "HealthCheckPath", "Matcher")
    assert tuple(group.get(member) for member in members) == check
    assert ("ProtocolVersion" in group) == (group["Protocol"] in {"HTTP", "HTTPS"})


def test_everything_that_was_asked_for_is_described(api: Api) -> None:
    asked = {
        "HealthCheckProtocol": "HTTPS",
        "HealthCheckPort": "8443",
        "HealthCheckPath": "/ping?full=1",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 7,
        "HealthCheckTimeoutSeconds": 6,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 10,
        "Matcher": {"HttpCode": "200,301-399"},
        "ProtocolVersion": "HTTP2",
        "Port": 8443,
        "TargetType": "instance",
    }
    group = shown(api, **asked)
    assert {name: group[name] for name in asked} == asked
    (described,) = api("DescribeTargetGroups", Names=["web"])["TargetGroups"]
    assert described == group


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"Name": "a" * 33}, "ValidationError"),
    ({"Name": "a.b"}, "ValidationError"),
    ({"Name": "b-"}, "ValidationError"),
    ({"Protocol": None}, "ValidationError"),
    ({"Port": None}, "ValidationError"),
    ({"VpcId": None}, "ValidationError"),
    ({"VpcId": "vpc-9"}, "ValidationError"),
    ({"ProtocolVersion": "HTTP3"}, "ValidationError"),
    ({"Protocol": "TCP", "ProtocolVersion": "HTTP1"}, "InvalidConfigurationRequest"),
    ({"HealthCheckEnabled": False}, "InvalidConfigurationRequest"),
    ({"HealthCheckProtocol": "TCP"}, "ValidationError"),
    ({"Protocol": "TLS", "HealthCheckProtocol": "TLS"}, "ValidationError"),
    ({"HealthCheckPath": "ping"}, "ValidationError"),
    ({"HealthCheckPath": "/a b"}, "ValidationError"),
    ({"HealthCheckPath": "/\r\nX: y"}, "ValidationError"),
    ({"HealthCheckPort": "0"}, "ValidationError"),
    ({"HealthCheckPort": "65536"}, "ValidationError"),
    ({"HealthCheckPort": "http"}, "ValidationError"),
    ({"HealthCheckPort": "٣"}, "ValidationError"),
    ({"HealthCheckIntervalSeconds": 5}, "ValidationError"),
    ({"HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 10}, "ValidationError"),
    ({"Matcher": {"HttpCode": "199"}}, "ValidationError"),
    ({"Matcher": {"HttpCode": "500"}}, "ValidationError"),
    ({"Matcher": {"HttpCode": "300-200"}}, "ValidationError"),
    ({"Matcher": {"HttpCode": "200;201"}}, "ValidationError"),
    ({"Matcher": {"GrpcCode": "0"}}, "InvalidConfigurationRequest"),
    ({"ProtocolVersion": "GRPC", "Matcher": {"GrpcCode": "100"}}, "ValidationError"),
    ({"ProtocolVersion": "GRPC", "Matcher": {"HttpCode": "200"}}, "InvalidConfigurationRequest"),
    ({"Protocol": "TCP", "HealthCheckPath": "/"}, "InvalidConfigurationRequest"),
    ({"Protocol": "TCP", "Matcher": {"HttpCode": "200"}}, "InvalidConfigurationRequest"),
    ({"Protocol": "TCP", "HealthCheckProtocol": "HTTP", "Matcher": {"HttpCode": "600"}}, "ValidationError"),
    ({"Tags": [{"Key": "a"}, {"Key": "a"}]}, "DuplicateTagKeys"),
    *(({"Protocol": name}, "InvalidParameterException") for name in ("UDP", "TCP_UDP", "GENEVE", "QUIC")),
    *(({"TargetType": name}, "InvalidParameterException") for name in ("lambda", "alb")),
    ({"IpAddressType": "ipv6"}, "InvalidParameterException"),
    ({"TargetControlPort": 80}, "InvalidParameterException"),
]
"""What is refused by a table has the code of `Api` here; from the service it is InvalidConfigurationRequest."""


@pytest.mark.parametrize(("asked", "code"), WRONG)
def test_what_can_not_be_created(api: Api, asked: dict[str, Any], code: str) -> None:
    params = {name: value for name, value in {**BASIC, **asked}.items() if value is not None}
    assert api.error("CreateTargetGroup", **params).code == code


def test_the_same_call_again_answers_with_what_is_there(api: Api) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    first = create_group(api, Tags=tags)
    revision = api.store.revision
    assert create_group(api, Tags=tags) == first
    assert api.store.revision == revision
    others: list[dict[str, Any]] = [{"Port": 81}, {"Protocol": "HTTPS"}, {"HealthCheckPath": "/x"}, {"Tags": []}]
    for changes in others:
        error = api.error("CreateTargetGroup", **{**BASIC, "Tags": tags, **changes})
        assert error.code == "DuplicateTargetGroupName"


def test_the_number_of_groups_has_an_end(api: Api) -> None:
    group, most = create_group(api), LIMITS["target-groups"]
    api.put(*(group.but(group_id=f"{number:016x}", name=f"g{number}") for number in range(1, most)))
    assert api.error("CreateTargetGroup", **{**BASIC, "Name": "more"}).code == "TooManyTargetGroups"


# --------------------------------------------------------------------------------------------------------- changed


def test_a_check_changes_where_it_is_told_to_and_nowhere_else(api: Api) -> None:
    before = create_group(api, HealthCheckPath="/a", Matcher={"HttpCode": "204"}, HealthyThresholdCount=3)
    answer = api("ModifyTargetGroup", TargetGroupArn=before.arn, HealthCheckPath="/b", HealthCheckIntervalSeconds=9)
    (group,) = answer["TargetGroups"]
    members = ("HealthCheckPath", "HealthCheckIntervalSeconds", "Matcher", "HealthyThresholdCount")
    assert [group[member] for member in members] == ["/b", 9, {"HttpCode": "204"}, 3]
    error = api.error("ModifyTargetGroup", TargetGroupArn=before.arn, HealthCheckTimeoutSeconds=9)
    assert error.message == "Health check interval must be greater than the timeout."


def test_a_check_of_another_protocol_has_what_that_one_needs(api: Api) -> None:
    arn = {"TargetGroupArn": create_group(api, Protocol="TCP").arn}
    (by_http,) = api("ModifyTargetGroup", **arn, HealthCheckProtocol="HTTP")["TargetGroups"]
    assert (by_http["HealthCheckPath"], by_http["Matcher"]) == ("/", {"HttpCode": "200-399"})
    (by_tcp,) = api("ModifyTargetGroup", **arn, HealthCheckProtocol="TCP")["TargetGroups"]
    assert not {"HealthCheckPath", "Matcher"} & set(by_tcp)


# -------------------------------------------------------------------------------------------- described and deleted


def test_groups_are_found_by_their_load_balancer(api: Api) -> None:
    first, second, third, _unused = (create_group(api, name) for name in ("one", "two", "three", "four"))
    balancer, other = create_balancer(api), create_balancer(api, "other")
    listener = listener_of(balancer, forward(first))
    api.put(listener, rule_of(listener, 1, forward(first, second)), listener_of(other, forward(third)))
    found = api("DescribeTargetGroups", LoadBalancerArn=balancer.arn)["TargetGroups"]
    assert [group["TargetGroupName"] for group in found] == ["one", "two"]
    assert [group["LoadBalancerArns"] for group in found] == [[balancer.arn]] * 2
    by_arn = api("DescribeTargetGroups", TargetGroupArns=[third.arn, first.arn])["TargetGroups"]
    assert [group["TargetGroupName"] for group in by_arn] == ["one", "three"]
    assert len(api("DescribeTargetGroups")["TargetGroups"]) == 4


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"Names": ["none"]}, "TargetGroupNotFound"),
        ({"TargetGroupArns": [f"{ARN}targetgroup/web/0123456789abcdef"]}, "TargetGroupNotFound"),
        ({"TargetGroupArns": ["web"]}, "ValidationError"),
        ({"LoadBalancerArn": f"{ARN}loadbalancer/app/front/0123456789abcdef"}, "LoadBalancerNotFound"),
        ({"Names": ["web"], "TargetGroupArns": ["x"]}, "ValidationError"),
    ],
)
def test_describing_what_is_not_there(api: Api, asked: dict[str, Any], code: str) -> None:
    create_group(api)
    assert api.error("DescribeTargetGroups", **asked).code == code


def test_pages_hold_every_group_once(api: Api) -> None:
    for number in range(5):
        create_group(api, f"g{number}")
    first = api("DescribeTargetGroups", PageSize=3)
    second = api("DescribeTargetGroups", PageSize=3, Marker=first["NextMarker"])
    names = [group["TargetGroupName"] for page in (first, second) for group in page["TargetGroups"]]
    assert names == [f"g{number}" for number in range(5)]
    assert "NextMarker" not in second


@pytest.mark.parametrize("by_rule", [False, True])
def test_a_group_in_use_is_not_deleted(api: Api, by_rule: bool) -> None:
    group, other = create_group(api), create_group(api, "other")
    listener = listener_of(create_balancer(api), forward(other if by_rule else group))
    api.put(listener, *([rule_of(listener, 1, forward(group))] if by_rule else []))
    assert api.error("DeleteTargetGroup", TargetGroupArn=group.arn).code == "ResourceInUse"


def test_a_group_goes_with_its_targets(api: Api) -> None:
    group, other = create_group(api), create_group(api, "other")
    for each in (group, other):
        api("RegisterTargets", TargetGroupArn=each.arn, Targets=[{"Id": "172.31.0.9"}])
    for _ in range(2):
        assert api("DeleteTargetGroup", TargetGroupArn=group.arn) == {}
    assert api.store.count(Target, "group", (group.group_id,)) == 0
    assert api.store.count(Target, "group", (other.group_id,)) == 1
    assert api.store.get(TargetGroup, group.key) is None
