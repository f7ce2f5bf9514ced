"""Rules of security groups: authorized, revoked, changed, described; each has an id and tags of its own."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import listed, required
from longshore.api.ec2.resources import RESOURCES, find, missing, place_of
from longshore.api.ec2.security.groups import group_of
from longshore.api.ec2.security.permissions import (
    INERT,
    REFUSED,
    Peer,
    Permission,
    asked_permissions,
    checked_description,
    ipv4_range,
    ipv6_range,
    permission_of,
    prefix_list,
    referenced_group,
    traffic,
)
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.operation import Call, Handler, Operation
from longshore.domain.arn import Arn
from longshore.domain.ec2.network import SecurityGroup, SecurityGroupRule, Vpc
from longshore.wire.errors import ApiError

MAX_RULES = 1000
"""Of each direction: what AWS raises its quota to at most."""
FILTERS = filters.table(group_id="GroupId", security_group_rule_id="SecurityGroupRuleId")


def authorize(call: Call, *, ingress: bool) -> dict[str, Any]:
    """AuthorizeSecurityGroupIngress and …Egress."""
    group = group_of(call, call.params.get("GroupId"), call.params.get("GroupName") if ingress else None)
    asked = asked_permissions(call, group, ingress=ingress)
    if not asked:
        raise required("ipPermissions")
    tags = new_tags(call, "security-group-rule")
    known = _rules_by_permission(call, group, ingress=ingress)
    if len(known) + len(asked) > MAX_RULES:
        text = f"The maximum number of rules per security group has been reached: {MAX_RULES} of each direction."
        raise ApiError("RulesPerSecurityGroupLimitExceeded", text)
    made = []
    for permission, description in asked.items():
        if permission in known:
            raise _duplicate(permission)
        made.append(_new_rule(call, group, permission, ingress=ingress, description=description, tags=tags))
    for rule in made:
        call.tx.put(rule)
    return {"Return": True, "SecurityGroupRules": [rule_view(rule) for rule in made]}


def _duplicate(permission: Permission) -> ApiError:
    text = f'the specified rule "{permission.text()}" already exists'
    return ApiError("InvalidPermission.Duplicate", text)


def _new_rule(call: Call, group: SecurityGroup, permission: Permission, *, ingress: bool, **fields: Any) -> Any:
    return SecurityGroupRule(
        **place_of(call),
        rule_id=f"sgr-{call.ids.hex(17)}",
        group_id=group.group_id,
        is_egress=not ingress,
        **_fields(permission),
        **fields,
    )


def _fields(permission: Permission) -> dict[str, Any]:
    """A permission as the fields of a rule."""
    said = {name: value for name, value in permission._asdict().items() if name != "peer"}
    return {**said, **permission.peer._asdict()}


def revoke(call: Call, *, ingress: bool) -> dict[str, Any]:
    """RevokeSecurityGroupIngress and …Egress: by rule ids or by permissions.

    A permission that no rule gives is an error; in a default VPC it is named in the answer.
    """
    group = group_of(call, call.params.get("GroupId"), call.params.get("GroupName") if ingress else None)
    ids, unknown = call.params.get("SecurityGroupRuleIds") or (), []
    asked = asked_permissions(call, group, ingress=ingress)
    gone = [_own_rule(call, group, reference, ingress=ingress) for reference in dict.fromkeys(ids)]
    if not asked and not ids:
        raise required("ipPermissions or securityGroupRuleIds")
    known = _rules_by_permission(call, group, ingress=ingress)
    for permission in asked:
        if permission in known:
            gone.append(known[permission])
        else:
            unknown.append(permission)
    if unknown and not find(call, Vpc, group.vpc_id).is_default:
        text = "The specified rule does not exist in this security group."
        raise ApiError("InvalidPermission.NotFound", text)
    for rule in gone:
        call.tx.delete(SecurityGroupRule, rule.key)
    revoked = [{name: value for name, value in rule_view(rule).items() if name in REVOKED} for rule in gone]
    return {
        "Return": True,
        "UnknownIpPermissions": [_permission_view(permission) for permission in unknown],
        "RevokedSecurityGroupRules": [
            {**view, **({"ReferencedGroupId": rule.referenced_group_id} if rule.referenced_group_id else {})}
            for view, rule in zip(revoked, gone, strict=True)
        ],
    }


REVOKED = (
    "SecurityGroupRuleId",
    "GroupId",
    "IsEgress",
    "IpProtocol",
    "FromPort",
    "ToPort",
    "CidrIpv4",
    "CidrIpv6",
    "PrefixListId",
    "Description",
)


def _permission_view(permission: Permission) -> dict[str, Any]:
    peer = permission.peer
    return {
        "IpProtocol": permission.protocol,
        "FromPort": permission.from_port,
        "ToPort": permission.to_port,
        "IpRanges": [{"CidrIp": peer.cidr_ipv4}] if peer.cidr_ipv4 else [],
        "Ipv6Ranges": [{"CidrIpv6": peer.cidr_ipv6}] if peer.cidr_ipv6 else [],
        "PrefixListIds": [{"PrefixListId": peer.prefix_list_id}] if peer.prefix_list_id else [],
        "UserIdGroupPairs": [{"GroupId": peer.referenced_group_id}] if peer.referenced_group_id else [],
    }


def modify_security_group_rules(call: Call) -> dict[str, Any]:
    """ModifySecurityGroupRules: rules keep their ids and tags."""
    group = group_of(call, call.params["GroupId"])
    updates = call.params["SecurityGroupRules"]
    if not updates:
        raise required("SecurityGroupRule")
    changed: dict[str, SecurityGroupRule] = {}
    for update in updates:
        rule = _own_rule(call, group, update["SecurityGroupRuleId"])
        given = update.get("SecurityGroupRule")
        if given is None:
            raise required("SecurityGroupRule")
        permission = Permission(
            *traffic(given.get("IpProtocol"), given.get("FromPort"), given.get("ToPort")), _peer(call, group, given)
        )
        description = checked_description(given.get("Description"))
        changed[rule.rule_id] = rule.but(**_fields(permission), description=description)
    for rule in changed.values():
        call.tx.put(rule)
    for ingress in (True, False):
        rules = [rule for rule in call.tx.select(SecurityGroupRule, "group", group.key) if rule.is_egress != ingress]
        seen: set[Permission] = set()
        for rule in rules:
            if permission_of(rule) in seen:
                raise _duplicate(permission_of(rule))
            seen.add(permission_of(rule))
    return {"Return": True}


def _peer(call: Call, group: SecurityGroup, given: Mapping[str, Any]) -> Peer:
    ipv4, ipv6 = given.get("CidrIpv4"), given.get("CidrIpv6")
    listed_id, other = given.get("PrefixListId"), given.get("ReferencedGroupId")
    if sum(map(bool, (ipv4, ipv6, listed_id, other))) != 1:
        text = "Exactly one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupId must be given"
        raise ApiError("InvalidParameterCombination", text)
    return Peer(
        cidr_ipv4=ipv4_range(ipv4) if ipv4 else "",
        cidr_ipv6=ipv6_range(ipv6) if ipv6 else "",
        prefix_list_id=prefix_list(call, listed_id) if listed_id else "",
        referenced_group_id=referenced_group(call, group, other) if other else "",
    )


def update_descriptions(call: Call, *, ingress: bool) -> dict[str, Any]:
    """UpdateSecurityGroupRuleDescriptionsIngress and …Egress: by permissions or by rule ids."""
    group = group_of(call, call.params.get("GroupId"), call.params.get("GroupName"))
    by_id = call.params.get("SecurityGroupRuleDescriptions") or ()
    asked = asked_permissions(call, group, ingress=ingress)
    if not asked and not by_id:
        raise required("ipPermissions or securityGroupRuleDescriptions")
    for each in by_id:
        rule = _own_rule(call, group, each.get("SecurityGroupRuleId") or "", ingress=ingress)
        call.tx.put(rule.but(description=checked_description(each.get("Description"))))
    known = _rules_by_permission(call, group, ingress=ingress)
    for permission, description in asked.items():
        if permission not in known:
            text = "The specified rule does not exist in this security group."
            raise ApiError("InvalidPermission.NotFound", text)
        call.tx.put(known[permission].but(description=description))
    return {"Return": True}


def _rules_by_permission(call: Call, group: SecurityGroup, *, ingress: bool) -> dict[Permission, SecurityGroupRule]:
    rules = call.tx.select(SecurityGroupRule, "group", group.key)
    return {permission_of(rule): rule for rule in rules if rule.is_egress != ingress}


def _own_rule(call: Call, group: SecurityGroup, reference: str, *, ingress: bool | None = None) -> SecurityGroupRule:
    rule = find(call, SecurityGroupRule, reference)
    if rule.group_id != group.group_id or rule.is_egress is ingress:
        raise missing(RESOURCES[SecurityGroupRule], reference)
    return rule


def describe_security_group_rules(call: Call) -> dict[str, Any]:
    """DescribeSecurityGroupRules."""
    return listed(
        call,
        SecurityGroupRule,
        rule_view,
        FILTERS,
        "SecurityGroupRules",
        operation="DescribeSecurityGroupRules",
        member="SecurityGroupRuleId",
        records=_narrowed(call),
    )


def _narrowed(call: Call) -> Iterable[SecurityGroupRule]:
    """The rules that may pass the filters: those of groups that are named exactly are found by an index."""
    for entry in call.params.get("Filters") or ():
        values = entry.get("Values") or ()
        if entry.get("Name") == "group-id" and values and not any(set(value) & set("*?\\") for value in values):
            groups = [(*call.scope, value) for value in dict.fromkeys(values)]
            if not call.params.get("SecurityGroupRuleIds"):
                return [rule for group in groups for rule in call.tx.select(SecurityGroupRule, "group", group)]
    return call.tx.select(SecurityGroupRule, "scope", call.scope)


def rule_view(rule: SecurityGroupRule) -> dict[str, Any]:
    """A rule, as EC2 answers it."""
    view: dict[str, Any] = {
        "SecurityGroupRuleId": rule.rule_id,
        "SecurityGroupRuleArn": str(Arn("ec2", rule.scope, f"security-group-rule/{rule.rule_id}")),
        "GroupId": rule.group_id,
        "GroupOwnerId": rule.account,
        "IsEgress": rule.is_egress,
        "IpProtocol": rule.protocol,
        "FromPort": rule.from_port,
        "ToPort": rule.to_port,
        "Tags": shown(rule.tags),
    }
    said = {
        "CidrIpv4": rule.cidr_ipv4,
        "CidrIpv6": rule.cidr_ipv6,
        "PrefixListId": rule.prefix_list_id,
        "Description": rule.description,
    }
    view |= {name: value for name, value in said.items() if value}
    if rule.referenced_group_id:
        view["ReferencedGroupInfo"] = {"GroupId": rule.referenced_group_id, "UserId": rule.account}
    return view


def _for(handler: Callable[..., dict[str, Any]], *, ingress: bool) -> Handler:
    """The handler of one direction."""

    def handle(call: Call) -> dict[str, Any]:
        return handler(call, ingress=ingress)

    return handle


OPERATIONS = {
    **{
        f"{name}{'Ingress' if ingress else 'Egress'}": Operation(
            _for(handler, ingress=ingress), refuses=REFUSED, inert=INERT
        )
        for name, handler in (
            ("AuthorizeSecurityGroup", authorize),
            ("RevokeSecurityGroup", revoke),
            ("UpdateSecurityGroupRuleDescriptions", update_descriptions),
        )
        for ingress in (True, False)
    },
    "DescribeSecurityGroupRules": Operation(describe_security_group_rules),
    "ModifySecurityGroupRules": Operation(modify_security_group_rules),
}
