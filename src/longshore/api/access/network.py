"""Which resources an operation of EC2 or Elastic Load Balancing is about.

EC2 has hundreds of operations of a few forms: what describes has no resource; what changes has those whose ids it
names, or that it names otherwise (a group by its name, an address by itself, an association); what creates has the new
one, too, whose id is not known yet (`subnet/*`). Which types an operation has: EC2's service authorization reference.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from longshore.api.access.asking import ANY, Ask, Need, On, Rule, members, on
from longshore.domain.ec2.network import SecurityGroup, SecurityGroupRule, Subnet, Vpc
from longshore.domain.ec2.routing import Address

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
RULES_OF_ONE = ("GroupId",)
ONLY = {
    "AuthorizeSecurityGroupEgress": RULES_OF_ONE,
    "AuthorizeSecurityGroupIngress": RULES_OF_ONE,
    "CreateRoute": ("RouteTableId",),
    "DeleteRoute": ("RouteTableId",),
    "DescribeSecurityGroupReferences": ("GroupId",),
    "DescribeVpcAttribute": ("VpcId",),
    "GetManagedPrefixListEntries": ("PrefixListId",),
    "GetSecurityGroupsForVpc": ("VpcId",),
    "ReplaceRoute": ("RouteTableId",),
    "RevokeSecurityGroupEgress": RULES_OF_ONE,
    "RevokeSecurityGroupIngress": RULES_OF_ONE,
    "UpdateSecurityGroupRuleDescriptionsEgress": RULES_OF_ONE,
    "UpdateSecurityGroupRuleDescriptionsIngress": RULES_OF_ONE,
}
"""Operations whose resources are those of some members alone: what rules and routes lead to is none of them."""
OF_IDS = ("Id", "Ids", "Groups", "Resources")
"""How the names of members end that hold ids. Tags, descriptions, names and tokens may hold any text."""
NO_IDS = frozenset({"Filters", "ReferencedGroupId", "TagSpecifications", "Tags"})


def ec2(ask: Ask) -> On:
    """Any operation of EC2."""
    values = {"ec2:region": (ask.scope.region,)}
    if ask.operation.startswith(("Describe", "Get", "Search", "List")) and ask.operation not in ONLY:
        return on([], values)
    names = ONLY.get(ask.operation)
    given = {name: ask.params.get(name) for name in names} if names else ask.params
    found = [arn for text in _ids(given) if (arn := _by_id(ask, text))]
    created = CREATED.get(ask.operation)
    if created:
        found.insert(0, ask.arn("ec2", f"{created}/*"))
    found += [arn for text in _meant(ask) if (arn := _by_id(ask, text))]
    return on(found, values, more=[*_tagging(ask), *_delivering(ask)])


def _tagging(ask: Ask) -> Iterator[Need]:
    """Tags given when something is created need CreateTags for it."""
    for specification in ask.params.get("TagSpecifications") or ():
        kind = specification.get("ResourceType")
        if kind and specification.get("Tags"):
            values = {"ec2:createaction": (ask.operation,), "ec2:region": (ask.scope.region,)}
            yield Need("ec2:CreateTags", ask.arn("ec2", f"{kind}/*"), values=values)


def _delivering(ask: Ask) -> Iterator[Need]:
    """A role that flow logs are delivered with is passed to them."""
    role = ask.text("DeliverLogsPermissionArn") if ask.operation == "CreateFlowLogs" else ""
    if role:
        yield Need("iam:PassRole", role, values={"iam:passedtoservice": ("vpc-flow-logs.amazonaws.com",)})


def _ids(given: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """What members for ids hold, as deep as EC2 has them."""
    for name, value in given.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and name.endswith(OF_IDS) and name not in NO_IDS:
                yield each
            elif isinstance(each, dict) and name not in NO_IDS and depth < 4:
                yield from _ids(each, depth + 1)


def _by_id(ask: Ask, text: str) -> str | None:
    found = ID.fullmatch(text)
    kind = TYPES.get(found.group(1)) if found else None
    return ask.arn("ec2", f"{kind}/{text}") if kind else None


# ------------------------------------------------------------------------------------- what is named otherwise


def _meant(ask: Ask) -> Iterator[str]:
    """The ids of what a request names by something else. What is not there is its handler's to refuse."""
    if ask.operation in BY_GROUP and not ask.text("GroupId"):
        yield from _named_group(ask)
        yield from _groups_of_rules(ask)
    find = OTHERWISE.get(ask.operation)
    if find is not None:
        yield from find(ask)


def _named_group(ask: Ask) -> Iterator[str]:
    """A security group by its name: one of the default VPC."""
    name = ask.text("GroupName")
    for vpc in ask.reader.select(Vpc, "scope", ask.scope) if name else ():
        if vpc.is_default:
            groups = ask.reader.select(SecurityGroup, "vpc", vpc.key)
            yield from (group.group_id for group in groups if group.name == name)


def _groups_of_rules(ask: Ask) -> Iterator[str]:
    """The security groups whose rules are named."""
    described = ask.params.get("SecurityGroupRuleDescriptions") or ()
    ids = [*ask.texts("SecurityGroupRuleIds"), *(each.get("SecurityGroupRuleId") for each in described)]
    for rule_id in ids:
        rule = ask.reader.get(SecurityGroupRule, (*ask.scope, rule_id)) if rule_id else None
        if rule is not None:
            yield rule.group_id


def _address(ask: Ask) -> Iterator[str]:
    """An elastic IP address by itself, or by its association; where that ends, the interface as well."""
    reference, public = ask.text("AssociationId"), ask.text("PublicIp")
    found = ask.reader.select(Address, "association", (*ask.scope, reference)) if reference else []
    if not reference and public and not ask.text("AllocationId"):
        found = [each for each in ask.reader.select(Address, "public_ip", (public,)) if each.scope == ask.scope]
    for each in found:
        yield each.allocation_id
        if ask.operation == "DisassociateAddress":
            yield each.interface_id


def _of_table(ask: Ask) -> Iterator[str]:
    """A subnet and its route table, or the main table of a VPC, by their association."""
    reference = ask.text("AssociationId")
    for subnet in ask.reader.select(Subnet, "scope", ask.scope):
        if reference and subnet.route_table_association_id == reference:
            yield from (subnet.subnet_id, subnet.route_table_id)
            return
    for vpc in ask.reader.select(Vpc, "scope", ask.scope):
        if vpc.main_association == reference:
            yield vpc.main_route_table


def _of_acl(ask: Ask) -> Iterator[str]:
    """A subnet and its network ACL, by their association."""
    for subnet in ask.reader.select(Subnet, "scope", ask.scope):
        if subnet.network_acl_association == ask.text("AssociationId"):
            vpc = ask.reader.get(Vpc, (*ask.scope, subnet.vpc_id))
            yield subnet.subnet_id
            yield subnet.network_acl_id or (vpc.default_network_acl if vpc else "")


BY_GROUP = frozenset({"DeleteSecurityGroup", *(name for name, only in ONLY.items() if only is RULES_OF_ONE)})
OTHERWISE: dict[str, Callable[[Ask], Iterator[str]]] = {
    "AssociateAddress": _address,
    "DisassociateAddress": _address,
    "DisassociateRouteTable": _of_table,
    "ReleaseAddress": _address,
    "ReplaceNetworkAclAssociation": _of_acl,
    "ReplaceRouteTableAssociation": _of_table,
}


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
