"""Describing the main route table and the internet gateway of the default VPC."""

from typing import Any

import pytest

from longshore.api import ec2
from tests.support.api import VPC_CIDR, Api


@pytest.fixture
def api() -> Api:
    return Api(ec2.SERVICE.operations, service="ec2")


def one(name: str, *values: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)}]


def test_main_route_table_of_the_default_vpc_leads_to_its_subnets_and_to_the_internet(api: Api) -> None:
    filters = [*one("association.main", "true"), *one("vpc-id", "vpc-1")]  # as Terraform asks for it
    (table,) = api("DescribeRouteTables", Filters=filters)["RouteTables"]
    (gateway,) = api("DescribeInternetGateways")["InternetGateways"]
    routes = [(route["DestinationCidrBlock"], route["GatewayId"]) for route in table["Routes"]]
    assert routes == [(VPC_CIDR, "local"), ("0.0.0.0/0", gateway["InternetGatewayId"])]
    assert gateway["Attachments"] == [{"State": "available", "VpcId": "vpc-1"}]
    assert table["Associations"][0]["RouteTableId"] == table["RouteTableId"]


def test_ids_stay_the_same_from_call_to_call(api: Api) -> None:
    assert api("DescribeRouteTables") == api("DescribeRouteTables")
    assert api("DescribeInternetGateways") == api("DescribeInternetGateways")


def test_vpc_that_is_not_the_default_has_a_route_table_of_its_own_and_no_gateway(api: Api) -> None:
    vpc = api("CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    (table,) = api("DescribeRouteTables", Filters=one("vpc-id", vpc))["RouteTables"]
    assert [route["GatewayId"] for route in table["Routes"]] == ["local"]
    assert api("DescribeInternetGateways", Filters=one("attachment.vpc-id", vpc))["InternetGateways"] == []
    assert len(api("DescribeRouteTables")["RouteTables"]) == 2


@pytest.mark.parametrize(
    ("operation", "parameter", "reference", "code"),
    [
        ("DescribeRouteTables", "RouteTableIds", "rtb-0", "InvalidRouteTableID.NotFound"),
        ("DescribeRouteTables", "RouteTableIds", "vpc-1", "InvalidRouteTableId.Malformed"),
        ("DescribeInternetGateways", "InternetGatewayIds", "igw-0", "InvalidInternetGatewayID.NotFound"),
        ("DescribeInternetGateways", "InternetGatewayIds", "vpc-1", "InvalidInternetGatewayId.Malformed"),
    ],
)
def test_unknown_id_is_an_error(api: Api, operation: str, parameter: str, reference: str, code: str) -> None:
    assert api.error(operation, **{parameter: [reference]}).code == code


@pytest.mark.parametrize(
    ("operation", "name", "ids"),
    [
        ("DescribeRouteTables", "RouteTables", "RouteTableIds"),
        ("DescribeInternetGateways", "InternetGateways", "InternetGatewayIds"),
    ],
)
def test_described_by_its_id(api: Api, operation: str, name: str, ids: str) -> None:
    (shown,) = api(operation)[name]
    reference = shown[f"{name.removesuffix('s')}Id"]
    assert api(operation, **{ids: [reference]})[name] == [shown]


def test_filter_that_does_not_exist_is_refused(api: Api) -> None:
    assert api.error("DescribeRouteTables", Filters=one("colour", "red")).code == "InvalidParameterValue"
