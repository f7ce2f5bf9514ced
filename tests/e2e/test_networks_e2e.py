"""VPCs of users on the real Docker Engine: tasks in their subnets, apart from other VPCs, and nothing is left."""

from __future__ import annotations

import ipaddress
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support import engine
from tests.support.live_balancer import balancer
from tests.support.server import ACCOUNT, STAY, Server, address, answer, sh, until, web

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.docker

TRY = "if timeout 3 http-get {address} 80; then echo reached; else echo unreached; fi"


class Stack:
    """A VPC with two subnets, in a region of its own."""

    def __init__(self, server: Server, cidr: str, region: str) -> None:
        self.server, self.region = server, region
        self.gateway = ""
        self.ec2: Any = self.client("ec2")
        self.ecs: Any = self.client("ecs")
        self.ecs.create_cluster(clusterName="default")
        self.vpc: str = self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        parts = list(ipaddress.IPv4Network(cidr).subnets(new_prefix=24))[1:3]
        self.subnets: list[str] = [
            self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=str(part), AvailabilityZone=f"{region}{zone}")["Subnet"][
                "SubnetId"
            ]
            for part, zone in zip(parts, "ab", strict=True)
        ]

    def open(self) -> None:
        """Give the VPC an internet gateway, which internet-facing load balancers need."""
        self.gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)

    def client(self, service: str) -> Any:
        """A boto3 client in its region."""
        return self.server.client(service, region_name=self.region)

    @property
    def network(self) -> dict[str, Any]:
        """A networkConfiguration with both subnets."""
        return {"awsvpcConfiguration": {"subnets": self.subnets}}

    def run(self, *containers: dict[str, Any], subnet: int = 0) -> str:
        """Start a task in one of the subnets; its ARN."""
        document = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}
        document["executionRoleArn"] = f"arn:aws:iam::{ACCOUNT}:role/execution"
        self.ecs.register_task_definition(family="t", **document, containerDefinitions=list(containers))
        network = {"awsvpcConfiguration": {"subnets": [self.subnets[subnet]]}}
        asked = {"taskDefinition": "t", "launchType": "FARGATE", "networkConfiguration": network}
        made = self.ecs.run_task(**asked)
        assert made["failures"] == []
        return str(made["tasks"][0]["taskArn"])

    def reached(self, arn: str, status: str) -> dict[str, Any]:
        """A task once it has that status."""

        def there() -> dict[str, Any] | None:
            task: dict[str, Any] = self.ecs.describe_tasks(tasks=[arn])["tasks"][0]
            return task if task["lastStatus"] == status else None

        return until(there, f"{arn} to be {status}")

    def stop(self, arn: str) -> None:
        """Stop a task, and wait until it has."""
        self.ecs.stop_task(task=arn)
        self.reached(arn, "STOPPED")

    def delete(self) -> None:
        """Delete the subnets, the gateway and the VPC."""
        if self.gateway:
            self.ec2.detach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
            self.ec2.delete_internet_gateway(InternetGatewayId=self.gateway)
        for subnet in self.subnets:
            self.ec2.delete_subnet(SubnetId=subnet)
        self.ec2.delete_vpc(VpcId=self.vpc)

    def interface(self, task: dict[str, Any]) -> dict[str, Any]:
        """A task's network interface."""
        filters = [{"Name": "addresses.private-ip-address", "Values": [address(task)]}]
        (found,) = self.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        shown: dict[str, Any] = found
        return shown


def free_cidr(server: Server) -> str:
    """A range of 65,536 addresses that nobody has on this machine, nor any VPC of the server in its own region."""
    vpcs = server.client("ec2").describe_vpcs()["Vpcs"]
    while True:
        cidr = engine.free_cidr(server.docker_url, 16)
        if not any(ipaddress.IPv4Network(cidr).overlaps(ipaddress.IPv4Network(vpc["CidrBlock"])) for vpc in vpcs):
            return cidr


def networks(server: Server) -> set[str]:
    """The VPCs that have a Docker network."""
    filters = json.dumps({"label": [f"longshore.instance={server.instance}"]})
    with engine.client(server.docker_url) as http:
        found = http.get("/networks", params={"filters": filters}).json()
    return {network["Labels"].get("longshore.vpc", "") for network in found}


def gone(server: Server, vpc: str) -> bool:
    """Whether a VPC has no Docker network."""
    return vpc not in networks(server)


def serving(text: str) -> dict[str, Any]:
    """A container that answers with a text, and logs nowhere: a region of its own has no log group."""
    return {name: value for name, value in web(text).items() if name != "logConfiguration"}


@pytest.fixture
def server(launch: Callable[..., Server]) -> Server:
    return launch()


def test_two_stacks_of_one_range_run_side_by_side_apart_from_each_other(server: Server) -> None:
    cidr = free_cidr(server)
    first, second = (Stack(server, cidr, region) for region in ("eu-west-1", "ap-south-1"))
    for stack in (first, second):
        (vpc,) = stack.ec2.describe_vpcs(VpcIds=[stack.vpc])["Vpcs"]
        assert vpc["CidrBlock"] == cidr
    one, two = first.run(serving("first")), second.run(serving("second"))
    tasks = [first.reached(one, "RUNNING"), second.reached(two, "RUNNING")]
    assert [answer(task) for task in tasks] == ["first", "second"]
    own = ipaddress.IPv4Network(cidr)
    assert ipaddress.IPv4Address(address(tasks[0])) in own
    assert ipaddress.IPv4Address(address(tasks[1])) not in own  # docs/networking.md: it was moved
    assert networks(server) >= {first.vpc, second.vpc}

    # In its own VPC a task reaches the other subnet; the other VPC it does not reach.
    server.client("logs", region_name=first.region).create_log_group(logGroupName="/e2e")
    script = "; ".join(TRY.format(address=address(task)) for task in tasks)
    ask = sh("app", f"{script}; {STAY}")
    ask["logConfiguration"]["options"]["awslogs-region"] = first.region
    asking = first.run(ask, subnet=1)
    logs = server.client("logs", region_name=first.region)

    def lines() -> list[str] | None:
        events = logs.filter_log_events(logGroupName="/e2e")["events"]
        found = [event["message"] for event in events if event["message"] != "Terminated"]  # what `timeout` may say
        return found if len(found) >= 3 else None

    assert until(lines, "both attempts") == ["first", "reached", "unreached"]
    for stack, arn in ((first, one), (first, asking), (second, two)):
        stack.stop(arn)
    first.delete()
    second.delete()
    until(lambda: not networks(server) & {first.vpc, second.vpc}, "the networks to be removed")


@pytest.mark.haproxy
def test_a_load_balancer_in_a_moved_vpc_serves_a_service_there(server: Server) -> None:
    cidr = free_cidr(server)
    first, moved = (Stack(server, cidr, region) for region in ("eu-west-1", "ap-south-1"))
    moved.open()
    it = balancer(moved, "front")
    document = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}
    moved.ecs.register_task_definition(family="web", **document, containerDefinitions=[serving("behind")])
    asked = {"taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": moved.network}
    moved.ecs.create_service(serviceName="web", desiredCount=2, loadBalancers=it.use("front"), **asked)
    until(lambda: it.health("front") == ["healthy", "healthy"], "both targets to be healthy")
    assert it.ask("/") == (200, "behind")
    assert ipaddress.IPv4Address(it.address) not in ipaddress.IPv4Network(cidr)
    with pytest.raises(ClientError, match="DependencyViolation"):
        moved.ec2.delete_subnet(SubnetId=moved.subnets[0])
    moved.ecs.delete_service(service="web", force=True)
    it.delete()
    filters = [{"Name": "vpc-id", "Values": [moved.vpc]}]
    until(lambda: not moved.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"], "the tasks' end")
    moved.delete()
    first.delete()
    until(partial(gone, server, moved.vpc), "the network to be removed")


def test_what_is_in_use_is_not_deleted_and_a_new_vpc_runs_where_one_was(server: Server) -> None:
    cidr = free_cidr(server)
    for _ in range(2):
        stack = Stack(server, cidr, "eu-west-1")
        arn = stack.run(serving("here"), subnet=1)
        task = stack.reached(arn, "RUNNING")
        assert answer(task) == "here"
        interface = stack.interface(task)
        assert (interface["SubnetId"], interface["VpcId"]) == (stack.subnets[1], stack.vpc)
        for operation, member, reference in (
            ("delete_subnet", "SubnetId", stack.subnets[1]),
            ("delete_vpc", "VpcId", stack.vpc),
        ):
            with pytest.raises(ClientError, match="DependencyViolation"):
                getattr(stack.ec2, operation)(**{member: reference})
        stack.stop(arn)
        stack.delete()
        until(partial(gone, server, stack.vpc), "the network to be removed")


def test_a_network_whose_vpc_went_while_longshore_was_down_is_removed_at_the_next_start(server: Server) -> None:
    stack = Stack(server, free_cidr(server), "eu-west-1")
    arn = stack.run(serving("here"))
    stack.reached(arn, "RUNNING")
    stack.stop(arn)
    stack.delete()
    server.kill9()
    server.start()
    until(partial(gone, server, stack.vpc), "the network to be removed")
