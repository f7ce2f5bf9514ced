"""Rules of listeners: created, described, changed, reordered, deleted. The default one is its listener's."""

from collections.abc import Iterable
from typing import Any

from longshore.api.elbv2.actions import CONFIGS, Place, checked_actions, refusals
from longshore.api.elbv2.conditions import checked_conditions
from longshore.api.elbv2.errors import invalid
from longshore.api.elbv2.group_use import check_groups
from longshore.api.elbv2.limits import LIMITS
from longshore.api.elbv2.listeners import ID_DIGITS, balancer_of
from longshore.api.elbv2.lookup import find_listener, find_rule
from longshore.api.elbv2.paging import paged
from longshore.api.elbv2.tags import checked_tags
from longshore.api.elbv2.transforms import checked_transforms
from longshore.api.operation import Call, Operation
from longshore.domain.elbv2.balancer import HTTP_PROTOCOLS, Listener, Rule
from longshore.domain.record import Key
from longshore.wire.errors import ApiError

MAX_RULES = LIMITS["rules-per-application-load-balancer"]
"""Default rules not counted."""


def create_rule(call: Call) -> dict[str, Any]:
    """CreateRule, at a priority that no other rule of its listener has."""
    params = call.params
    listener = find_listener(call, params["ListenerArn"])
    _check_layer(listener)
    priority: int = params["Priority"]
    if call.tx.count(Rule, "priority", (listener.lb_id, listener.listener_id, str(priority))):
        raise _in_use(priority)
    if call.tx.count(Rule, "load_balancer", (listener.lb_id,)) >= MAX_RULES:
        raise ApiError("TooManyRules", f"The load balancer has {MAX_RULES} rules, the most that it can have")
    rule = Rule(
        account=call.scope.account,
        region=call.scope.region,
        lb_id=listener.lb_id,
        lb_path=listener.lb_path,
        listener_id=listener.listener_id,
        rule_id=call.ids.hex(ID_DIGITS),
        priority=priority,
        conditions=checked_conditions(params["Conditions"]),
        actions=_checked_actions(call, listener, params["Actions"]),
        transforms=checked_transforms(params.get("Transforms") or ()),
        created_at=call.now,
        tags=checked_tags(params.get("Tags")),
    )
    call.tx.put(rule)
    return {"Rules": [view(rule)]}


def describe_rules(call: Call) -> dict[str, Any]:
    """DescribeRules: those of a listener by priority and the default one last, or those with the ARNs given."""
    listener_arn, arns = call.params.get("ListenerArn"), call.params.get("RuleArns") or ()
    if bool(listener_arn) == bool(arns):
        raise invalid("You must specify either a listener ARN or rule ARNs")
    found: list[Rule | Listener]
    if listener_arn:
        listener = find_listener(call, listener_arn)
        found = [*call.tx.select(Rule, "listener", (listener.lb_id, listener.listener_id)), listener]
    else:
        found = [find_rule(call, arn) for arn in dict.fromkeys(arns)]
    found.sort(key=_place)
    shown, marker = paged(call, "DescribeRules", found, _place)
    return {"Rules": [view(rule) for rule in shown], "NextMarker": marker}


def modify_rule(call: Call) -> dict[str, Any]:
    """ModifyRule. What is not given stays."""
    params = call.params
    rule = _own_rule(call, params["RuleArn"], "modified")
    listener = _listener_of(call, rule)
    if params.get("ResetTransforms") and params.get("Transforms"):
        raise invalid("Transforms can't be specified when they are to be reset")
    if params.get("Conditions"):
        rule = rule.but(conditions=checked_conditions(params["Conditions"]))
    if params.get("Actions"):
        rule = rule.but(actions=_checked_actions(call, listener, params["Actions"]))
    if params.get("Transforms") or params.get("ResetTransforms"):
        rule = rule.but(transforms=checked_transforms(params.get("Transforms") or ()))
    call.tx.put(rule)
    return {"Rules": [view(rule)]}


def delete_rule(call: Call) -> dict[str, Any]:
    """DeleteRule."""
    call.tx.delete(Rule, _own_rule(call, call.params["RuleArn"], "deleted").key)
    return {}


def set_rule_priorities(call: Call) -> dict[str, Any]:
    """SetRulePriorities: all at once, so that rules can change places."""
    changed: dict[Key, Rule] = {}
    for pair in call.params["RulePriorities"]:
        arn, priority = pair.get("RuleArn"), pair.get("Priority")
        if not arn or priority is None:
            raise invalid("A rule ARN and a priority must be specified for each rule")
        rule = _own_rule(call, arn, "given a priority")
        if rule.key in changed:
            raise invalid(f"Rule '{arn}' can be specified only once")
        changed[rule.key] = rule.but(priority=priority)
    if not changed:
        raise invalid("A rule priority must be specified")
    for rule in changed.values():
        call.tx.put(rule)
    _check_unique(call, changed.values())
    return {"Rules": [view(rule) for rule in changed.values()]}


def view(rule: Rule | Listener) -> dict[str, Any]:
    """A rule, or the default one of a listener, as ELBv2 answers it."""
    if isinstance(rule, Listener):
        return {
            "RuleArn": rule.default_rule_arn,
            "Priority": "default",
            "Conditions": [],
            "Actions": list(rule.default_actions),
            "IsDefault": True,
            "Transforms": [],
        }
    return {
        "RuleArn": rule.arn,
        "Priority": str(rule.priority),
        "Conditions": list(rule.conditions),
        "Actions": list(rule.actions),
        "IsDefault": False,
        "Transforms": list(rule.transforms),
    }


def _checked_actions(call: Call, listener: Listener, given: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    balancer = balancer_of(call, listener)
    actions = checked_actions(given, Place(balancer.type, listener.protocol, listener.port))
    check_groups(call, balancer, listener.protocol, actions)
    return actions


def _check_layer(listener: Listener) -> None:
    if listener.protocol not in HTTP_PROTOCOLS:
        text = (
            f"Rules are unsupported for Network Load Balancer listeners: this one has the protocol {listener.protocol}"
        )
        raise ApiError("UnsupportedProtocol", text)


def _own_rule(call: Call, arn: str, what: str) -> Rule:
    """A rule that is not a default one. Raises RuleNotFound or OperationNotPermitted."""
    found = find_rule(call, arn)
    if isinstance(found, Listener):
        raise ApiError("OperationNotPermitted", f"Default rule '{arn}' cannot be {what}: see ModifyListener")
    return found


def _listener_of(call: Call, rule: Rule) -> Listener:
    found = call.tx.get(Listener, (*rule.scope, rule.lb_id, rule.listener_id))
    if found is None:
        raise ApiError("ListenerNotFound", f"The listener of rule '{rule.arn}' not found")
    return found


def _check_unique(call: Call, rules: Iterable[Rule]) -> None:
    for rule in rules:
        if call.tx.count(Rule, "priority", (rule.lb_id, rule.listener_id, str(rule.priority))) > 1:
            raise _in_use(rule.priority)


def _in_use(priority: int) -> ApiError:
    return ApiError("PriorityInUse", f"Priority '{priority}' is currently in use")


def _place(rule: Rule | Listener) -> str:
    """By priority, default rules last; the ARN tells rules of several listeners apart."""
    if isinstance(rule, Listener):
        return f"default {rule.default_rule_arn}"
    return f"{rule.priority:05d} {rule.arn}"


_REFUSES = refusals("Actions")
_ALLOWED = {"Actions[].Type": tuple(CONFIGS)}
_CODES = dict.fromkeys(_REFUSES, "InvalidLoadBalancerAction")
_NETWORK = {"Conditions[].SourceIpConfig.IpAddressType": "It is for network load balancers, which have no rules here."}
_TABLE: dict[str, Any] = {"refuses": {**_REFUSES, **_NETWORK}, "allowed": _ALLOWED, "codes": _CODES}
OPERATIONS: dict[str, Operation] = {
    "CreateRule": Operation(create_rule, **_TABLE),
    "DeleteRule": Operation(delete_rule),
    "DescribeRules": Operation(describe_rules),
    "ModifyRule": Operation(modify_rule, **_TABLE),
    "SetRulePriorities": Operation(set_rule_priorities),
}
