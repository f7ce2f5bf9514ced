"""ELBv2 through real HTTP: boto3 with its waiters and pages, and the AWS CLI."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Target, TargetGroup
from longshore.domain.record import Record
from tests.support.balancers import forward, listener_of
from tests.support.serving import ACCOUNT, REGION, Serving, furnished

QUICK = {"Delay": 1, "MaxAttempts": 2}


@pytest.fixture
def serving() -> Iterator[Serving]:
    with furnished() as running:
        yield running


@pytest.fixture
def elb(serving: Serving) -> Any:
    return serving.client("elbv2")


@pytest.fixture
def subnets(serving: Serving) -> list[str]:
    return [subnet["SubnetId"] for subnet in serving.client("ec2").describe_subnets()["Subnets"]]


@pytest.fixture
def vpc_id(serving: Serving) -> str:
    return str(serving.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"])


def write(serving: Serving, *records: Record) -> None:
    """As a controller or another operation would; the server is idle between two calls of its client."""
    with serving.store.transaction() as tx:
        for record in records:
            tx.put(record)


def test_a_load_balancer_from_creation_to_its_end(serving: Serving, elb: Any, subnets: list[str]) -> None:
    (made,) = elb.create_load_balancer(Name="front", Subnets=subnets, Tags=[{"Key": "a", "Value": "b"}])[
        "LoadBalancers"
    ]
    arn = made["LoadBalancerArn"]
    elb.get_waiter("load_balancer_exists").wait(Names=["front"], WaiterConfig=QUICK)
    (record,) = serving.store.all(LoadBalancer)
    write(serving, record.but(state="active"))
    elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[arn], WaiterConfig=QUICK)
    (described,) = elb.describe_load_balancers(Names=["front"])["LoadBalancers"]
    assert described == {**made, "State": {"Code": "active"}}
    assert elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"] == [{"Key": "a", "Value": "b"}]
    elb.delete_load_balancer(LoadBalancerArn=arn)
    elb.get_waiter("load_balancers_deleted").wait(LoadBalancerArns=[arn], WaiterConfig=QUICK)
    assert serving.client("ec2").describe_network_interfaces()["NetworkInterfaces"] == []


def test_a_target_from_registration_to_its_end(serving: Serving, elb: Any, subnets: list[str], vpc_id: str) -> None:
    group = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc_id, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    elb.create_load_balancer(Name="front", Subnets=subnets)
    (balancer,), (target_group,) = serving.store.all(LoadBalancer), serving.store.all(TargetGroup)
    write(serving, listener_of(balancer, forward(target_group), account=ACCOUNT, region=REGION))
    targets = [{"Id": "172.31.0.200"}]
    elb.register_targets(TargetGroupArn=arn, Targets=targets)
    (target,) = serving.store.all(Target)
    write(serving, target.but(state="healthy", reason="", description=""))
    elb.get_waiter("target_in_service").wait(TargetGroupArn=arn, Targets=targets, WaiterConfig=QUICK)
    elb.deregister_targets(TargetGroupArn=arn, Targets=targets)
    (shown,) = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert shown["TargetHealth"]["State"] == "draining"
    with serving.store.transaction() as tx:
        tx.delete(Target, target.key)
    elb.get_waiter("target_deregistered").wait(TargetGroupArn=arn, Targets=targets, WaiterConfig=QUICK)
    with pytest.raises(elb.exceptions.ResourceInUseException):
        elb.delete_target_group(TargetGroupArn=arn)
    assert serving.store.count(Listener, "group", (arn,)) == 1


def test_pages_of_everything_that_has_pages(elb: Any, subnets: list[str], vpc_id: str) -> None:
    for number in range(5):
        elb.create_load_balancer(Name=f"lb{number}", Subnets=subnets)
        elb.create_target_group(Name=f"tg{number}", Protocol="TCP", Port=80, VpcId=vpc_id)
    for operation, member, at_least in (
        ("describe_load_balancers", "LoadBalancers", 5),
        ("describe_target_groups", "TargetGroups", 5),
        ("describe_account_limits", "Limits", 10),
        ("describe_ssl_policies", "SslPolicies", 30),
    ):
        pages = list(elb.get_paginator(operation).paginate(PaginationConfig={"PageSize": 2}))
        found = [each for page in pages for each in page[member]]
        assert len(found) >= at_least, operation
        assert len({json.dumps(each, default=str) for each in found}) == len(found), operation
        assert len(pages) == -(-len(found) // 2), operation


def test_errors_have_the_codes_that_clients_know(elb: Any, subnets: list[str], vpc_id: str) -> None:
    elb.create_load_balancer(Name="front", Subnets=subnets)
    with pytest.raises(elb.exceptions.DuplicateLoadBalancerNameException):
        elb.create_load_balancer(Name="front", Subnets=subnets[:2])
    with pytest.raises(elb.exceptions.LoadBalancerNotFoundException):
        elb.describe_load_balancers(Names=["back"])
    with pytest.raises(elb.exceptions.SubnetNotFoundException):
        elb.create_load_balancer(Name="back", Subnets=[*subnets[:1], "subnet-9"])
    with pytest.raises(elb.exceptions.TargetGroupNotFoundException):
        elb.describe_target_groups(Names=["web"])
    with pytest.raises(elb.exceptions.InvalidConfigurationRequestException, match="Only HTTP, HTTPS, TCP and TLS"):
        elb.create_target_group(Name="web", Protocol="UDP", Port=53, VpcId=vpc_id)
    with pytest.raises(ClientError) as caught:
        elb.create_load_balancer(Name="back", Subnets=subnets[:1])
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_the_command_line_describes_what_it_made(serving: Serving, subnets: list[str], vpc_id: str) -> None:
    keys = serving.credentials.root()
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": serving.url,
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
    }

    def aws(*arguments: str) -> Any:
        words = [str(Path(sys.executable).parent / "aws"), "elbv2", *arguments]
        return json.loads(subprocess.run(words, env=environment, check=True, capture_output=True, timeout=60).stdout)

    made = aws("create-load-balancer", "--name", "front", "--subnets", *subnets)
    assert aws("describe-load-balancers", "--names", "front") == made
    group = ["--name", "web", "--protocol", "HTTP", "--port", "80", "--vpc-id", vpc_id, "--target-type", "ip"]
    made = aws("create-target-group", *group, "--matcher", "HttpCode=200-299")
    assert aws("describe-target-groups", "--names", "web") == made
