"""Rules as the data plane is told of them: from `Action`s, `RuleCondition`s and `RuleTransform`s, as records keep them
and ELBv2 answers them, to the plain values of `domain/elbv2/balancing.py`.

Called by `decide/elbv2/balancing.py`. What is in a record was checked by the API: nothing is checked again here.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

from longshore.domain.elbv2.balancer import Listener, Rule, group_key_of
from longshore.domain.elbv2.balancing import (
    Condition,
    FixedResponse,
    Forward,
    Redirect,
    Rewrite,
    RulePlan,
    WeightedGroup,
)

Document = Mapping[str, Any]

FIELD_CONFIGS: Mapping[str, str] = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
"""Where a condition on a field has its values."""
REWRITE_CONFIGS: Mapping[str, str] = {
    "host-header-rewrite": "HostHeaderRewriteConfig",
    "url-rewrite": "UrlRewriteConfig",
}
"""Where a transform has its rewrites."""


def rule_plan(rule: Rule) -> RulePlan:
    """A rule that a user made."""
    return RulePlan(
        rule_id=rule.rule_id,
        priority=rule.priority,
        conditions=tuple(condition_plan(condition) for condition in rule.conditions),
        action=action_plan(rule.actions),
        rewrites=tuple(rewrite for transform in rule.transforms for rewrite in rewrite_plans(transform)),
    )


def default_rule_plan(listener: Listener) -> RulePlan:
    """A listener's default rule: what happens to a request that no other rule is for."""
    return RulePlan(rule_id=listener.default_rule_id, action=action_plan(listener.default_actions))


def rule_plans(listener: Listener, rules: Iterable[Rule]) -> tuple[RulePlan, ...]:
    """All rules of a listener in the order in which they are tried."""
    ordered = sorted(rules, key=lambda rule: rule.priority)
    return (*(rule_plan(rule) for rule in ordered), default_rule_plan(listener))


def action_plan(actions: Iterable[Document]) -> Forward | Redirect | FixedResponse:
    """The one action that says what becomes of a request. Raises ValueError where there is none."""
    for action in actions:
        match action["Type"]:
            case "forward":
                return _forward(action["ForwardConfig"])
            case "redirect":
                return _redirect(action["RedirectConfig"])
            case "fixed-response":
                return _fixed(action["FixedResponseConfig"])
    raise ValueError("a rule has exactly one action that forwards, redirects or answers")


def condition_plan(condition: Document) -> Condition:
    """One condition."""
    field = condition["Field"]
    config: Document = condition[FIELD_CONFIGS[field]]
    if field == "query-string":
        pairs = tuple((pair.get("Key") or "", pair["Value"]) for pair in config["Values"])
        return Condition(field=field, pairs=pairs)
    return Condition(
        field=field,
        name=config.get("HttpHeaderName") or "",
        values=tuple(config.get("Values") or ()),
        regexes=tuple(config.get("RegexValues") or ()),
    )


def rewrite_plans(transform: Document) -> tuple[Rewrite, ...]:
    """What a transform replaces."""
    kind = transform["Type"]
    what: Literal["host-header", "url"] = "host-header" if kind == "host-header-rewrite" else "url"
    return tuple(
        Rewrite(what=what, regex=rewrite["Regex"], replacement=rewrite["Replace"])
        for rewrite in transform[REWRITE_CONFIGS[kind]]["Rewrites"]
    )


def _forward(config: Document) -> Forward:
    stickiness: Document = config.get("TargetGroupStickinessConfig") or {}
    return Forward(
        groups=tuple(
            WeightedGroup(group_id=_group_id(group["TargetGroupArn"]), weight=group["Weight"])
            for group in config["TargetGroups"]
        ),
        stickiness_s=stickiness["DurationSeconds"] if stickiness.get("Enabled") else 0,
    )


def _group_id(arn: str) -> str:
    key = group_key_of(arn)
    if key is None:
        raise ValueError(f"{arn} is not the ARN of a target group")
    return key[-1]


def _redirect(config: Document) -> Redirect:
    return Redirect(
        protocol=config["Protocol"],
        host=config["Host"],
        port=config["Port"],
        path=config["Path"],
        query=config["Query"],
        status=cast("Literal[301, 302]", int(config["StatusCode"].removeprefix("HTTP_"))),
    )


def _fixed(config: Document) -> FixedResponse:
    return FixedResponse(
        status=int(config["StatusCode"]),
        content_type=config.get("ContentType") or "",
        body=config.get("MessageBody") or "",
    )
