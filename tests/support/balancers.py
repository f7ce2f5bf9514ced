"""Load balancers and what belongs to them, for tests: made by the API where it makes them, as records elsewhere."""

from typing import Any

from longshore.api import acm
from longshore.domain.elbv2.balancer import HealthCheckSettings, Listener, LoadBalancer, Rule, TargetGroup, Zone
from tests.support.api import SCOPE, Api
from tests.support.certificates import Key, make

PLACE: dict[str, Any] = {"account": SCOPE.account, "region": SCOPE.region}
ARN = f"arn:aws:elasticloadbalancing:{SCOPE.region}:{SCOPE.account}:"


def create_balancer(api: Api, name: str = "front", **params: Any) -> LoadBalancer:
    """A load balancer in two zones."""
    asked: dict[str, Any] = {"Name": name, **params}
    if "SubnetMappings" not in params:
        asked.setdefault("Subnets", ["subnet-a", "subnet-b"])
    api("CreateLoadBalancer", **asked)
    return balancer_named(api, name)


def balancer_named(api: Api, name: str) -> LoadBalancer:
    """The record of a load balancer."""
    (found,) = api.store.select(LoadBalancer, "name", (*SCOPE, name))
    return found


def standing_at(*addresses: str, dns_name: str, vpc_id: str = "vpc-1") -> LoadBalancer:
    """The record of a load balancer with these addresses, for whoever looks its name up."""
    zones = tuple(
        Zone(name=f"eu-west-1{letter}", subnet_id="subnet-1", interface_id="eni-1", address=address)
        for letter, address in zip("abc", addresses, strict=False)
    )
    return LoadBalancer(
        account="1",
        region="eu-west-1",
        lb_id="0123456789abcdef",
        name="web",
        type="application",
        scheme="internet-facing",
        vpc_id=vpc_id,
        zones=zones,
        dns_name=dns_name,
        created_at=1.0,
    )


def create_group(api: Api, name: str = "web", **params: Any) -> TargetGroup:
    """A target group of addresses."""
    asked = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip", **params}
    api("CreateTargetGroup", **asked)
    (found,) = api.store.select(TargetGroup, "name", (*SCOPE, name))
    return found


def forward(*groups: TargetGroup, weight: int = 1, sticky_s: int = 0) -> dict[str, Any]:
    """An action that forwards to groups, as ELBv2 answers it."""
    tuples = [{"TargetGroupArn": group.arn, "Weight": weight} for group in groups]
    sticky = {"Enabled": True, "DurationSeconds": sticky_s} if sticky_s else {"Enabled": False}
    config = {"TargetGroups": tuples, "TargetGroupStickinessConfig": sticky}
    return {"Type": "forward", "TargetGroupArn": groups[0].arn, "Order": 1, "ForwardConfig": config}


def listener_of(balancer: LoadBalancer, *actions: dict[str, Any], port: int = 80, **changes: Any) -> Listener:
    """A listener."""
    made = Listener(
        **PLACE,
        lb_id=balancer.lb_id,
        lb_path=balancer.path,
        listener_id=f"{port:016x}",
        default_rule_id=f"{port:08x}dddddddd",
        port=port,
        protocol="HTTP" if balancer.type == "application" else "TCP",
        default_actions=actions,
        created_at=0.0,
    )
    return made.but(**changes)


def rule_of(listener: Listener, priority: int, *actions: dict[str, Any], **changes: Any) -> Rule:
    """A rule without conditions."""
    made = Rule(
        **PLACE,
        lb_id=listener.lb_id,
        lb_path=listener.lb_path,
        listener_id=listener.listener_id,
        rule_id=f"{priority:016x}",
        priority=priority,
        conditions=(),
        actions=actions,
        created_at=0.0,
    )
    return made.but(**changes)


def import_certificate(api: Api, name: str = "a.example.com", key: Key | None = None) -> str:
    """A certificate in ACM, where another service's `api` finds it; its ARN."""
    certificates = Api(acm.SERVICE.operations, service="acm")
    certificates.store, certificates.ids = api.store, api.ids
    made = make(name, key=key)
    arn: str = certificates("ImportCertificate", Certificate=made.pem, PrivateKey=made.key_pem)["CertificateArn"]
    return arn


def group_in_use(api: Api, name: str = "web", **changes: Any) -> TargetGroup:
    """A target group with a listener that forwards to it, as records."""
    group = TargetGroup(
        **PLACE,
        group_id=f"{len(list(api.store.all(TargetGroup))):016x}",
        name=name,
        protocol="HTTP",
        protocol_version="HTTP1",
        port=80,
        vpc_id="vpc-1",
        target_type="ip",
        health_check=HealthCheckSettings(path="/", matcher="200"),
        created_at=0.0,
    ).but(**changes)
    balancer = LoadBalancer(
        **PLACE,
        lb_id=group.group_id,
        name=name,
        type="application",
        scheme="internal",
        vpc_id="vpc-1",
        zones=(),
        dns_name=f"{name}.test",
        created_at=0.0,
    )
    api.put(group, balancer, listener_of(balancer, forward(group)))
    return group
