"""Security groups and network ACLs on real containers: connections that must come about, and that must not."""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.support import data_plane, engine, namespaces
from tests.support.live_balancer import balancer
from tests.support.namespaces import ARRIVED_S
from tests.support.server import Server, address, answer, sh, until, web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.nft]

OUTSIDE = "198.51.100.2"


class Groups:
    """Security groups of the default VPC, by name; and rules of them."""

    def __init__(self, server: Server, *names: str) -> None:
        self._server = server
        self.ec2 = server.client("ec2")
        self.vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.ids = {
            name: self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]
            for name in names
        }

    def __getitem__(self, name: str) -> str:
        group_id: str = self.ids[name]
        return group_id

    def allow(self, to: str, ports: tuple[int, int], *, group: str = "", cidr: str = "") -> None:
        self.ec2.authorize_security_group_ingress(**self._rule(to, ports, group, cidr))

    def revoke(self, to: str, ports: tuple[int, int], *, group: str = "", cidr: str = "") -> None:
        self.ec2.revoke_security_group_ingress(**self._rule(to, ports, group, cidr))

    def _rule(self, to: str, ports: tuple[int, int], group: str, cidr: str) -> dict[str, Any]:
        peer = {"UserIdGroupPairs": [{"GroupId": self.ids[group]}]} if group else {"IpRanges": [{"CidrIp": cidr}]}
        permission = {"IpProtocol": "tcp", "FromPort": ports[0], "ToPort": ports[1], **peer}
        return {"GroupId": self.ids[to], "IpPermissions": [permission]}

    def network(self, *names: str) -> dict[str, Any]:
        """A networkConfiguration with these groups."""
        network = self._server.network
        network["awsvpcConfiguration"]["securityGroups"] = [self.ids[name] for name in names]
        return network

    def run(self, *names: str, definition: str = "") -> Mapping[str, Any]:
        """A task in these groups, once it runs."""
        definition = definition or self._server.define("web", web("hello"))
        return self._server.running(self._server.run(definition, networkConfiguration=self.network(*names)))


def inside(server: Server, task: Mapping[str, Any]) -> Path:
    """The network namespace of a task."""
    with engine.client(server.docker_url) as http:
        found = http.get(f"/containers/{task['containers'][0]['runtimeId']}/json").json()
    return namespaces.of_process(found["State"]["Pid"])


def reaches(server: Server, task: Mapping[str, Any], to: str, port: int = 80) -> bool:
    """Whether a connection from a task comes about. What must is given time: calls are answered a moment earlier."""
    return namespaces.connects(inside(server, task), to, port, wait_s=1.0)


def soon(server: Server, task: Mapping[str, Any], to: str, port: int = 80, *, reached: bool) -> None:
    """Wait until a rule that has just been changed is in force."""
    until(lambda: reaches(server, task, to, port) == reached, f"{to}:{port} to be reached: {reached}")


@pytest.fixture
def stopped_after(server: Server) -> Iterator[None]:
    yield
    server.empty()


@pytest.mark.usefixtures("stopped_after")
def test_only_the_group_that_a_rule_names_and_only_its_ports(server: Server) -> None:
    groups = Groups(server, "served", "friends", "strangers")
    groups.allow("served", (80, 90), group="friends")
    served, friend, stranger = groups.run("served"), groups.run("friends"), groups.run("strangers")
    with namespaces.listener(inside(server, served), 90), namespaces.listener(inside(server, served), 91):
        assert reaches(server, friend, address(served), 80)
        assert reaches(server, friend, address(served), 90)
        assert not reaches(server, friend, address(served), 91)
        assert not reaches(server, stranger, address(served), 80)
        assert not reaches(server, served, address(friend), 80)
    assert answer(served) == "hello"  # a developer's curl
    groups.allow("served", (80, 80), cidr=f"{address(stranger)}/32")
    soon(server, stranger, address(served), reached=True)
    groups.revoke("served", (80, 80), cidr=f"{address(stranger)}/32")
    soon(server, stranger, address(served), reached=False)


@pytest.mark.usefixtures("stopped_after")
def test_tasks_that_name_no_group_reach_one_another_and_nobody_else_reaches_them(server: Server) -> None:
    groups = Groups(server, "others")
    definition = server.define("web", web("hello"))
    one, two = server.running(server.run(definition)), server.running(server.run(definition))
    other = groups.run("others")
    assert reaches(server, one, address(two))
    assert not reaches(server, other, address(two))
    assert not reaches(server, one, address(other))


@pytest.mark.usefixtures("stopped_after")
def test_network_acl_of_a_subnet_holds_back_what_security_groups_let_through(server: Server) -> None:
    groups = Groups(server, "anybody")
    groups.allow("anybody", (80, 80), cidr="0.0.0.0/0")
    network = groups.network("anybody")
    one, two = network["awsvpcConfiguration"]["subnets"][:2]
    definition = server.define("web", web("hello"))

    def task_in(subnet: str) -> Mapping[str, Any]:
        network["awsvpcConfiguration"]["subnets"] = [subnet]
        return server.running(server.run(definition, networkConfiguration=network))

    served, neighbour, other = task_in(one), task_in(one), task_in(two)
    assert reaches(server, other, address(served))
    acl = groups.ec2.create_network_acl(VpcId=groups.vpc)["NetworkAcl"]["NetworkAclId"]
    subnet = {"Filters": [{"Name": "association.subnet-id", "Values": [one]}]}
    [before] = groups.ec2.describe_network_acls(**subnet)["NetworkAcls"]
    [associated] = [each for each in before["Associations"] if each["SubnetId"] == one]
    made = groups.ec2.replace_network_acl_association(
        AssociationId=associated["NetworkAclAssociationId"], NetworkAclId=acl
    )
    soon(server, other, address(served), reached=False)
    assert reaches(server, neighbour, address(served))
    assert answer(served) == "hello"  # a developer's curl
    rule = {"NetworkAclId": acl, "Protocol": "6", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0", "RuleNumber": 100}
    groups.ec2.create_network_acl_entry(**rule, Egress=False, PortRange={"From": 80, "To": 80})
    groups.ec2.create_network_acl_entry(**rule, Egress=True, PortRange={"From": 1024, "To": 65535})
    soon(server, other, address(served), reached=True)
    groups.ec2.replace_network_acl_association(
        AssociationId=made["NewAssociationId"], NetworkAclId=before["NetworkAclId"]
    )
    groups.ec2.delete_network_acl(NetworkAclId=acl)
    assert reaches(server, other, address(served))


@pytest.mark.usefixtures("stopped_after")
def test_first_packet_of_a_task_is_held_back_already(server: Server) -> None:
    groups = Groups(server, "target", "newcomers")
    target = groups.run("target")
    hasty = server.define("hasty", sh("app", f"nc -w 1 {address(target)} 80 </dev/null"))
    task = server.run_to_end(hasty, networkConfiguration=groups.network("newcomers"))
    assert task["containers"][0]["exitCode"] != 0
    groups.allow("target", (80, 80), group="newcomers")
    until(
        lambda: (
            server.run_to_end(hasty, networkConfiguration=groups.network("newcomers"))["containers"][0]["exitCode"] == 0
        ),
        "the rule to be in force",
    )


@pytest.mark.haproxy
@pytest.mark.usefixtures("stopped_after")
def test_tasks_that_take_requests_from_their_load_balancer_alone(server: Server) -> None:
    groups = Groups(server, "front", "app", "callers")
    groups.allow("front", (80, 80), group="callers")
    groups.allow("app", (80, 80), group="front")
    it = balancer(server, "guarded")
    quick = {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2, "HealthyThresholdCount": 2}
    it.elb.modify_target_group(TargetGroupArn=it.groups["guarded"], UnhealthyThresholdCount=2, **quick)
    it.elb.set_security_groups(LoadBalancerArn=it.arn, SecurityGroups=[groups["front"]])
    server.serve(
        "guarded",
        server.define("guarded", web("by the front door")),
        2,
        loadBalancers=it.use("guarded"),
        networkConfiguration=groups.network("app"),
    )
    assert it.health("guarded") == ["healthy", "healthy"]
    assert it.ask("/")[1] == "by the front door"  # this host
    caller, stranger = groups.run("callers"), groups.run("app")
    behind = address(server.tasks_of("guarded")[0])
    assert reaches(server, caller, it.address)
    assert not reaches(server, caller, behind)
    assert not reaches(server, stranger, it.address)
    asks = server.define("asks", sh("app", f"http-get {it.address} 80"))
    asked = server.run_to_end(asks, networkConfiguration=groups.network("callers"))
    assert server.lines(asked["taskArn"])[-1] == "by the front door"
    groups.revoke("app", (80, 80), group="front")
    until(lambda: "healthy" not in it.health("guarded"), "the checks to be held back")
    groups.allow("app", (80, 80), group="front")
    server.stable("guarded")  # tasks whose checks failed were replaced
    assert it.ask("/")[1] == "by the front door"
    server.unserve("guarded")
    it.delete()


@pytest.mark.usefixtures("stopped_after")
def test_rules_change_a_hundred_times_and_no_connection_meets_a_gap(server: Server) -> None:
    groups = Groups(server, "busy", "clients", "forbidden")
    groups.allow("busy", (80, 80), group="clients")
    busy, caller, stranger = groups.run("busy"), groups.run("clients"), groups.run("forbidden")
    range_ = f"{address(caller)}/32"
    with Connecting(server, caller, stranger, address(busy)) as traffic:
        for _ in range(25):
            groups.allow("busy", (80, 80), cidr=range_)
            groups.revoke("busy", (80, 80), group="clients")
            groups.allow("busy", (80, 80), group="clients")
            groups.revoke("busy", (80, 80), cidr=range_)
    assert traffic.failed == traffic.slipped == 0
    assert traffic.made > 10


class Connecting:
    """One task that may connect, and one that may not, and both do all the time."""

    def __init__(self, server: Server, may: Mapping[str, Any], may_not: Mapping[str, Any], to: str) -> None:
        self.made = self.failed = self.slipped = 0
        self._may, self._may_not, self._to = inside(server, may), inside(server, may_not), to
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._connect)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _connect(self) -> None:
        while not self._over.is_set():
            if namespaces.connects(self._may, self._to, 80, wait_s=ARRIVED_S):
                self.made += 1
            else:
                self.failed += 1
            self.slipped += namespaces.connects(self._may_not, self._to, 80, wait_s=0.002)


def test_rules_hold_while_longshore_is_down_and_open_connections_over_its_restarts(
    launch: Callable[..., Server],
) -> None:
    server = launch()
    groups = Groups(server, "served", "friends", "strangers")
    groups.allow("served", (80, 81), group="friends")
    served, friend, stranger = groups.run("served"), groups.run("friends"), groups.run("strangers")
    with (
        namespaces.listener(inside(server, served), 81) as listener,
        namespaces.client(inside(server, friend)) as client,
    ):
        client.setblocking(True)
        client.connect((address(served), 81))
        there, _ = listener.accept()
        with there:
            groups.revoke("served", (80, 81), group="friends")
            soon(server, friend, address(served), reached=False)
            groups.allow("served", (80, 80), group="friends")
            soon(server, friend, address(served), reached=True)
            server.kill9()
            assert reaches(server, friend, address(served))
            assert not reaches(server, stranger, address(served))
            client.sendall(b"still here")
            assert there.recv(10) == b"still here"
            server.start()
            assert reaches(server, friend, address(served))
            assert not reaches(server, friend, address(served), 81)
            assert not reaches(server, stranger, address(served))
            there.sendall(b"and here")
            assert client.recv(8) == b"and here"
    assert data_plane.guarded(server.instance)
    server.empty()
    until(lambda: not data_plane.guarded(server.instance), "the table to go with the last task")


def test_turned_off_everything_passes(launch: Callable[..., Server]) -> None:
    server = launch("--security-groups", "off")
    groups = Groups(server, "served", "strangers")
    served, stranger = groups.run("served"), groups.run("strangers")
    assert reaches(server, stranger, address(served))
    assert not data_plane.guarded(server.instance)


def test_outside_is_reached_as_route_tables_say(launch: Callable[..., Server]) -> None:
    server = launch("--egress", "routes")
    groups = Groups(server, "any")
    task = groups.run("any")
    one, two = (server.running(server.run(server.define("web", web()))) for _ in range(2))
    table = groups.ec2.describe_route_tables()["RouteTables"][0]
    gateway = next(route["GatewayId"] for route in table["Routes"] if route["DestinationCidrBlock"] == "0.0.0.0/0")
    route = {"RouteTableId": table["RouteTableId"], "DestinationCidrBlock": "0.0.0.0/0"}
    with outside() as far, namespaces.listener(far, 80):
        assert reaches(server, task, OUTSIDE)
        groups.ec2.delete_route(**route)
        soon(server, task, OUTSIDE, reached=False)
        assert reaches(server, one, address(two))  # their VPC is no outside
        groups.ec2.create_route(**{**route, "DestinationCidrBlock": "198.51.100.0/24"}, GatewayId=gateway)
        soon(server, task, OUTSIDE, reached=True)


@pytest.mark.haproxy
def test_load_balancers_are_reached_from_another_accounts_vpc_by_its_way_out_or_not_at_all(
    launch: Callable[..., Server],
) -> None:
    server = launch("--egress", "routes")
    groups = Groups(server, "anybody")
    groups.allow("anybody", (80, 80), cidr="0.0.0.0/0")
    settings = {"SecurityGroups": [groups["anybody"]]}
    private, public = balancer(server, "private", Scheme="internal", **settings), balancer(server, "public", **settings)
    neighbour = groups.run("anybody")
    abroad = Abroad(server)
    try:
        assert reaches(server, neighbour, private.address)
        assert reaches(server, neighbour, public.address)
        assert not reaches(server, abroad.task, private.address)
        assert not reaches(server, abroad.task, public.address)
        abroad.lead_out()
        soon(server, abroad.task, public.address, reached=True)
        assert not reaches(server, abroad.task, private.address)
    finally:
        abroad.end()


class Abroad:
    """Another account, with a VPC of the range that the first account's has, and a task in it. Nothing leads out."""

    ACCOUNT = "222222222222"

    def __init__(self, server: Server) -> None:
        self._ec2, self._ecs = (server.client(name, aws_access_key_id=self.ACCOUNT) for name in ("ec2", "ecs"))
        cidr = server.client("ec2").describe_vpcs()["Vpcs"][0]["CidrBlock"]
        self._vpc = self._ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        subnet = self._ec2.create_subnet(VpcId=self._vpc, CidrBlock=f"{cidr.partition('/')[0]}/24")["Subnet"][
            "SubnetId"
        ]
        self._ecs.create_cluster()
        container = {key: value for key, value in web().items() if key != "logConfiguration"}
        self._ecs.register_task_definition(
            family="web",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[container],
        )
        network = {"awsvpcConfiguration": {"subnets": [subnet]}}
        made = self._ecs.run_task(taskDefinition="web", launchType="FARGATE", networkConfiguration=network)
        self._arn = made["tasks"][0]["taskArn"]
        until(lambda: self.task["lastStatus"] == "RUNNING", "the task abroad to run")

    @property
    def task(self) -> Mapping[str, Any]:
        task: Mapping[str, Any] = self._ecs.describe_tasks(tasks=[self._arn])["tasks"][0]
        return task

    def lead_out(self) -> None:
        """Give the VPC an internet gateway, and a route to it."""
        gateway = self._ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self._ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self._vpc)
        filters = [{"Name": "vpc-id", "Values": [self._vpc]}]
        table = self._ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"]
        self._ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)

    def end(self) -> None:
        """Stop the task."""
        self._ecs.stop_task(task=self._arn)
        until(lambda: self.task["lastStatus"] == "STOPPED", "the task abroad to stop")


@contextmanager
def outside() -> Iterator[Path]:
    """A network beyond this host, with somebody in it."""
    name = "longshore-far"
    commands = [
        f"ip netns add {name}",
        f"ip link add ls-far type veth peer name eth0 netns {name}",
        "ip addr add 198.51.100.1/24 dev ls-far",
        "ip link set ls-far up",
        f"ip -n {name} addr add {OUTSIDE}/24 dev eth0",
        f"ip -n {name} link set eth0 up",
    ]
    for command in commands:
        subprocess.run(command.split(), check=True, timeout=30)
    try:
        yield namespaces.of_name(name)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True, timeout=30)
