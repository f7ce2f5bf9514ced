"""Targets: which addresses can be one, how they come and go, and what is said of their health."""

from typing import Any

import pytest

from longshore.api import elbv2
from longshore.domain.elbv2.balancer import Target, TargetGroup
from tests.support.api import SCOPE, Api
from tests.support.balancers import create_balancer, create_group, forward, listener_of

ADDRESS = "172.31.0.9"


@pytest.fixture
def api() -> Api:
    return Api(elbv2.OPERATIONS, service="elbv2")


@pytest.fixture
def group(api: Api) -> TargetGroup:
    return create_group(api, Port=8080)


def use(api: Api, group: TargetGroup) -> None:
    api.put(listener_of(create_balancer(api), forward(group)))


def register(api: Api, group: TargetGroup, *targets: dict[str, Any]) -> None:
    api("RegisterTargets", TargetGroupArn=group.arn, Targets=list(targets) or [{"Id": ADDRESS}])


def target_of(api: Api, group: TargetGroup, name: str = ADDRESS, port: int = 8080) -> Target | None:
    return api.store.get(Target, (*SCOPE, group.group_id, name, str(port)))


def health(api: Api, group: TargetGroup, *targets: dict[str, Any]) -> list[dict[str, Any]]:
    asked = {"Targets": list(targets)} if targets else {}
    return list(api("DescribeTargetHealth", TargetGroupArn=group.arn, **asked)["TargetHealthDescriptions"])


def test_a_target_is_registered_at_the_port_of_its_group_or_its_own(api: Api, group: TargetGroup) -> None:
    register(api, group, {"Id": ADDRESS}, {"Id": ADDRESS, "Port": 9090}, {"Id": "172.31.16.4"})
    first, second, third = (each["Target"] for each in health(api, group))
    assert first == {"Id": ADDRESS, "Port": 8080, "AvailabilityZone": "us-east-1a"}
    assert second["Port"] == 9090
    assert third["AvailabilityZone"] == "us-east-1b"


def test_an_address_outside_of_the_vpc_needs_a_zone(api: Api, group: TargetGroup) -> None:
    register(api, group, {"Id": "10.1.2.3", "AvailabilityZone": "all"})
    register(api, group, {"Id": "100.64.0.1", "AvailabilityZone": "us-east-1b"})
    assert [each["Target"]["AvailabilityZone"] for each in health(api, group)] == ["all", "us-east-1b"]


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ({"Id": "8.8.8.8", "AvailabilityZone": "all"}, "ValidationError"),
        ({"Id": "10.1.2.3"}, "ValidationError"),
        ({"Id": "10.1.2.3", "AvailabilityZone": "us-west-2a"}, "ValidationError"),
        ({"Id": ADDRESS, "AvailabilityZone": "all"}, "ValidationError"),
        ({"Id": ADDRESS, "AvailabilityZone": "us-east-1b"}, "ValidationError"),
        ({"Id": "i-0123456789abcdef0"}, "ValidationError"),
        ({"Id": "172.31.0.09"}, "ValidationError"),
        ({"Id": "::1"}, "ValidationError"),
    ],
)
def test_what_can_not_be_a_target(api: Api, group: TargetGroup, target: dict[str, Any], code: str) -> None:
    good = {"Id": ADDRESS}
    error = api.error("RegisterTargets", TargetGroupArn=group.arn, Targets=[good, target])
    assert error.code == code
    assert target_of(api, group) is None


def test_there_are_no_instances_yet(api: Api) -> None:
    group = create_group(api, "machines", TargetType="instance")
    arn = {"TargetGroupArn": group.arn}
    assert api.error("RegisterTargets", **arn, Targets=[{"Id": "i-0123456789abcdef0"}]).code == "InvalidTarget"
    assert api.error("RegisterTargets", **arn, Targets=[{"Id": ADDRESS}]).code == "ValidationError"


def test_a_group_has_a_thousand_targets_at_most(api: Api, group: TargetGroup) -> None:
    register(api, group, *({"Id": ADDRESS, "Port": port} for port in range(1, 1001)))
    error = api.error("RegisterTargets", TargetGroupArn=group.arn, Targets=[{"Id": ADDRESS, "Port": 1001}])
    assert error.code == "TooManyTargets"
    register(api, group, {"Id": ADDRESS, "Port": 1})


@pytest.mark.parametrize("operation", ["RegisterTargets", "DeregisterTargets"])
def test_at_least_one_target_is_named(api: Api, group: TargetGroup, operation: str) -> None:
    assert api.error(operation, TargetGroupArn=group.arn, Targets=[]).code == "ValidationError"


def test_registering_again_changes_nothing(api: Api, group: TargetGroup) -> None:
    register(api, group)
    before = target_of(api, group)
    assert before is not None
    api.put(before.but(state="healthy", reason="", description="", task_id="t"))
    revision = api.store.revision
    api.now += 5
    register(api, group)
    assert api.store.revision == revision


def test_a_target_of_a_group_in_use_drains_and_may_come_back(api: Api, group: TargetGroup) -> None:
    use(api, group)
    register(api, group)
    api.now += 5
    api("DeregisterTargets", TargetGroupArn=group.arn, Targets=[{"Id": ADDRESS}])
    drained = target_of(api, group)
    assert drained is not None
    assert drained.deregistered_at == api.now
    (shown,) = health(api, group)
    assert shown["TargetHealth"] == {
        "State": "draining",
        "Reason": "Target.DeregistrationInProgress",
        "Description": "Target deregistration is in progress",
    }
    api.now += 5
    api("DeregisterTargets", TargetGroupArn=group.arn, Targets=[{"Id": ADDRESS, "Port": 8080}])
    assert target_of(api, group) == drained, "it has been draining since the first call"
    register(api, group)
    again = target_of(api, group)
    assert again is not None
    assert (again.draining, again.state, again.registered_at) == (False, "initial", api.now)


def test_a_target_of_a_group_not_in_use_is_gone_at_once(api: Api, group: TargetGroup) -> None:
    register(api, group)
    absent = {"Id": "172.31.0.10"}
    api("DeregisterTargets", TargetGroupArn=group.arn, Targets=[absent, {"Id": ADDRESS, "Port": 1}, {"Id": ADDRESS}])
    assert health(api, group) == []


def test_health_is_unused_until_something_forwards(api: Api, group: TargetGroup) -> None:
    register(api, group)
    (shown,) = health(api, group)
    assert shown["TargetHealth"] == {
        "State": "unused",
        "Reason": "Target.NotInUse",
        "Description": "Target group is not configured to receive traffic from the load balancer",
    }
    use(api, group)
    (shown,) = health(api, group)
    assert shown["TargetHealth"]["Reason"] == "Elb.RegistrationInProgress"
    assert shown["AdministrativeOverride"]["State"] == "no_override"


def test_health_is_what_the_data_plane_saw(api: Api, group: TargetGroup) -> None:
    use(api, group)
    register(api, group)
    target = target_of(api, group)
    assert target is not None
    api.put(target.but(state="healthy", reason="", description=""))
    assert health(api, group)[0]["TargetHealth"] == {"State": "healthy"}
    seen = {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}
    api.put(target.but(state="unhealthy", reason="Target.Timeout", description="Request timed out"))
    assert health(api, group)[0]["TargetHealth"] == seen


def test_targets_that_are_named_are_answered_whether_registered_or_not(api: Api, group: TargetGroup) -> None:
    use(api, group)
    register(api, group)
    present, absent = health(api, group, {"Id": ADDRESS}, {"Id": ADDRESS, "Port": 8080}, {"Id": ADDRESS, "Port": 9})
    assert present["TargetHealth"]["State"] == "initial"
    assert absent["Target"] == {"Id": ADDRESS, "Port": 9}
    assert (absent["TargetHealth"]["State"], absent["TargetHealth"]["Reason"]) == ("unused", "Target.NotRegistered")


@pytest.mark.parametrize(("port", "expected"), [("traffic-port", "8080"), ("81", "81")])
def test_the_port_of_health_checks_is_named(api: Api, port: str, expected: str) -> None:
    group = create_group(api, "checked", Port=8080, HealthCheckPort=port)
    register(api, group)
    assert health(api, group)[0]["HealthCheckPort"] == expected


@pytest.mark.parametrize("member", ["QuicServerId"])
def test_quic_is_refused(api: Api, group: TargetGroup, member: str) -> None:
    targets = [{"Id": ADDRESS, member: "0x0123456789abcdef"}]
    for operation in ("RegisterTargets", "DeregisterTargets", "DescribeTargetHealth"):
        assert "QUIC" in api.error(operation, TargetGroupArn=group.arn, Targets=targets).message
