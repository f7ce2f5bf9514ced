"""A rolling deployment of two tasks behind a load balancer with default settings, while clients ask all the time.

On AWS the same takes minutes: a target is in service after five checks of 30 s, and drains for 300 s. There is no
baseline to measure here; what is asked is under 15 s, and that no request is lost.
"""

import statistics
import time
from typing import Any

import boto3

from bench.docker_tasks import docker_server
from bench.server import REGION, Longshore
from bench.table import Row, below, progress
from tests.support.live_balancer import Balancer, Load, balancer

SERVE = "echo $VERSION >/www/index.html; exec httpd -f -p 80 -h /www"
LIMIT_S = 15.0


class _Server:
    """What the helpers of the tests need of a server."""

    def __init__(self, server: Longshore) -> None:
        self._url = server.url
        self._subnets = server.default_subnets()

    def client(self, service: str) -> Any:
        """A boto3 client."""
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        return boto3.client(service, endpoint_url=self._url, region_name=REGION, **keys)

    @property
    def network(self) -> dict[str, Any]:
        """A networkConfiguration."""
        return {"awsvpcConfiguration": {"subnets": self._subnets}}


def measure(quick: bool) -> list[Row]:
    """Deployments one after the other."""
    with docker_server("--lb-ports", "") as (longshore, image):
        server = _Server(longshore)
        it = balancer(server, "bench")
        _serve(server, it, _define(longshore, image, 1))
        with Load(it.address) as load:
            times = [_deploy(server, longshore, image, version) for version in range(2, 4 if quick else 7)]
        answered = load.outcomes["200"]
        progress(f"deployments: {[round(t, 1) for t in times]} s; {answered} answers, lost: {dict(load.lost)}")
        _remove(server, it)
    return [
        below("two tasks behind a load balancer replaced, default settings", statistics.median(times), "s", LIMIT_S),
        below(f"requests lost meanwhile, of {answered:,}", sum(load.lost.values()), "requests", 1),
    ]


def _define(longshore: Longshore, image: str, version: int) -> dict[str, Any]:
    return longshore.furnish(
        image=image,
        command=["sh", "-c", SERVE],
        environment=[{"name": "VERSION", "value": str(version)}],
        portMappings=[{"containerPort": 80}],
        linuxParameters={"initProcessEnabled": True},
    )


def _serve(server: _Server, it: Balancer, launch: dict[str, Any]) -> None:
    ecs = server.client("ecs")
    ecs.create_service(serviceName="rolls", desiredCount=2, loadBalancers=it.use("bench"), **launch)
    _until_rolled(ecs)


def _deploy(server: _Server, longshore: Longshore, image: str, version: int) -> float:
    ecs = server.client("ecs")
    definition = _define(longshore, image, version)["taskDefinition"]
    began = time.perf_counter()
    ecs.update_service(service="rolls", taskDefinition=definition)
    _until_rolled(ecs)
    return time.perf_counter() - began


def _until_rolled(ecs: Any) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        deployments = ecs.describe_services(services=["rolls"])["services"][0]["deployments"]
        if [each["rolloutState"] for each in deployments] == ["COMPLETED"]:
            return
        time.sleep(0.05)
    raise RuntimeError(f"the deployment does not end: {deployments}")


def _remove(server: _Server, it: Balancer) -> None:
    ecs = server.client("ecs")
    ecs.delete_service(service="rolls", force=True)
    deadline = time.monotonic() + 60
    while it.health("bench") and time.monotonic() < deadline:
        time.sleep(0.1)
    it.delete()
