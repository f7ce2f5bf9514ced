"""Kinds of which there are none: empty listings, and for an id AWS's error; whatever is mistyped is refused."""

from __future__ import annotations

import pytest

from longshore.api import ec2
from longshore.api.ec2.absent import KINDS
from longshore.api.ec2.absent_filters import NAMES
from tests.support.api import Api
from tests.support.play_ec2 import one

IDS = [(operation, ids) for operation, kind in KINDS.items() for ids in kind.ids]


@pytest.fixture
def api() -> Api:
    return Api(ec2.SERVICE.operations, service="ec2")


@pytest.mark.parametrize("operation", KINDS)
def test_there_are_none(api: Api, operation: str) -> None:
    assert api(operation) == {KINDS[operation].member: []}
    assert api(operation, Filters=[*one("tag-key", "a"), *one("tag:a", "b")]) == {KINDS[operation].member: []}
    for name in NAMES[operation]:
        assert api(operation, Filters=one(name, "x")) == {KINDS[operation].member: []}


@pytest.mark.parametrize("operation", KINDS)
def test_a_filter_that_there_is_not_is_refused(api: Api, operation: str) -> None:
    error = api.error(operation, Filters=one("colour", "red"))
    assert (error.code, error.message) == ("InvalidParameterValue", "The filter 'colour' is invalid")


@pytest.mark.parametrize(("operation", "parameter"), [(operation, ids.parameter) for operation, ids in IDS])
def test_an_id_that_is_asked_for_is_missed(api: Api, operation: str, parameter: str) -> None:
    ids = next(each for each in KINDS[operation].ids if each.parameter == parameter)
    error = api.error(operation, **{parameter: [f"{ids.prefix}0123"]})
    assert error.code == ids.not_found
    assert f"{ids.prefix}0123" in error.message
    if ids.prefix:
        assert api.error(operation, **{parameter: ["x-1"]}).code == ids.malformed


def test_codes_are_those_that_tools_look_for(api: Api) -> None:
    for operation, asked, code in (
        ("DescribeInstances", {"InstanceIds": ["i-0"]}, "InvalidInstanceID.NotFound"),
        ("DescribeVolumes", {"VolumeIds": ["vol-0"]}, "InvalidVolume.NotFound"),
        ("DescribeKeyPairs", {"KeyNames": ["mine"]}, "InvalidKeyPair.NotFound"),
        ("DescribeVpnGateways", {"VpnGatewayIds": ["vgw-0"]}, "InvalidVpnGatewayID.NotFound"),
        ("DescribeTransitGateways", {"TransitGatewayIds": ["tgw-0"]}, "InvalidTransitGatewayID.NotFound"),
        (
            "DescribeVpcPeeringConnections",
            {"VpcPeeringConnectionIds": ["pcx-0"]},
            "InvalidVpcPeeringConnectionID.NotFound",
        ),
        ("DescribeLaunchTemplates", {"LaunchTemplateNames": ["a"]}, "InvalidLaunchTemplateName.NotFoundException"),
    ):
        assert api.error(operation, **asked).code == code


def test_public_access_is_not_blocked(api: Api) -> None:
    options = api("DescribeVpcBlockPublicAccessOptions")["VpcBlockPublicAccessOptions"]
    assert (options["InternetGatewayBlockMode"], options["State"]) == ("off", "default-state")


def test_subnets_have_no_reservations(api: Api) -> None:
    empty: dict[str, list[str]] = {"SubnetIpv4CidrReservations": [], "SubnetIpv6CidrReservations": []}
    assert api("GetSubnetCidrReservations", SubnetId="subnet-a") == empty
    assert api.error("GetSubnetCidrReservations", SubnetId="subnet-0").code == "InvalidSubnetID.NotFound"
