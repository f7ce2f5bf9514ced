"""Terraform: listeners, rules, certificates and a trust store are applied, changed, destroyed; plans are empty."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import terraform
from tests.support.certificates import make
from tests.support.server import Server

if TYPE_CHECKING:
    pass

PROJECT = Path(__file__).parent / "terraform" / "listeners.tf"

pytestmark = terraform.NEEDED


def balancer(server: Server, name: str, kind: str) -> str:
    """A load balancer; its ARN. Terraform would wait for it to become active, which takes a data plane."""
    subnets = [subnet["SubnetId"] for subnet in server.client("ec2").describe_subnets()["Subnets"]]
    made = server.client("elbv2").create_load_balancer(Name=name, Subnets=subnets, Type=kind)
    arn: str = made["LoadBalancers"][0]["LoadBalancerArn"]
    return arn


def test_listeners_rules_and_certificates_are_applied_changed_and_destroyed(simulated: Server, tmp_path: Path) -> None:
    project = terraform.Terraform(tmp_path / "project", simulated.environment())
    shutil.copy(PROJECT, project.folder)
    project.init()
    elb = simulated.client("elbv2")
    front = balancer(simulated, "front", "application")
    own = make("own.example.com")
    project.apply(
        front=front,
        inner=balancer(simulated, "inner", "network"),
        certificate=own.pem.decode(),
        key=own.key_pem.decode(),
        authorities=make("Clients", ca=True).pem.decode(),
    )
    assert project.changes() == ""
    listeners = {
        each["Port"]: each["ListenerArn"] for each in elb.describe_listeners(LoadBalancerArn=front)["Listeners"]
    }
    assert sorted(listeners) == [80, 443, 8443]
    rules = elb.describe_rules(ListenerArn=listeners[443])["Rules"]
    assert [rule["Priority"] for rule in rules] == ["10", "20", "default"]
    new = make("own.example.com", "more.example.com", key=own.key)
    project.apply(path="/b/*", certificate=new.pem.decode())
    assert project.changes() == ""
    conditions = elb.describe_rules(ListenerArn=listeners[443])["Rules"][0]["Conditions"]
    values = {each["Field"]: each["Values"] for each in conditions}
    assert values == {"path-pattern": ["/b/*"], "host-header": ["*.example.com"]}
    project.destroy()
    assert elb.describe_listeners(LoadBalancerArn=front)["Listeners"] == []
    includes = {"keyTypes": ["RSA_2048", "EC_prime256v1"]}
    assert simulated.client("acm").list_certificates(Includes=includes)["CertificateSummaryList"] == []
