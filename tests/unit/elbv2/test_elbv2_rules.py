"""Rules through their handlers: created, described, changed, reordered, deleted."""

from typing import Any

import pytest

from longshore.api import elbv2
from longshore.api.elbv2.limits import LIMITS
from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Rule, TargetGroup
from tests.support.api import Api
from tests.support.balancers import create_balancer, create_group
from tests.support.serving import Serving

ANSWER = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
PATH = {"Field": "path-pattern", "Values": ["/a/*"]}


@pytest.fixture
def api() -> Api:
    return Api(elbv2.OPERATIONS, service="elbv2")


def listen(api: Api, name: str = "front") -> str:
    """A listener of a load balancer of that name; its ARN."""
    asked = {"Protocol": "HTTP", "Port": 80, "DefaultActions": [ANSWER]}
    made = api("CreateListener", LoadBalancerArn=create_balancer(api, name).arn, **asked)
    arn: str = made["Listeners"][0]["ListenerArn"]
    return arn


@pytest.fixture
def listener(api: Api) -> str:
    return listen(api)


def create(api: Api, listener: str, priority: int = 1, *conditions: dict[str, Any], **params: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"Conditions": list(conditions or (PATH,)), "Actions": [ANSWER], **params}
    (made,) = api("CreateRule", ListenerArn=listener, Priority=priority, **asked)["Rules"]
    shown: dict[str, Any] = made
    return shown


def priorities(api: Api, listener: str) -> list[str]:
    return [rule["Priority"] for rule in api("DescribeRules", ListenerArn=listener)["Rules"]]


def forward(group: TargetGroup) -> dict[str, Any]:
    return {"Type": "forward", "TargetGroupArn": group.arn}


# What is answered


def test_rules_stand_by_priority_and_the_default_one_is_last(api: Api, listener: str) -> None:
    for priority in (100, 9, 50000):
        create(api, listener, priority)
    rules = api("DescribeRules", ListenerArn=listener)["Rules"]
    assert [rule["Priority"] for rule in rules] == ["9", "100", "50000", "default"]
    assert [rule["IsDefault"] for rule in rules] == [False, False, False, True]
    assert rules[-1]["Conditions"] == []
    assert rules[-1]["Actions"] == [{**ANSWER, "Order": 1}]
    assert rules[-1]["RuleArn"].startswith(listener.replace(":listener/", ":listener-rule/") + "/")
    arns = [rules[-1]["RuleArn"], rules[0]["RuleArn"]]
    assert api("DescribeRules", RuleArns=arns)["Rules"] == [rules[0], rules[-1]]


def test_pages_of_rules_hold_each_once(api: Api, listener: str) -> None:
    for priority in (1, 2, 30, 400):
        create(api, listener, priority)
    first = api("DescribeRules", ListenerArn=listener, PageSize=3)
    rest = api("DescribeRules", ListenerArn=listener, PageSize=3, Marker=first["NextMarker"])
    found = [rule["Priority"] for rule in (*first["Rules"], *rest["Rules"])]
    assert found == ["1", "2", "30", "400", "default"]
    assert "NextMarker" not in rest


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (
            {"Field": "host-header", "Values": ["*.Example.com"]},
            {
                "Field": "host-header",
                "Values": ["*.Example.com"],
                "HostHeaderConfig": {"Values": ["*.Example.com"]},
            },
        ),
        (
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a", "/b?"]}},
            {"Field": "path-pattern", "Values": ["/a", "/b?"], "PathPatternConfig": {"Values": ["/a", "/b?"]}},
        ),
        (
            {"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^a[0-9]+\\."]}},
            {
                "Field": "host-header",
                "RegexValues": ["^a[0-9]+\\."],
                "HostHeaderConfig": {"RegexValues": ["^a[0-9]+\\."]},
            },
        ),
        (
            {"HttpHeaderConfig": {"HttpHeaderName": "User-Agent", "Values": ["*Mozilla*"]}},
            {
                "Field": "http-header",
                "HttpHeaderConfig": {"HttpHeaderName": "User-Agent", "Values": ["*Mozilla*"]},
            },
        ),
        (
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "1*"}, {"Value": "x"}]}},
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "1*"}, {"Value": "x"}]}},
        ),
        (
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET", "M-SEARCH"]}},
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET", "M-SEARCH"]}},
        ),
        (
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.0/24", "2001:db8::/32"]}},
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.0/24", "2001:db8::/32"]}},
        ),
    ],
)
def test_conditions_are_answered_as_elbv2_does(
    api: Api, listener: str, given: dict[str, Any], kept: dict[str, Any]
) -> None:
    made = create(api, listener, 1, given)
    assert made["Conditions"] == [kept]
    (again,) = api("ModifyRule", RuleArn=made["RuleArn"], Conditions=made["Conditions"])["Rules"]
    assert again == made


def test_transforms_are_kept_and_reset(api: Api, listener: str) -> None:
    url = {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a/(.*)$", "Replace": "/b/$1"}]}}
    host = {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": {"Rewrites": [{"Regex": "x", "Replace": "y"}]}}
    made = create(api, listener, Transforms=[url, host])
    assert made["Transforms"] == [url, host]
    arn = made["RuleArn"]
    (kept,) = api("ModifyRule", RuleArn=arn, Actions=[ANSWER])["Rules"]
    assert kept["Transforms"] == [url, host]
    both = {"ResetTransforms": True, "Transforms": [url]}
    assert api.error("ModifyRule", RuleArn=arn, **both).code == "ValidationError"
    assert api("ModifyRule", RuleArn=arn, ResetTransforms=True)["Rules"][0]["Transforms"] == []


# Refusals


def header(**config: Any) -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": config}


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        [{"Field": "body", "Values": ["x"]}],
        [{"Values": ["x"]}],
        [PATH, PATH],
        [{"Field": "path-pattern", "Values": ["/a", "/b", "/c", "/d", "/e", "/f"]}],
        [{"Field": "path-pattern", "Values": ["*****", "**"]}],
        [{"Field": "path-pattern", "Values": ["/" + "a" * 128]}],
        [{"Field": "path-pattern", "Values": ["/a b"]}],
        [{"Field": "path-pattern", "Values": []}],
        [{"Field": "path-pattern", "Values": ["/a"], "PathPatternConfig": {"Values": ["/b"]}}],
        [{"Field": "path-pattern", "Values": ["/a"], "PathPatternConfig": {"RegexValues": ["/b"]}}],
        [{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["(?=a)"]}}],
        [{"Field": "path-pattern", "Values": ["/a"], "HostHeaderConfig": {"Values": ["a.b"]}}],
        [{"Field": "host-header", "Values": ["a_b/c"]}],
        [{"Field": "host-header", "Values": ["localhost"]}],
        [{"Field": "host-header", "HostHeaderConfig": {"Values": ["a.test", "*"]}}],
        [{"Field": "http-request-method", "Values": ["GET"]}],
        [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["get"]}}],
        [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["G" * 41]}}],
        [{"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.1"]}}],
        [{"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.1/33"]}}],
        [header(HttpHeaderName="Host", Values=["a"])],
        [header(HttpHeaderName="a b", Values=["a"])],
        [header(HttpHeaderName="a" * 41, Values=["a"])],
        [header(Values=["a"])],
        [header(HttpHeaderName="X", Values=["a\nb"])],
        [{"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a"}]}}],
    ],
)
def test_conditions_that_no_rule_has(api: Api, listener: str, conditions: list[dict[str, Any]]) -> None:
    error = api.error("CreateRule", ListenerArn=listener, Priority=1, Conditions=conditions, Actions=[ANSWER])
    assert error.code == "ValidationError", error.message


@pytest.mark.parametrize(
    "transforms",
    [
        [{"Type": "url-rewrite"}],
        [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": []}}],
        [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "(", "Replace": "/"}]}}],
        [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "(a)", "Replace": "/$2"}]}}],
        [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "a", "Replace": "/ HTTP/1.1"}]}}],
        [{"Type": "url-rewrite", "HostHeaderRewriteConfig": {"Rewrites": [{"Regex": "a", "Replace": "b"}]}}],
        [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "a", "Replace": "b"}]}}] * 2,
    ],
)
def test_transforms_that_no_rule_has(api: Api, listener: str, transforms: list[dict[str, Any]]) -> None:
    asked = {"Conditions": [PATH], "Actions": [ANSWER], "Transforms": transforms}
    assert api.error("CreateRule", ListenerArn=listener, Priority=1, **asked).code == "ValidationError"


def test_several_conditions_on_headers_and_queries_are_one_rule(api: Api, listener: str) -> None:
    conditions = [
        header(HttpHeaderName="X-A", Values=["a"]),
        header(HttpHeaderName="X-A", Values=["b"]),
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": "a\\*b"}]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": "b"}]}},
        {"Field": "path-pattern", "Values": ["******"]},
    ]
    assert len(create(api, listener, 1, *conditions)["Conditions"]) == 5


def test_a_priority_is_taken_once_in_a_listener(api: Api, listener: str) -> None:
    create(api, listener, 7)
    asked = {"Conditions": [PATH], "Actions": [ANSWER]}
    error = api.error("CreateRule", ListenerArn=listener, Priority=7, **asked)
    assert (error.code, error.message) == ("PriorityInUse", "Priority '7' is currently in use")
    create(api, listen(api, "other"), 7)


def test_there_are_so_many_rules_and_no_more(api: Api, listener: str) -> None:
    most = LIMITS["rules-per-application-load-balancer"]
    for priority in range(1, most + 1):
        create(api, listener, priority)
    asked = {"Conditions": [PATH], "Actions": [ANSWER]}
    assert api.error("CreateRule", ListenerArn=listener, Priority=most + 1, **asked).code == "TooManyRules"


def test_rules_are_for_application_load_balancers(api: Api) -> None:
    group = create_group(api, "raw", Protocol="TCP")
    balancer = create_balancer(api, "net", Type="network")
    asked = {"Protocol": "TCP", "Port": 80, "DefaultActions": [forward(group)]}
    arn = api("CreateListener", LoadBalancerArn=balancer.arn, **asked)["Listeners"][0]["ListenerArn"]
    error = api.error("CreateRule", ListenerArn=arn, Priority=1, Conditions=[PATH], Actions=[forward(group)])
    assert error.code == "UnsupportedProtocol"
    assert priorities(api, arn) == ["default"]


def test_a_group_of_another_load_balancer_is_refused_in_rules_too(api: Api, listener: str) -> None:
    group = create_group(api)
    create(api, listener, Actions=[forward(group)])
    asked = {"Conditions": [PATH], "Actions": [forward(group)]}
    error = api.error("CreateRule", ListenerArn=listen(api, "other"), Priority=1, **asked)
    assert error.code == "TargetGroupAssociationLimit"
    assert api.error("DeleteTargetGroup", TargetGroupArn=group.arn).code == "ResourceInUse"


@pytest.mark.parametrize("kind", ["authenticate-oidc", "authenticate-cognito", "jwt-validation"])
def test_authentication_is_refused_with_a_sentence(api: Api, listener: str, kind: str) -> None:
    asked = {"Conditions": [PATH], "Actions": [{"Type": kind, "Order": 1}, {**ANSWER, "Order": 2}]}
    error = api.error("CreateRule", ListenerArn=listener, Priority=1, **asked)
    assert (error.code, "don't authenticate" in error.message) == ("InvalidLoadBalancerAction", True)


# Changes


def test_what_is_not_given_stays(api: Api, listener: str) -> None:
    made = create(api, listener, 5)
    group = create_group(api)
    (changed,) = api("ModifyRule", RuleArn=made["RuleArn"], Actions=[forward(group)])["Rules"]
    assert changed["Conditions"] == made["Conditions"]
    assert changed["Actions"][0]["TargetGroupArn"] == group.arn
    assert api("DescribeRules", RuleArns=[made["RuleArn"]])["Rules"] == [changed]


def test_rules_change_places(api: Api, listener: str) -> None:
    one, two, three = (create(api, listener, priority)["RuleArn"] for priority in (1, 2, 3))
    swap = [{"RuleArn": one, "Priority": 2}, {"RuleArn": two, "Priority": 1}]
    answered = api("SetRulePriorities", RulePriorities=swap)["Rules"]
    assert [(rule["RuleArn"], rule["Priority"]) for rule in answered] == [(one, "2"), (two, "1")]
    rules = api("DescribeRules", ListenerArn=listener)["Rules"]
    assert [rule["RuleArn"] for rule in rules[:3]] == [two, one, three]
    taken = [{"RuleArn": one, "Priority": 3}]
    assert api.error("SetRulePriorities", RulePriorities=taken).code == "PriorityInUse"
    same = [{"RuleArn": one, "Priority": 9}, {"RuleArn": two, "Priority": 9}]
    assert api.error("SetRulePriorities", RulePriorities=same).code == "PriorityInUse"
    twice = [{"RuleArn": one, "Priority": 8}, {"RuleArn": one, "Priority": 9}]
    assert api.error("SetRulePriorities", RulePriorities=twice).code == "ValidationError"
    assert api.error("SetRulePriorities", RulePriorities=[{"RuleArn": one}]).code == "ValidationError"


def test_the_default_rule_is_the_listener_s_own(api: Api, listener: str) -> None:
    default = api("DescribeRules", ListenerArn=listener)["Rules"][-1]["RuleArn"]
    pair = {"RuleArn": default, "Priority": 1}
    assert api.error("ModifyRule", RuleArn=default, Actions=[ANSWER]).code == "OperationNotPermitted"
    assert api.error("DeleteRule", RuleArn=default).code == "OperationNotPermitted"
    assert api.error("SetRulePriorities", RulePriorities=[pair]).code == "OperationNotPermitted"


def test_a_deleted_rule_is_gone(api: Api, listener: str) -> None:
    arn = create(api, listener, 1)["RuleArn"]
    api("DeleteRule", RuleArn=arn)
    assert priorities(api, listener) == ["default"]
    assert api.error("DeleteRule", RuleArn=arn).code == "RuleNotFound"
    assert list(api.store.all(Rule)) == []


def test_rules_are_asked_for_in_one_way(api: Api, listener: str) -> None:
    assert api.error("DescribeRules").code == "ValidationError"
    assert api.error("DescribeRules", ListenerArn=listener, RuleArns=["x"]).code == "ValidationError"
    assert api.error("DescribeRules", RuleArns=["x"]).code == "ValidationError"
    assert api.error("DescribeRules", ListenerArn=listener + "0").code == "ListenerNotFound"


def test_boto3_makes_rules_and_reads_them_back() -> None:
    with Serving() as server:
        api = Api(elbv2.OPERATIONS, service="elbv2")
        arn = listen(api)
        with server.store.transaction() as tx:
            for record in (*api.store.all(LoadBalancer), *api.store.all(Listener)):
                tx.put(record)
        client = server.client("elbv2")
        condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a*"]}}
        (made,) = client.create_rule(
            ListenerArn=arn, Priority=1, Conditions=[condition], Actions=[ANSWER], Tags=[{"Key": "a", "Value": "b"}]
        )["Rules"]
        rules = client.describe_rules(ListenerArn=arn)["Rules"]
        assert rules[0] == made
        assert rules[1]["Priority"] == "default"
        with pytest.raises(client.exceptions.PriorityInUseException):
            client.create_rule(ListenerArn=arn, Priority=1, Conditions=[condition], Actions=[ANSWER])
        with pytest.raises(client.exceptions.InvalidLoadBalancerActionException):
            client.modify_rule(RuleArn=made["RuleArn"], Actions=[{"Type": "jwt-validation"}])
