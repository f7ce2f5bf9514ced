"""EC2 asked by boto3 over HTTP: every operation that is served, paginators, waiters, and errors as clients see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from longshore.api import ec2
from tests.support.api import Api
from tests.support.play_ec2 import play_ec2
from tests.support.serving import Serving, furnished

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def serving() -> Iterator[Serving]:
    with furnished() as made:
        yield made


def test_boto3_calls_every_operation(serving: Serving) -> None:
    client = serving.client("ec2")
    asked: set[str] = set()

    def call(operation: str, /, **params: Any) -> dict[str, Any]:
        asked.add(operation)
        answer: dict[str, Any] = getattr(client, xform_name(operation))(**params)
        return answer

    beside = Api(service="ec2")
    beside.store = serving.store  # what the play needs of other services is put there
    play_ec2(call, beside)
    assert asked == set(ec2.SERVICE.operations)
    (vpc,) = client.describe_vpcs()["Vpcs"]
    assert vpc["IsDefault"] is True
    assert client.describe_network_interfaces()["NetworkInterfaces"] == []


def test_waiters_and_paginators_of_boto3(serving: Serving) -> None:
    client = serving.client("ec2")
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    client.get_waiter("vpc_available").wait(VpcIds=[vpc])
    subnets = [
        client.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"] for number in range(12)
    ]
    client.get_waiter("subnet_available").wait(SubnetIds=subnets)
    gateway = client.create_nat_gateway(SubnetId=subnets[0], ConnectivityType="private")["NatGateway"]
    ids = [gateway["NatGatewayId"]]
    client.get_waiter("nat_gateway_available").wait(NatGatewayIds=ids)
    client.delete_nat_gateway(NatGatewayId=ids[0])
    client.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=ids)
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    pages = list(client.get_paginator("describe_subnets").paginate(Filters=filters, PaginationConfig={"PageSize": 5}))
    assert [len(page["Subnets"]) for page in pages] == [5, 5, 2]
    assert {each["SubnetId"] for page in pages for each in page["Subnets"]} == set(subnets)


def test_errors_have_their_code_and_status(serving: Serving) -> None:
    client = serving.client("ec2")
    with pytest.raises(ClientError) as seen:
        client.create_vpc(CidrBlock="10.0.0.0/16", DryRun=True)
    assert seen.value.response["Error"]["Code"] == "DryRunOperation"
    assert seen.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    with pytest.raises(ClientError, match=r"InvalidVpcID\.NotFound.*The vpc ID 'vpc-0' does not exist"):
        client.delete_vpc(VpcId="vpc-0")
    with pytest.raises(ClientError, match=r"UnsupportedOperation.*VPCs have IPv4 addresses alone"):
        client.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)
