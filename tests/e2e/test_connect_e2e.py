"""Service Connect on real containers: names lead to healthy tasks, and no connection fails whatever the services do."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.config import Config

from tests.support import images
from tests.support.connect import CLIENT, HTTP_SERVER, TCP_SERVER, connect, program
from tests.support.server import Server, until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.docker,
    pytest.mark.haproxy,
    pytest.mark.skipif(os.getuid() != 0, reason="Service Connect's proxies need root"),
]
WEB = connect({"portName": "http", "discoveryName": "web", "clientAliases": [{"port": 80, "dnsName": "web"}]})
CACHE = connect({"portName": "tcp", "discoveryName": "cache", "clientAliases": [{"port": 6379, "dnsName": "cache"}]})


class Shop:
    """A client service, and the two that it calls."""

    def __init__(self, server: Server) -> None:
        self.server = server
        images.python_image(server.docker_url)
        server.client("servicediscovery").create_http_namespace(Name="shop")

    def web(self, text: str) -> str:
        port = {"containerPort": 8080, "name": "http", "appProtocol": "http"}
        return self.server.define("web", program(HTTP_SERVER, port, TEXT=text, PORT="8080"))

    def cache(self, text: str) -> str:
        port = {"containerPort": 6379, "name": "tcp"}
        return self.server.define("cache", program(TCP_SERVER, port, TEXT=text, PORT="6379"))

    def roll(self, name: str, **changes: Any) -> None:
        self.server.ecs.update_service(service=name, **changes)
        self.server.stable(name)

    def said(self) -> list[str]:
        """What the client printed."""
        [task] = self.server.tasks_of("client")
        return self.server.lines(task["taskArn"])

    def sees(self, *texts: str) -> None:
        """Wait until the client gets these answers, as `cache:one`, and no others from the same service."""
        services = {text.partition(":")[0] for text in texts}

        def only() -> bool:
            seen = [line for line in self.said() if line.startswith("SEEN")]
            found = set(re.findall(r"(\w+:\w+)=", seen[-1])) if seen else set()
            return {each for each in found if each.partition(":")[0] in services} == set(texts)

        until(only, f"answers {texts}")

    def failures(self) -> list[str]:
        return [line for line in self.said() if line.startswith("FAILED")]


def test_no_connection_fails_through_deployments_a_scale_in_and_a_kill(launch: Callable[..., Server]) -> None:
    server = launch()
    shop = Shop(server)
    # The client comes first: order does not matter.
    server.serve(
        "client",
        server.define("client", program(CLIENT), cpu="1024", memory="2048"),
        1,
        serviceConnectConfiguration={**connect(), **LOGGED},
    )
    server.serve("web", shop.web("one"), 2, serviceConnectConfiguration=WEB)
    server.serve("cache", shop.cache("one"), 2, serviceConnectConfiguration=CACHE)
    shop.sees("web:one", "pool:one", "cache:one")

    for text in ("two", "three"):
        shop.roll("web", taskDefinition=shop.web(text))
        shop.roll("cache", taskDefinition=shop.cache(text))
        shop.sees(f"web:{text}", f"pool:{text}", f"cache:{text}")
    server.restart(kill=True)
    shop.roll("web", taskDefinition=shop.web("four"))
    shop.roll("cache", taskDefinition=shop.cache("four"))
    shop.sees("web:four", "pool:four", "cache:four")
    for name in ("web", "cache"):
        shop.roll(name, desiredCount=1)
    until(lambda: len(server.tasks_of("web") + server.tasks_of("cache")) == 2, "the scale-in")
    assert shop.failures() == []
    plain = Config(inject_host_prefix=False)  # `data-` before the host's name
    found = server.client("servicediscovery", config=plain).discover_instances(NamespaceName="shop", ServiceName="web")[
        "Instances"
    ]
    [task] = server.tasks_of("web")
    assert [(each["InstanceId"], each["Attributes"]["AWS_INSTANCE_PORT"]) for each in found] == [
        (task["taskArn"].rpartition("/")[2], "8080")
    ]
    [caller] = server.tasks_of("client")
    logged = [line for line in server.lines(caller["taskArn"], "ecs-service-connect") if '"GET / HTTP/1.1" 200' in line]
    assert len(logged) > 50
    until(lambda: counted(server, "web") > 0 < counted(server, "cache"), "requests in the counters")
    for name in ("client", "web", "cache"):
        server.unserve(name)
    until(lambda: not proxies(server), "the proxies to be gone")


LOGGED = {"logConfiguration": program("")["logConfiguration"], "accessLogConfiguration": {"format": "TEXT"}}
"""Into the log group of the containers."""


def counted(server: Server, name: str) -> float:
    """How many requests `/metrics` has that the client sent to a discovery name."""
    page = httpx.get(f"{server.url}/metrics", trust_env=False).text
    pattern = rf'longshore_service_connect_requests_total{{.*discovery_name="{name}".*service="client".*}} (\S+)'
    return sum(float(found) for found in re.findall(pattern, page))


def proxies(server: Server) -> list[str]:
    """The command lines of proxies that run."""
    found = []
    for entry in os.listdir("/proc"):  # noqa: PTH208  names are enough
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:  # noqa: PTH123
                    words = file.read().decode(errors="replace")
            except OSError:
                continue
            if f"/longshore/{server.instance}/connect/" in words:
                found.append(words.replace("\0", " "))
    return found
