"""From stored rules to what the data plane is told."""

from typing import Any

import pytest

from longshore.decide.elbv2.balancing_rules import action_plan, condition_plan, rule_plans
from longshore.domain.elbv2.balancer import Listener, Rule
from longshore.domain.elbv2.balancing import Condition, FixedResponse, Forward, Redirect, Rewrite, WeightedGroup

PLACE: dict[str, Any] = {
    "account": "123456789012",
    "region": "us-east-1",
    "lb_id": "1234567890abcdef",
    "lb_path": "app/web/1234567890abcdef",
    "listener_id": "aaaaaaaaaaaaaaaa",
    "created_at": 0.0,
}
ANSWER = {"Type": "fixed-response", "Order": 1, "FixedResponseConfig": {"StatusCode": "404"}}


def group(number: int) -> str:
    return f"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/g{number}/{number:016x}"


def rule(priority: int, **changes: Any) -> Rule:
    made = Rule(**PLACE, rule_id=f"r{priority}", priority=priority, conditions=(), actions=(ANSWER,))
    return made.but(**changes)


def test_rules_stand_in_the_order_of_their_priorities_and_the_default_one_last() -> None:
    listener = Listener(**PLACE, default_rule_id="default", port=80, protocol="HTTP", default_actions=(ANSWER,))
    plans = rule_plans(listener, [rule(20), rule(3), rule(100)])
    assert [plan.rule_id for plan in plans] == ["r3", "r20", "r100", "default"]
    assert plans[-1].conditions == ()


def test_forward_keeps_weights_and_stickiness() -> None:
    config: dict[str, Any] = {
        "TargetGroups": [{"TargetGroupArn": group(1), "Weight": 90}, {"TargetGroupArn": group(2), "Weight": 0}],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
    }
    groups = (WeightedGroup(group_id=f"{1:016x}", weight=90), WeightedGroup(group_id=f"{2:016x}", weight=0))
    assert action_plan([{"Type": "forward", "ForwardConfig": config}]) == Forward(groups=groups, stickiness_s=60)
    config["TargetGroupStickinessConfig"]["Enabled"] = False
    assert action_plan([{"Type": "forward", "ForwardConfig": config}]) == Forward(groups=groups)


def test_redirect_and_fixed_response() -> None:
    config = {
        "Protocol": "HTTPS",
        "Host": "#{host}",
        "Port": "443",
        "Path": "/#{path}",
        "Query": "#{query}",
        "StatusCode": "HTTP_301",
    }
    redirect = Redirect(protocol="HTTPS", port="443", status=301)
    assert action_plan([{"Type": "redirect", "RedirectConfig": config}]) == redirect
    assert action_plan([ANSWER]) == FixedResponse(status=404)


def test_a_rule_without_a_final_action_is_a_fault() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        action_plan([])


@pytest.mark.parametrize(
    ("stored", "plan"),
    [
        (
            {"Field": "host-header", "Values": ["*.a.b"], "HostHeaderConfig": {"Values": ["*.a.b"]}},
            Condition(field="host-header", values=("*.a.b",)),
        ),
        (
            {"Field": "path-pattern", "RegexValues": ["^/a"], "PathPatternConfig": {"RegexValues": ["^/a"]}},
            Condition(field="path-pattern", regexes=("^/a",)),
        ),
        (
            {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["b"]}},
            Condition(field="http-header", name="X-A", values=("b",)),
        ),
        (
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "k", "Value": "v"}, {"Value": "w"}]}},
            Condition(field="query-string", pairs=(("k", "v"), ("", "w"))),
        ),
        (
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
            Condition(field="source-ip", values=("10.0.0.0/8",)),
        ),
    ],
)
def test_conditions(stored: dict[str, Any], plan: Condition) -> None:
    assert condition_plan(stored) == plan


def test_transforms() -> None:
    made = rule(
        1,
        transforms=(
            {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a/(.*)", "Replace": "/$1"}]}},
            {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": {"Rewrites": [{"Regex": "a", "Replace": "b"}]}},
        ),
    )
    listener = Listener(**PLACE, default_rule_id="default", port=80, protocol="HTTP", default_actions=(ANSWER,))
    assert rule_plans(listener, [made])[0].rewrites == (
        Rewrite(what="url", regex="^/a/(.*)", replacement="/$1"),
        Rewrite(what="host-header", regex="a", replacement="b"),
    )
