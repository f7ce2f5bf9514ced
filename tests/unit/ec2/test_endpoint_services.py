"""Endpoint services of users' own: kept, opened to others, and what holds on to what; and the names of AWS's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from longshore.api import ec2, elbv2
from longshore.api.callers.credentials import Principal
from longshore.api.ec2.endpoints.services import services
from longshore.domain.ec2.endpoint import EndpointServiceConfiguration
from longshore.domain.record import Scope
from tests.support.api import SCOPE, Api
from tests.support.play_ec2 import one, tagged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from longshore.api.operation import Call, Operation
    from longshore.store.store import Transaction

OTHER = "222222222222"


class Elsewhere(Api):
    """Another account on the same store, or another service of it."""

    def __init__(self, home: Api, *tables: Mapping[str, Operation], account: str = SCOPE.account, service: str) -> None:
        self.__dict__.update(home.__dict__)
        self.operations = {name: operation for table in tables for name, operation in table.items()}
        self.service = service
        self.principal = Principal(f"arn:aws:iam::{account}:user/you", account, source="you")

    def call(self, tx: Transaction, params: dict[str, Any]) -> Call:
        return replace(super().call(tx, params), scope=Scope(self.principal.account, SCOPE.region))


@pytest.fixture
def api() -> Api:
    return Api(ec2.SERVICE.operations, service="ec2")


@pytest.fixture
def elb(api: Api) -> Api:
    return Elsewhere(api, elbv2.SERVICE.operations, service="elbv2")


@pytest.fixture
def other(api: Api) -> Api:
    return Elsewhere(api, ec2.SERVICE.operations, account=OTHER, service="ec2")


@pytest.fixture
def balancer(elb: Api) -> str:
    return balancer_of(elb, "net")


def balancer_of(elb: Api, name: str, kind: str = "network") -> str:
    made = elb("CreateLoadBalancer", Name=name, Type=kind, Scheme="internal", Subnets=["subnet-a", "subnet-b"])
    arn: str = made["LoadBalancers"][0]["LoadBalancerArn"]
    return arn


def create(api: Api, *balancers: str, **params: Any) -> dict[str, Any]:
    made = api("CreateVpcEndpointServiceConfiguration", NetworkLoadBalancerArns=list(balancers), **params)
    configuration: dict[str, Any] = made["ServiceConfiguration"]
    return configuration


def described(api: Api, *ids: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api("DescribeVpcEndpointServiceConfigurations", ServiceIds=list(ids))[
        "ServiceConfigurations"
    ]
    return found


def endpoint(api: Api, name: str, **params: Any) -> dict[str, Any]:
    asked = {"VpcId": "vpc-1", "ServiceName": name, "VpcEndpointType": "Interface", **params}
    made: dict[str, Any] = api("CreateVpcEndpoint", **asked)["VpcEndpoint"]
    return made


@pytest.mark.parametrize(
    "name",
    [
        *("bedrock-runtime", "elasticache", "athena", "glue", "email-smtp", "sagemaker.api", "sagemaker.runtime"),
        *("codeartifact.api", "codeartifact.repositories", "acm-pca", "backup", "batch", "codebuild", "codecommit"),
        *("codepipeline", "config", "transfer", "xray", "kinesis-streams", "redshift-data", "data-servicediscovery"),
        *("appmesh", "servicediscovery", "rds-data", "elasticfilesystem", "cloudtrail", "states", "sqs", "sns"),
    ],
)
def test_services_of_aws_have_interface_endpoints(api: Api, name: str) -> None:
    assert endpoint(api, f"com.amazonaws.us-east-1.{name}")["State"] == "pending"


@pytest.mark.parametrize(
    ("name", "private"),
    [
        ("ecr.api", "api.ecr"),
        ("ecr.dkr", "*.dkr.ecr"),
        ("sagemaker.runtime", "runtime.sagemaker"),
        ("kinesis-streams", "kinesis"),
        ("kinesis-firehose", "firehose"),
        ("execute-api", "*.execute-api"),
        ("email-smtp", "email-smtp"),
    ],
)
def test_private_names_are_those_of_the_apis(api: Api, name: str, private: str) -> None:
    asked = {"ServiceNames": [f"com.amazonaws.us-east-1.{name}"]}
    [service] = api("DescribeVpcEndpointServices", **asked)["ServiceDetails"]
    assert service["PrivateDnsName"] == f"{private}.us-east-1.amazonaws.com"


def test_names_of_services_are_each_there_once() -> None:
    found = [(service.name, service.type) for service in services("eu-west-1")]
    assert len(set(found)) == len(found) > 200


def test_a_service_comes_back_as_it_was_made(api: Api, balancer: str) -> None:
    made = create(api, balancer, PrivateDnsName="API.example.com", **tagged("vpc-endpoint-service"))
    [shown] = described(api)
    assert shown == made
    name = f"com.amazonaws.vpce.us-east-1.{made['ServiceId']}"
    assert (made["ServiceName"], made["ServiceState"], made["AcceptanceRequired"]) == (name, "Available", True)
    assert (made["NetworkLoadBalancerArns"], made["AvailabilityZones"]) == ([balancer], ["us-east-1a", "us-east-1b"])
    assert made["PrivateDnsName"] == "api.example.com"
    assert made["PrivateDnsNameConfiguration"]["State"] == "pendingVerification"
    assert made["Tags"] == [{"Key": "k", "Value": "v"}]
    filters = one("service-name", name)
    assert len(api("DescribeVpcEndpointServiceConfigurations", Filters=filters)["ServiceConfigurations"]) == 1
    api("CreateTags", Resources=[made["ServiceId"]], Tags=[{"Key": "a", "Value": "b"}])
    assert len(described(api, made["ServiceId"])[0]["Tags"]) == 2


def test_a_request_that_is_sent_again_makes_one(api: Api, balancer: str) -> None:
    assert create(api, balancer, ClientToken="t") == create(api, balancer, ClientToken="t")


def test_a_service_is_changed(api: Api, elb: Api, balancer: str) -> None:
    second = balancer_of(elb, "second")
    of = {"ServiceId": create(api, balancer)["ServiceId"]}
    api("ModifyVpcEndpointServiceConfiguration", **of, AddNetworkLoadBalancerArns=[second], AcceptanceRequired=False)
    api("ModifyVpcEndpointServiceConfiguration", **of, PrivateDnsName="a.example.com")
    [shown] = described(api)
    assert (shown["NetworkLoadBalancerArns"], shown["AcceptanceRequired"]) == ([balancer, second], False)
    assert shown["PrivateDnsName"] == "a.example.com"
    both = {"RemoveNetworkLoadBalancerArns": [balancer, second]}
    assert api.error("ModifyVpcEndpointServiceConfiguration", **of, **both).code == "InvalidParameter"
    only = {"RemoveNetworkLoadBalancerArns": [balancer]}
    api("ModifyVpcEndpointServiceConfiguration", **of, **only, RemovePrivateDnsName=True)
    [shown] = described(api)
    assert (shown["NetworkLoadBalancerArns"], "PrivateDnsName" in shown) == ([second], False)
    assert api.error("ModifyVpcEndpointServiceConfiguration", **of, **only).code == "InvalidParameter"


@pytest.mark.parametrize(
    "arn",
    ["", "net", "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/none/0123456789abcdef"],
)
def test_load_balancers_must_exist(api: Api, arn: str) -> None:
    asked = {"NetworkLoadBalancerArns": [arn]}
    assert api.error("CreateVpcEndpointServiceConfiguration", **asked).code == "InvalidParameter"


def test_load_balancers_must_be_network_ones_and_gateway_ones_are_refused(api: Api, elb: Api, balancer: str) -> None:
    asked = {"NetworkLoadBalancerArns": [balancer_of(elb, "app", "application")]}
    assert "not a network" in api.error("CreateVpcEndpointServiceConfiguration", **asked).message
    assert api.error("CreateVpcEndpointServiceConfiguration").code == "InvalidParameter"
    gateways = api.error("CreateVpcEndpointServiceConfiguration", GatewayLoadBalancerArns=[balancer])
    assert gateways.code == "InvalidParameterException"
    name = {"NetworkLoadBalancerArns": [balancer], "PrivateDnsName": "no domain"}
    assert api.error("CreateVpcEndpointServiceConfiguration", **name).code == "InvalidParameterValue"


def test_a_load_balancer_stays_while_it_is_behind_a_service(api: Api, elb: Api, balancer: str) -> None:
    made = create(api, balancer)
    assert elb.error("DeleteLoadBalancer", LoadBalancerArn=balancer).code == "ResourceInUse"
    answer = api("DeleteVpcEndpointServiceConfigurations", ServiceIds=[made["ServiceId"], "vpce-svc-0"])
    assert [each["ResourceId"] for each in answer["Unsuccessful"]] == ["vpce-svc-0"]
    gone = api.error("DescribeVpcEndpointServiceConfigurations", ServiceIds=[made["ServiceId"]])
    assert gone.code == "InvalidVpcEndpointServiceId.NotFound"
    elb("DeleteLoadBalancer", LoadBalancerArn=balancer)


def test_an_endpoint_waits_until_it_is_accepted(api: Api, balancer: str) -> None:
    made = create(api, balancer)
    of, name = {"ServiceId": made["ServiceId"]}, made["ServiceName"]
    mine = endpoint(api, name, SubnetIds=["subnet-a"])
    asked = {"VpcEndpointIds": [mine["VpcEndpointId"]]}

    def state() -> tuple[str, str]:
        [shown] = api("DescribeVpcEndpoints", **asked)["VpcEndpoints"]
        [connection] = api("DescribeVpcEndpointConnections", Filters=one("service-id", of["ServiceId"]))[
            "VpcEndpointConnections"
        ]
        return shown["State"], connection["VpcEndpointState"]

    assert mine["State"] == "pendingAcceptance"
    assert mine["DnsEntries"][0]["DnsName"].endswith(f".{made['BaseEndpointDnsNames'][0]}")
    assert state() == ("pendingAcceptance", "pendingAcceptance")
    assert api("AcceptVpcEndpointConnections", **of, **asked)["Unsuccessful"] == []
    assert state() == ("available", "available")
    again = api("AcceptVpcEndpointConnections", **of, VpcEndpointIds=[*asked["VpcEndpointIds"], "vpce-0"])
    codes = [each["Error"]["Code"] for each in again["Unsuccessful"]]
    assert codes == ["InvalidState", "InvalidVpcEndpointId.NotFound"]
    [held] = api("DeleteVpcEndpointServiceConfigurations", ServiceIds=[of["ServiceId"]])["Unsuccessful"]
    assert held["Error"]["Code"] == "ExistingVpcEndpointConnections"
    assert api("RejectVpcEndpointConnections", **of, **asked)["Unsuccessful"] == []
    assert state() == ("rejected", "rejected")
    assert api("DeleteVpcEndpointServiceConfigurations", ServiceIds=[of["ServiceId"]])["Unsuccessful"] == []


def test_a_service_without_questions_takes_everybody_that_it_allows(api: Api, balancer: str) -> None:
    name = create(api, balancer, AcceptanceRequired=False)["ServiceName"]
    made = endpoint(api, name)
    assert made["State"] == "pending"
    [shown] = api("DescribeVpcEndpoints", VpcEndpointIds=[made["VpcEndpointId"]])["VpcEndpoints"]
    assert shown["State"] == "available"
    private = {"VpcId": "vpc-1", "ServiceName": name, "VpcEndpointType": "Interface", "PrivateDnsEnabled": True}
    assert "verified private DNS name" in api.error("CreateVpcEndpoint", **private).message
    gateway = {"VpcId": "vpc-1", "ServiceName": name}
    assert api.error("CreateVpcEndpoint", **gateway).code == "InvalidParameter"


def test_who_may_use_a_service_is_listed(api: Api, balancer: str) -> None:
    of = {"ServiceId": create(api, balancer)["ServiceId"]}
    root, role = f"arn:aws:iam::{OTHER}:root", f"arn:aws:iam::{OTHER}:role/path/app"
    added = api("ModifyVpcEndpointServicePermissions", **of, AddAllowedPrincipals=[root, role, "*", root])
    kinds = {each["Principal"]: each["PrincipalType"] for each in added["AddedPrincipals"]}
    assert kinds == {root: "Account", role: "Role", "*": "All"}
    removed = api(
        "ModifyVpcEndpointServicePermissions", **of, RemoveAllowedPrincipals=["*"], AddAllowedPrincipals=[root]
    )
    assert removed["AddedPrincipals"] == []
    shown = api("DescribeVpcEndpointServicePermissions", **of, Filters=one("principal-type", "Account"))
    assert [each["Principal"] for each in shown["AllowedPrincipals"]] == [root]
    wrong = api.error("ModifyVpcEndpointServicePermissions", **of, AddAllowedPrincipals=["somebody"])
    assert wrong.code == "InvalidPrincipal"


def test_another_account_sees_and_uses_a_service_once_it_may(api: Api, other: Api, balancer: str) -> None:
    made = create(api, balancer)
    of, named = {"ServiceId": made["ServiceId"]}, {"ServiceNames": [made["ServiceName"]]}
    assert api("DescribeVpcEndpointServices", **named)["ServiceDetails"][0]["Owner"] == "123456789012"
    assert other.error("DescribeVpcEndpointServices", **named).code == "InvalidServiceName"
    vpc = other("CreateVpc", CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    asked = {"VpcId": vpc, "ServiceName": made["ServiceName"], "VpcEndpointType": "Interface"}
    assert other.error("CreateVpcEndpoint", **asked).code == "InvalidServiceName"
    api("ModifyVpcEndpointServicePermissions", **of, AddAllowedPrincipals=[f"arn:aws:iam::{OTHER}:root"])
    assert other("DescribeVpcEndpointServices", **named)["ServiceDetails"][0]["AvailabilityZones"] == [
        "us-east-1a",
        "us-east-1b",
    ]
    theirs = other("CreateVpcEndpoint", **asked)["VpcEndpoint"]["VpcEndpointId"]
    [connection] = api("DescribeVpcEndpointConnections")["VpcEndpointConnections"]
    assert (connection["VpcEndpointId"], connection["VpcEndpointOwner"]) == (theirs, OTHER)
    assert api("AcceptVpcEndpointConnections", **of, VpcEndpointIds=[theirs])["Unsuccessful"] == []
    assert other("DescribeVpcEndpoints")["VpcEndpoints"][0]["State"] == "available"
    assert other("DescribeVpcEndpointServiceConfigurations")["ServiceConfigurations"] == []
    assert len(list(api.store.all(EndpointServiceConfiguration))) == 1
