"""Which resources an operation of EC2 or Elastic Load Balancing is about.

EC2 has hundreds of operations of a few forms: what describes has no resource; what changes has those whose ids it
names; what creates has the new one, too, whose id is not known yet (`subnet/*`).
"""

import re
from collections.abc import Iterator
from typing import Any

from longshore.api.access.asking import ANY, Ask, Need, On, Rule, members, on

ID = re.compile(r"([a-z]+(?:-svc)?)-[0-9a-f]{1,17}")
TYPES = {
    "acl": "network-acl",
    "dopt": "dhcp-options",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "fl": "vpc-flow-log",
    "i": "instance",
    "igw": "internet-gateway",
    "lt": "launch-template",
    "nat": "natgateway",
    "pl": "prefix-list",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "subnet": "subnet",
    "vol": "volume",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
    "vpce-svc": "vpc-endpoint-service",
}
"""The type of a resource by what its id begins with."""
CREATED = {
    "AllocateAddress": "elastic-ip",
    "CreateDefaultVpc": "vpc",
    "CreateDhcpOptions": "dhcp-options",
    "CreateFlowLogs": "vpc-flow-log",
    "CreateInternetGateway": "internet-gateway",
    "CreateManagedPrefixList": "prefix-list",
    "CreateNatGateway": "natgateway",
    "CreateNetworkAcl": "network-acl",
    "CreateNetworkInterface": "network-interface",
    "CreateRouteTable": "route-table",
    "CreateSecurityGroup": "security-group",
    "CreateSubnet": "subnet",
    "CreateVpc": "vpc",
    "CreateVpcEndpoint": "vpc-endpoint",
    "CreateVpcEndpointServiceConfiguration": "vpc-endpoint-service",
}
ONLY = {
    "CreateRoute": ("RouteTableId",),
    "DeleteRoute": ("RouteTableId",),
    "ReplaceRoute": ("RouteTableId",),
}
"""Operations whose resources are those of some members alone."""


def ec2(ask: Ask) -> On:
    """Any operation of EC2."""
    if ask.operation.startswith(("Describe", "Get", "Search", "List")):
        return on([])
    names = ONLY.get(ask.operation, tuple(ask.params))
    found = [arn for text in _texts([ask.params.get(name) for name in names]) if (arn := _by_id(ask, text))]
    created = CREATED.get(ask.operation)
    if created:
        found.insert(0, ask.arn("ec2", f"{created}/*"))
    return on(found, more=_tagging(ask))


def _tagging(ask: Ask) -> Iterator[Need]:
    """Tags given when something is created need CreateTags for it."""
    for specification in ask.params.get("TagSpecifications") or ():
        kind = specification.get("ResourceType")
        if kind and specification.get("Tags"):
            values = {"ec2:createaction": (ask.operation,)}
            yield Need("ec2:CreateTags", ask.arn("ec2", f"{kind}/*"), values=values)


def _texts(value: Any, depth: int = 0) -> Iterator[str]:
    """The texts in a value, in lists and structures too, as deep as EC2 has ids."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < 4:
        for each in value:
            yield from _texts(each, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        for each in value.values():
            yield from _texts(each, depth + 1)


def _by_id(ask: Ask, text: str) -> str | None:
    found = ID.fullmatch(text)
    kind = TYPES.get(found.group(1)) if found else None
    return ask.arn("ec2", f"{kind}/{text}") if kind else None


# -------------------------------------------------------------------------------------------------- load balancers


SHORT = {"network": "net", "gateway": "gwy"}


def _new_balancer(ask: Ask) -> On:
    kind = SHORT.get(ask.text("Type"), "app")
    return _elb(ask, f"loadbalancer/{kind}/{ask.text('Name')}/*", tagged=bool(ask.params.get("Tags")))


def _new(kind: str) -> Rule:
    def rule(ask: Ask) -> On:
        return _elb(ask, f"{kind}/{ask.text('Name')}/*", tagged=bool(ask.params.get("Tags")))

    return rule


def _elb(ask: Ask, path: str, *, tagged: bool) -> On:
    arn = ask.arn("elasticloadbalancing", path)
    return on([arn], more=[_add_tags(ask, arn)] if tagged else [])


def _add_tags(ask: Ask, arn: str) -> Need:
    values = {"elasticloadbalancing:createaction": (ask.operation,)}
    return Need("elasticloadbalancing:AddTags", arn, values=values)


def _priorities(ask: Ask) -> On:
    return on(str(each.get("RuleArn")) for each in ask.params.get("RulePriorities") or () if each.get("RuleArn"))


def _below(name: str, before: str, after: str) -> Rule:
    """What is created in a load balancer or a listener: that is the resource, and tags are for what is below it."""

    def rule(ask: Ask) -> On:
        above = ask.text(name)
        below = above.replace(f":{before}/", f":{after}/", 1) + "/*"
        more = [_add_tags(ask, below)] if ask.params.get("Tags") else []
        return on([above] if above.startswith("arn:") else [], more=more)

    return rule


_ELB: dict[str, Rule] = {
    "CreateListener": _below("LoadBalancerArn", "loadbalancer", "listener"),
    "CreateLoadBalancer": _new_balancer,
    "CreateRule": _below("ListenerArn", "listener", "listener-rule"),
    "CreateTargetGroup": _new("targetgroup"),
    "CreateTrustStore": _new("truststore"),
    "SetRulePriorities": _priorities,
}
_ARNS = members(
    "LoadBalancerArn", "ListenerArn", "RuleArn", "TargetGroupArn", "TrustStoreArn", "ResourceArn", "ResourceArns"
)


def elbv2(ask: Ask) -> On:
    """Any operation of Elastic Load Balancing: what describes has no resource."""
    if ask.operation.startswith("Describe"):
        return On((ANY,))
    return _ELB.get(ask.operation, _ARNS)(ask)
