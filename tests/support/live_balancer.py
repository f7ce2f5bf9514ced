"""A load balancer of a real server, as users make one, and clients that count what is lost."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

from tests.support.server import QUICK, until

if TYPE_CHECKING:
    from types import TracebackType


class Speaking(Protocol):
    """A server, as far as it is needed here."""

    def client(self, service: str) -> Any:
        """A boto3 client."""

    @property
    def network(self) -> dict[str, Any]:
        """A networkConfiguration."""


@dataclass
class Balancer:
    """One load balancer with a listener, as boto3 makes them."""

    server: Speaking
    name: str
    arn: str = ""
    dns_name: str = ""
    listener: str = ""
    groups: dict[str, str] = field(default_factory=dict)
    """ARNs by name."""

    @property
    def elb(self) -> Any:
        return self.server.client("elbv2")

    @property
    def address(self) -> str:
        """One of its addresses in the VPC."""
        filters = [{"Name": "description", "Values": [f"ELB {self.arn.partition(':loadbalancer/')[2]}"]}]
        found = self.server.client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        address: str = found[0]["PrivateIpAddress"]
        return address

    def group(self, name: str, port: int = 80, **changes: Any) -> str:
        """A target group for tasks; its ARN."""
        subnets = self.server.network["awsvpcConfiguration"]["subnets"][:1]
        vpc = self.server.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
        settings = {"Protocol": "HTTP", "TargetType": "ip", **changes}
        made = self.elb.create_target_group(Name=name, Port=port, VpcId=vpc, **settings)
        self.groups[name] = made["TargetGroups"][0]["TargetGroupArn"]
        return self.groups[name]

    def use(self, name: str, port: int = 80, container: str = "app") -> list[dict[str, Any]]:
        """`loadBalancers` of a service."""
        return [{"targetGroupArn": self.groups[name], "containerName": container, "containerPort": port}]

    def health(self, name: str) -> list[str]:
        """The states of a group's targets."""
        found = self.elb.describe_target_health(TargetGroupArn=self.groups[name])["TargetHealthDescriptions"]
        return sorted(each["TargetHealth"]["State"] for each in found)

    def ask(self, path: str = "/", port: int = 80, **headers: str) -> tuple[int, str]:
        """Status and body of one request to it."""
        connection = http.client.HTTPConnection(self.address, port, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode().strip()
        finally:
            connection.close()

    def delete(self) -> None:
        """Remove it and its groups."""
        self.elb.delete_load_balancer(LoadBalancerArn=self.arn)
        for arn in self.groups.values():
            self.elb.delete_target_group(TargetGroupArn=arn)


def balancer(server: Speaking, name: str, **changes: Any) -> Balancer:
    """A new one that is active, in all subnets, with a target group of its name behind its listener at port 80."""
    subnets = server.network["awsvpcConfiguration"]["subnets"]
    elb = server.client("elbv2")
    made = elb.create_load_balancer(Name=name, Subnets=subnets, **changes)["LoadBalancers"][0]
    it = Balancer(server, name, made["LoadBalancerArn"], made["DNSName"])
    network = changes.get("Type") == "network"
    arn = it.group(name, Protocol="TCP" if network else "HTTP")
    it.listener = elb.create_listener(
        LoadBalancerArn=it.arn,
        Protocol="TCP" if network else "HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )["Listeners"][0]["ListenerArn"]
    elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[it.arn], WaiterConfig=QUICK)
    until(lambda: connects(it.address), "the listener to listen")
    return it


def connects(address: str) -> bool:
    """Whether somebody listens there at port 80."""
    connection = http.client.HTTPConnection(address, 80, timeout=2)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True


class Load:
    """Clients that ask all the time, with keep-alive and without; `outcomes` counts statuses and errors."""

    def __init__(self, address: str, *, clients: int = 4) -> None:
        self.outcomes: Counter[str] = Counter()
        self.bodies: Counter[str] = Counter()
        self._address = address
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(number % 2 == 0,), daemon=True) for number in range(clients)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    @property
    def lost(self) -> Counter[str]:
        """What was not answered with 200."""
        return Counter({outcome: count for outcome, count in self.outcomes.items() if outcome != "200"})

    def _ask(self, keep_alive: bool) -> None:
        connection = http.client.HTTPConnection(self._address, 80, timeout=10)
        while not self._stop.is_set():
            try:
                connection.request("GET", "/", headers={} if keep_alive else {"Connection": "close"})
                response = connection.getresponse()
                self.bodies[response.read().decode().strip()] += 1
                self.outcomes[str(response.status)] += 1
            except (OSError, http.client.HTTPException) as error:
                self.outcomes[type(error).__name__] += 1
                connection.close()
            if not keep_alive:
                connection.close()
            self._stop.wait(0.005)
        connection.close()
