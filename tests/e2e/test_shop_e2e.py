"""The shop of examples/shop, by Terraform, boto3 and Ansible: made, asked, changed and removed, on real containers.

A stack as users have it: its VPC, security groups, roles, secrets, images, names, load balancer, services, scaling.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support import ansible, images, terraform
from tests.support.server import Server, until
from tests.support.shop import SHOP, left, project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HELLO = "web says: Hello from the api (orders, password known)"
pytestmark = [
    pytest.mark.docker,
    pytest.mark.haproxy,
    pytest.mark.timeout(900),  # Terraform itself waits for more than a minute after making a load balancer
]


def ask(server: Server, dns_name: str) -> str:
    """What the shop says; what went wrong where nobody answers."""
    try:
        answer = httpx.get(
            f"http://127.0.0.1:{server.lb_port}/hello", headers={"Host": dns_name}, trust_env=False, timeout=10
        )
    except httpx.HTTPError as error:
        return repr(error)
    return answer.text.strip()


@pytest.fixture
def shop_server(launch: Callable[..., Server]) -> Server:
    server = launch()
    server.client("logs").delete_log_group(logGroupName="/e2e")
    images.python_image(server.docker_url)
    return server


@terraform.NEEDED
def test_sixty_resources_by_terraform_are_made_changed_and_removed(shop_server: Server, tmp_path: Path) -> None:
    shop = project(tmp_path, shop_server)
    shop.apply(image=images.PYTHON)
    assert len([each for each in shop.resources() if not each.startswith("data.")]) == 60
    outputs = shop.outputs()
    until(lambda: ask(shop_server, outputs["balancer"]) == HELLO, "an answer of the shop")

    shop_server.restart(kill=True)
    assert shop.changes() == ""
    until(lambda: ask(shop_server, outputs["balancer"]) == HELLO, "an answer after a kill")

    shop.apply(greeting="Welcome", table="articles", password="battery staple", most="6")  # noqa: S106  of a test
    assert shop.changes() == ""
    until(lambda: "Welcome from the api (articles," in ask(shop_server, outputs["balancer"]), "the new greeting")

    shop.destroy()
    assert shop.resources() == []
    until(lambda: not shop_server.client("ec2").describe_network_interfaces()["NetworkInterfaces"], "no interfaces")
    aliases = [alias["AliasName"] for alias in shop_server.client("kms").list_aliases()["Aliases"]]
    assert [name for name in aliases if not name.startswith("alias/aws/")] == []
    assert shop_server.stop() == 0
    assert left(shop_server) == set()
    shop_server.start()


def test_shop_by_boto3(shop_server: Server) -> None:
    def shop(*words: str) -> str:
        command = [sys.executable, str(SHOP / "shop.py"), *words, "--image", images.PYTHON]
        return run(command, shop_server.environment())

    url = shop("up").strip()
    dns_name = url.removeprefix("http://").removesuffix("/hello")
    until(lambda: ask(shop_server, dns_name) == HELLO, "an answer of the shop")
    assert shop("change", "Welcome").strip() == url
    until(lambda: ask(shop_server, dns_name) == HELLO.replace("Hello", "Welcome"), "the new greeting")
    shop("down")
    shop("down")  # nothing is there any more, and that is well
    assert shop_server.stop() == 0
    assert left(shop_server) == set()
    shop_server.start()


def test_shop_by_ansible(shop_server: Server) -> None:
    settings = {"image": images.PYTHON}
    ansible.play(SHOP / "ansible" / "up.yml", shop_server.environment(), **settings)
    [balancer] = shop_server.client("elbv2").describe_load_balancers(Names=["shop"])["LoadBalancers"]
    until(lambda: ask(shop_server, balancer["DNSName"]) == HELLO, "an answer of the shop")
    assert ansible.play(SHOP / "ansible" / "up.yml", shop_server.environment(), **settings) == 0

    ansible.play(SHOP / "ansible" / "up.yml", shop_server.environment(), greeting="Welcome", anew="true", **settings)
    until(lambda: ask(shop_server, balancer["DNSName"]) == HELLO.replace("Hello", "Welcome"), "the new greeting")
    ansible.play(SHOP / "ansible" / "down.yml", shop_server.environment())
    assert shop_server.stop() == 0
    assert left(shop_server) == set()
    shop_server.start()


def run(command: list[str], environment: Mapping[str, Any]) -> str:
    """A command's output, once it has ended well."""
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
