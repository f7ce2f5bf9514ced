"""What policies allow: tables of actions, resources and conditions, and what they make of one request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from longshore.decide.policy.document import PolicyRefused, parse
from longshore.decide.policy.evaluate import (
    Decision,
    Grants,
    Named,
    OfResource,
    Question,
    Source,
    Stance,
    decide,
    stance_of,
)

CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/prod"
ROOT = "arn:aws:iam::123456789012"
ME = f"{ROOT}:user/me"


def source(*statements: dict[str, Any], name: str = "p", version: str = "2012-10-17") -> Source:
    return Source(name, parse(json.dumps({"Version": version, "Statement": list(statements)})))


def allow(action: Any = "*", resource: Any = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def deny(action: Any = "*", resource: Any = "*", **condition: Any) -> dict[str, Any]:
    return {**allow(action, resource, **condition), "Effect": "Deny"}


def ask(
    *statements: dict[str, Any],
    action: str = "ecs:DescribeClusters",
    resource: str = CLUSTER,
    also: tuple[str, ...] = (),
    version: str = "2012-10-17",
    **context: Any,
) -> Decision:
    """Decide; the context's keys are written with `__` for `:` and `_` for `-`."""
    values = {
        key.replace("__", ":").replace("_", "-"): value if isinstance(value, tuple) else (value,)
        for key, value in context.items()
    }
    return decide(Grants((source(*statements, version=version),)), Question(action, resource, values, also))


# ------------------------------------------------------------------------------------------ actions and resources


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("*", True),
        ("ecs:*", True),
        ("ecs:Describe*", True),
        ("ECS:describeclusters", True),
        ("ecs:DescribeCluster?", True),
        ("ecs:DescribeCluster", False),
        ("ecs:Describe", False),
        ("logs:*", False),
    ],
)
def test_actions_know_wildcards_but_no_case(pattern: str, meant: bool) -> None:
    assert ask(allow(pattern)).allowed is meant


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        (CLUSTER, True),
        ("arn:aws:ecs:*:*:cluster/*", True),
        ("arn:aws:ecs:*:*:*", True),
        ("arn:aws:ecs:us-east-?:123456789012:cluster/prod", True),
        ("arn:aws:ecs:us-east-1:123456789012:cluster/pro", False),
        ("arn:aws:ecs:us-east-1:123456789012:cluster/Prod", False),
        ("arn:aws:ecs:eu-*:*:cluster/prod", False),
        ("arn:aws:ecs:u*1:cluster/prod:x:y", False),
        ("arn:aws:ecs:us-*-1:123456789012:cluster/p*d", True),
    ],
)
def test_resources_are_matched_part_by_part_and_by_case(pattern: str, meant: bool) -> None:
    assert ask(allow(resource=pattern)).allowed is meant


def test_a_star_within_a_part_stays_in_it_and_one_that_ends_it_does_not() -> None:
    stream = "arn:aws:logs:us-east-1:1:log-group:/app:log-stream:s"
    assert ask(allow(resource="arn:aws:logs:us-east-1:1:log-group:/a*"), resource=stream).allowed
    assert ask(allow(resource="arn:aws:logs:us-east-1:1:log-group:*:log-stream:s"), resource=stream).allowed
    assert not ask(allow(resource="arn:aws:logs:us-east-1:1:log-group:/a*s"), resource=stream).allowed


def test_a_resource_may_be_written_in_other_ways() -> None:
    assert ask(allow(resource="arn:aws:x:::b"), resource="arn:aws:x:::a", also=("arn:aws:x:::b",)).allowed
    both = (allow(), deny(resource="arn:aws:x:::b"))
    assert not ask(*both, resource="arn:aws:x:::a", also=("arn:aws:x:::b",)).allowed


def test_all_but_what_is_named() -> None:
    but_iam = {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}
    assert ask(but_iam).allowed
    assert not ask(but_iam, action="iam:GetRole").allowed
    elsewhere = {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:ecs:*:*:cluster/prod"}
    assert not ask(elsewhere).allowed
    assert ask(elsewhere, resource="*").allowed


# ------------------------------------------------------------------------------------------------------ conditions

Case = tuple[str, Any, str, bool]
STRINGS: list[Case] = [
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", ["x", "a"], "a", True),
    ("StringNotEquals", "a", "b", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringEqualsIgnoreCase", "a", "A", True),
    ("StringNotEqualsIgnoreCase", "a", "A", False),
    ("StringLike", "a*c", "abc", True),
    ("StringLike", "a?c", "abbc", False),
    ("StringNotLike", "a*", "abc", False),
    ("stringlike", "*", "", True),
]
ARNS: list[Case] = [
    ("ArnLike", "arn:aws:ecs:*:*:cluster/p*", CLUSTER, True),
    ("ArnEquals", "arn:aws:ecs:*:*:cluster/*", CLUSTER, True),
    ("ArnLike", "arn:aws:ecs:*:cluster/*", CLUSTER, False),
    ("ArnLike", "*", CLUSTER, True),
    ("ArnNotLike", "arn:aws:ecs:eu-*:*:*", CLUSTER, True),
    ("ArnNotEquals", CLUSTER, CLUSTER, False),
]
OTHERS: list[Case] = [
    ("Bool", "true", "true", True),
    ("Bool", True, "true", True),
    ("Bool", "false", "true", False),
    ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
    ("IpAddress", ["192.168.0.0/16", "10.1.2.3"], "10.1.2.3", True),
    ("IpAddress", "10.0.0.0/8", "11.1.2.3", False),
    ("IpAddress", "nonsense", "11.1.2.3", False),
    ("NotIpAddress", "10.0.0.0/8", "11.1.2.3", True),
    ("IpAddress", "2001:db8::/32", "2001:db8::1", True),
    ("NumericEquals", "5", "5.0", True),
    ("NumericNotEquals", 5, "6", True),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericGreaterThan", "10", "9", False),
    ("NumericGreaterThanEquals", "10", "10", True),
    ("NumericLessThan", "ten", "9", False),
    ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", True),
    ("DateLessThan", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", False),
    ("DateLessThanEquals", "2026-01-02", "2026-01-02T00:00:00Z", True),
    ("DateEquals", "1767312000", "2026-01-02T00:00:00Z", True),
    ("DateNotEquals", "2026-01-02T00:00:00+01:00", "2026-01-02T00:00:00Z", True),
    ("DateGreaterThanEquals", "soon", "2026-01-02T00:00:00Z", False),
    ("BinaryEquals", "YQ==", "YQ==", True),
    ("BinaryEquals", "YQ==", "Yg==", False),
    ("Null", "true", "x", False),
    ("Null", "false", "x", True),
]


@pytest.mark.parametrize(("operator", "wanted", "given", "met"), STRINGS + ARNS + OTHERS)
def test_operators(operator: str, wanted: Any, given: str, met: bool) -> None:
    assert ask(allow(**{operator: {"X:Key": wanted}}), x__key=given).allowed is met


@pytest.mark.parametrize(
    ("operator", "met"),
    [
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
        ("StringNotEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("ForAnyValue:StringEquals", False),
        ("Bool", False),
        ("BoolIfExists", True),
        ("NotIpAddress", True),
        ("ArnNotLike", True),
    ],
)
def test_operators_without_the_key(operator: str, met: bool) -> None:
    assert ask(allow(**{operator: {"x:key": "a"}})).allowed is met


def test_whether_there_is_a_key_can_be_asked() -> None:
    assert ask(allow(Null={"x:key": "true"})).allowed
    assert not ask(allow(Null={"x:key": "false"})).allowed


@pytest.mark.parametrize(
    ("operator", "given", "met"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "c"), False),
        ("ForAllValues:StringNotEquals", ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ("a", "d"), False),
        ("ForAnyValue:StringEquals", ("c", "b"), True),
        ("ForAnyValue:StringEquals", ("c", "d"), False),
        ("ForAnyValue:StringNotEquals", ("a", "d"), True),
        ("ForAnyValue:StringNotEquals", ("a", "b"), False),
        ("ForAllValues:StringLike", (), True),
        ("ForAnyValue:StringLike", (), False),
        ("StringEquals", ("c", "a"), True),
        ("StringNotEquals", ("c", "a"), False),
    ],
)
def test_keys_with_several_values(operator: str, given: tuple[str, ...], met: bool) -> None:
    assert ask(allow(**{operator: {"aws:TagKeys": ["a", "b"]}}), aws__tagkeys=given).allowed is met


def test_all_conditions_of_a_statement_must_be_met() -> None:
    statement = allow(StringEquals={"x:a": "1", "x:b": "2"}, Bool={"x:c": "true"})
    assert ask(statement, x__a="1", x__b="2", x__c="true").allowed
    assert not ask(statement, x__a="1", x__b="3", x__c="true").allowed
    assert not ask(statement, x__a="1", x__b="2", x__c="false").allowed


# ------------------------------------------------------------------------------------------------------- variables


def test_variables_stand_for_what_is_known() -> None:
    own = allow(resource="arn:aws:s3:::homes/${aws:username}/*")
    assert ask(own, resource="arn:aws:s3:::homes/ann/x", aws__username="ann").allowed
    assert not ask(own, resource="arn:aws:s3:::homes/bob/x", aws__username="ann").allowed
    assert not ask(own, resource="arn:aws:s3:::homes/ann/x").allowed


def test_wildcards_in_a_value_are_themselves() -> None:
    own = allow(resource="arn:aws:s3:::homes/${aws:username}/x")
    assert not ask(own, resource="arn:aws:s3:::homes/ann/x", aws__username="*").allowed
    assert ask(own, resource="arn:aws:s3:::homes/*/x", aws__username="*").allowed


def test_variables_have_defaults_and_escapes() -> None:
    own = allow(resource="arn:aws:s3:::homes/${aws:username, 'nobody'}")
    assert ask(own, resource="arn:aws:s3:::homes/nobody").allowed
    assert ask(own, resource="arn:aws:s3:::homes/ann", aws__username="ann").allowed
    star = allow(resource="arn:aws:s3:::${*}${?}${$}")
    assert ask(star, resource="arn:aws:s3:::*?$").allowed
    assert not ask(star, resource="arn:aws:s3:::abc").allowed


def test_variables_mean_nothing_in_the_old_version() -> None:
    own = allow(resource="arn:aws:s3:::homes/${aws:username}")
    assert not ask(own, resource="arn:aws:s3:::homes/ann", version="2008-10-17", aws__username="ann").allowed


def test_variables_in_conditions() -> None:
    same = allow(StringEquals={"aws:ResourceTag/team": "${aws:PrincipalTag/team}"})
    context = {"aws:resourcetag/team": ("a",), "aws:principaltag/team": ("a",)}
    grants = Grants((source(same),))
    assert decide(grants, Question("x:y", "*", context)).allowed
    assert not decide(grants, Question("x:y", "*", {**context, "aws:principaltag/team": ("b",)})).allowed
    assert not decide(grants, Question("x:y", "*", {"aws:resourcetag/team": ("a",)})).allowed


# ------------------------------------------------------------------------------------------------ what comes of it


def test_nothing_is_allowed_that_nothing_allows() -> None:
    decision = ask(allow("logs:*"))
    assert (decision.allowed, decision.explicit) == (False, False)
    assert decision.reason == "because no identity-based policy allows the ecs:DescribeClusters action"


def test_what_is_denied_stays_denied() -> None:
    decision = ask(allow(), deny("ecs:Describe*"), allow(resource=CLUSTER))
    assert (decision.allowed, decision.explicit) == (False, True)
    assert decision.reason == "with an explicit deny in an identity-based policy"


@pytest.mark.parametrize(
    ("boundary", "session", "reason"),
    [
        (allow("ecs:*"), allow("ecs:*"), ""),
        (allow("logs:*"), None, "because no permissions boundary allows the ecs:RunTask action"),
        (None, allow("logs:*"), "because no session policy allows the ecs:RunTask action"),
        (deny(), None, "with an explicit deny in a permissions boundary"),
        (None, deny(), "with an explicit deny in a session policy"),
    ],
)
def test_boundary_and_session_narrow(boundary: Any, session: Any, reason: str) -> None:
    grants = Grants(
        (source(allow("ecs:*")),),
        source(boundary, name="b") if boundary else None,
        (source(session, name="s"),) if session else None,
    )
    decision = decide(grants, Question("ecs:RunTask", "*", {}))
    assert (decision.allowed, decision.reason) == (reason == "", reason)


def test_a_session_with_an_empty_list_of_policies_may_nothing() -> None:
    assert not decide(Grants((source(allow()),), None, ()), Question("ecs:RunTask", "*", {})).allowed


def test_a_decision_names_the_statements_that_made_it() -> None:
    assert ask({**allow(), "Sid": "All"}, {**allow("x:*"), "Sid": "X"}).matched == (("p", "All"),)


@pytest.mark.parametrize(
    ("statements", "may"),
    [
        ([allow("s3:*")], True),
        ([allow()], True),
        ([allow("s3:Get*")], False),
        ([allow("s3:*", "arn:aws:s3:::b/*")], False),
        ([allow(), deny("s3:DeleteObject", "arn:aws:s3:::b/*")], False),
        ([allow(), deny("ecs:*")], True),
        ([allow(), {"Effect": "Deny", "NotAction": "ecs:*", "Resource": "*"}], False),
        ([allow(), {"Effect": "Deny", "NotAction": ["ecs:*", "s3:*"], "Resource": "*"}], True),
        ([allow(), deny("s3:DeleteObject", Bool={"x:key": "true"})], True),
    ],
)
def test_all_of_a_service_is_had_only_where_nothing_of_it_is_denied(statements: list[Any], may: bool) -> None:
    assert ask(*statements, action="s3:*", resource="*").allowed is may


# ----------------------------------------------------------------------------------------------------------- trust


@pytest.mark.parametrize(
    ("principal", "how"),
    [
        ({"AWS": ME}, "named"),
        ({"AWS": "*"}, "named"),
        ("*", "named"),
        ({"AWS": "123456789012"}, "account"),
        ({"AWS": "arn:aws:iam::123456789012:root"}, "account"),
        ({"AWS": "arn:aws:iam::999999999999:root"}, "silent"),
        ({"AWS": "arn:aws:iam::123456789012:user/other"}, "silent"),
        ({"Service": "ecs-tasks.amazonaws.com"}, "silent"),
    ],
)
def test_whom_a_trust_policy_means(principal: Any, how: Stance) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = parse(json.dumps({"Version": "2012-10-17", "Statement": statement}), "trust")
    question = Question("sts:AssumeRole", "arn:aws:iam::123456789012:role/r", {})
    assert stance_of(document, Named("123456789012", (ME,)), question) == how


@pytest.mark.parametrize(
    ("principal", "meant"),
    [("*", True), ({"Service": ["x.amazonaws.com", "ecs-tasks.amazonaws.com"]}, True), ({"AWS": ME}, False)],
)
def test_a_service_is_meant_by_its_name(principal: Any, meant: bool) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = parse(json.dumps({"Version": "2012-10-17", "Statement": statement}), "trust")
    tasks = Named("", (), ("ecs-tasks.amazonaws.com",))
    assert (stance_of(document, tasks, Question("sts:AssumeRole", "*", {})) == "named") is meant


def test_trust_has_conditions_and_denials() -> None:
    base = {"Principal": {"AWS": ME}, "Action": "sts:AssumeRole"}
    with_id = {**base, "Effect": "Allow", "Condition": {"StringEquals": {"sts:ExternalId": "x"}}}
    document = parse(json.dumps({"Version": "2012-10-17", "Statement": [with_id]}), "trust")
    me = Named("123456789012", (ME,))
    assert stance_of(document, me, Question("sts:AssumeRole", "*", {"sts:externalid": ("x",)})) == "named"
    assert stance_of(document, me, Question("sts:AssumeRole", "*", {})) == "silent"
    both = {"Version": "2012-10-17", "Statement": [{**base, "Effect": "Allow"}, {**base, "Effect": "Deny"}]}
    assert stance_of(parse(json.dumps(both), "trust"), me, Question("sts:AssumeRole", "*", {})) == "denied"


# ------------------------------------------------------------------------------------------------- of the resource

NO_IDENTITY = "because no identity-based policy allows the ecs:DescribeClusters action"
NO_RESOURCE = "because no resource-based policy allows the ecs:DescribeClusters action"


@pytest.mark.parametrize(
    ("own", "of_resource", "reason"),
    [
        ([], OfResource("named"), ""),
        ([], OfResource("account"), NO_IDENTITY),
        ([], OfResource("silent"), NO_IDENTITY),
        ([allow()], OfResource("silent"), ""),
        ([allow()], OfResource("denied"), "with an explicit deny in a resource-based policy"),
        ([deny()], OfResource("named"), "with an explicit deny in an identity-based policy"),
        ([allow()], OfResource("account", closed=True), ""),
        (
            [],
            OfResource("account", closed=True),
            NO_IDENTITY,
        ),
        ([], OfResource("named", closed=True), ""),
        (
            [allow()],
            OfResource("silent", closed=True),
            NO_RESOURCE,
        ),
    ],
)
def test_what_a_resource_says_counts_with_what_its_caller_may(
    own: list[Any], of_resource: OfResource, reason: str
) -> None:
    question = Question("ecs:DescribeClusters", CLUSTER, {})
    decision = decide(Grants((source(*own),) if own else ()), question, of_resource)
    assert (decision.allowed, decision.reason) == (not reason, reason)


def test_a_boundary_and_a_session_narrow_what_a_resource_gives() -> None:
    question, gives = Question("ecs:DescribeClusters", CLUSTER, {}), OfResource("named")
    narrow = source(allow("s3:*"))
    assert decide(Grants((), source(allow())), question, gives).allowed
    assert "no permissions boundary allows" in decide(Grants((), narrow), question, gives).reason
    assert "no session policy allows" in decide(Grants((), None, (narrow,)), question, gives).reason


@pytest.mark.parametrize(
    ("principal", "who", "stance"),
    [
        ({"NotPrincipal": {"AWS": [ME, f"{ROOT}:root"]}}, ME, "silent"),
        ({"NotPrincipal": {"AWS": [ME, f"{ROOT}:root"]}}, f"{ROOT}:user/other", "denied"),
        ({"Principal": {"AWS": f"{ROOT}:root"}}, f"{ROOT}:user/other", "denied"),
        ({"Principal": {"Federated": "*"}}, ME, "silent"),
        ({"Principal": {"CanonicalUser": "*"}}, ME, "silent"),
    ],
)
def test_whom_a_denial_of_a_resource_means(principal: dict[str, Any], who: str, stance: Stance) -> None:
    statement = {"Effect": "Deny", "Action": "secretsmanager:*", **principal}
    document = parse(json.dumps({"Version": "2012-10-17", "Statement": statement}), "resource")
    question = Question("secretsmanager:GetSecretValue", "*", {})
    assert stance_of(document, Named("123456789012", (who,)), question) == stance


def test_what_policies_of_resources_may_not_say() -> None:
    for principal in (
        {"NotPrincipal": {"AWS": ME}},
        {"Principal": {"AWS": f"{ROOT}:role/*"}},
        {"Principal": {"AWS": f"{ROOT}:user/m?"}},
    ):
        statement = {"Effect": "Allow", "Action": "s3:*", **principal}
        with pytest.raises(PolicyRefused):
            parse(json.dumps({"Version": "2012-10-17", "Statement": statement}), "resource")
