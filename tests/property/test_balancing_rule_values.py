"""Whatever is drawn for a rule is refused by an error of ELBv2's, or kept in a form that holds:

what is described can be given again and stays the same, keeps the limits, and makes a plan for the data plane.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.api.elbv2.actions import REDIRECT, Place, checked_actions
from longshore.api.elbv2.conditions import MAX_VALUES, MAX_WILDCARDS, checked_conditions
from longshore.api.elbv2.transforms import checked_transforms
from longshore.decide.elbv2.balancing_rules import FIELD_CONFIGS, action_plan, condition_plan, rewrite_plans
from longshore.domain.elbv2.balancing import Redirect
from longshore.wire.errors import ApiError

Document = dict[str, Any]
ARNS = [f"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/g/{n:016x}" for n in range(7)]

texts = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                "*",
                "a.b",
                "*.example.com",
                "/a/*",
                "/",
                "GET",
                "get",
                "10.0.0.0/8",
                "::/0",
                "10.0.0.1",
                "10.0.0.0/33",
            ),
            *(
                "a" * 128,
                "a" * 129,
                "a" * 40,
                "a" * 41,
                "??????",
                "*??????",
                "\\*",
                "é",
                "a\nb",
                "Host",
                "X-A",
                "^/a(.*)",
                "(",
            ),
        ]
    ),
    st.text(max_size=12),
)
lists = st.lists(texts, max_size=4)
pairs = st.lists(st.fixed_dictionaries({}, optional={"Key": texts, "Value": texts}), max_size=4)
configs = st.fixed_dictionaries({}, optional={"Values": lists, "RegexValues": lists, "HttpHeaderName": texts})
fields = st.sampled_from([*FIELD_CONFIGS, "body"])
conditions = st.one_of(
    st.fixed_dictionaries({"Field": fields}, optional={"Values": lists, "RegexValues": lists}),
    fields.flatmap(
        lambda field: st.fixed_dictionaries(
            {
                FIELD_CONFIGS.get(field, "HostHeaderConfig"): st.fixed_dictionaries({"Values": pairs})
                if field == "query-string"
                else configs
            },
            optional={"Field": st.just(field), "Values": lists},
        )
    ),
)
parts = st.sampled_from(
    [
        *REDIRECT.values(),
        "",
        "HTTP",
        "HTTPS",
        "443",
        "80",
        "0",
        "65536",
        "x.y",
        "/a/#{path}",
        "a=#{query}",
        "#{x}",
        "#{",
        "?a",
        "a b",
    ]
)
redirects = st.fixed_dictionaries(
    {"StatusCode": st.sampled_from(["HTTP_301", "HTTP_302"])}, optional=dict.fromkeys(REDIRECT, parts)
)
groups = st.lists(
    st.fixed_dictionaries({}, optional={"TargetGroupArn": st.sampled_from(ARNS), "Weight": st.integers(-1, 1000)}),
    max_size=7,
)
stickiness = st.fixed_dictionaries(
    {}, optional={"Enabled": st.booleans(), "DurationSeconds": st.sampled_from([-1, 0, 1, 604_800, 604_801])}
)
forwards = st.fixed_dictionaries({}, optional={"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness})
answers = st.fixed_dictionaries(
    {"StatusCode": st.sampled_from(["200", "404", "503"])},
    optional={"ContentType": st.sampled_from(["text/plain", "image/png"]), "MessageBody": texts},
)
actions = st.fixed_dictionaries(
    {"Type": st.sampled_from(["forward", "redirect", "fixed-response"])},
    optional={
        "Order": st.integers(1, 3),
        "TargetGroupArn": st.sampled_from(ARNS),
        "ForwardConfig": forwards,
        "RedirectConfig": redirects,
        "FixedResponseConfig": answers,
    },
)
places = st.sampled_from(
    [Place("application", "HTTP", 80), Place("application", "HTTPS", 443), Place("network", "TCP", 80)]
)
rewrites = st.lists(st.fixed_dictionaries({"Regex": texts, "Replace": st.one_of(texts, st.just("/$1"))}), max_size=2)
transforms = st.fixed_dictionaries(
    {"Type": st.sampled_from(["host-header-rewrite", "url-rewrite"])},
    optional={
        "HostHeaderRewriteConfig": st.fixed_dictionaries({"Rewrites": rewrites}),
        "UrlRewriteConfig": st.fixed_dictionaries({"Rewrites": rewrites}),
    },
)
CODES = {"ValidationError", "InvalidLoadBalancerAction", "TooManyTargetGroups"}


def kept(check: Callable[[], tuple[Document, ...]]) -> tuple[Document, ...] | None:
    """What a check keeps, or None where it refuses."""
    code = ""
    try:
        return check()
    except ApiError as error:
        code = error.code
    assert code in CODES
    return None


@settings(max_examples=300, deadline=None)
@given(st.lists(conditions, max_size=3))
def test_conditions_hold_their_form_and_limits(given_: list[Document]) -> None:
    found = kept(lambda: checked_conditions(given_))
    if found is None:
        return
    assert checked_conditions(found) == found
    plans = [condition_plan(condition) for condition in found]
    patterns = [text for plan in plans for text in (*plan.values, *(part for pair in plan.pairs for part in pair))]
    assert 1 <= sum(len(plan.values) + len(plan.regexes) + len(plan.pairs) for plan in plans) <= MAX_VALUES
    assert sum(text.replace("\\*", "").count("*") + text.count("?") for text in patterns) <= MAX_WILDCARDS
    assert all(text.isascii() and text.isprintable() and len(text) <= 128 for text in patterns)


@settings(max_examples=300, deadline=None)
@given(st.lists(actions, min_size=1, max_size=2), places)
def test_actions_hold_their_form(given_: list[Document], place: Place) -> None:
    found = kept(lambda: checked_actions(given_, place))
    if found is None:
        return
    assert checked_actions(found, place) == found
    plan = action_plan(found)
    if isinstance(plan, Redirect):
        assert not (place.protocol == "HTTPS" and plan.protocol == "HTTP")
        assert plan.path.startswith("/")


@settings(max_examples=300, deadline=None)
@given(st.lists(transforms, max_size=3))
def test_transforms_hold_their_form(given_: list[Document]) -> None:
    found = kept(lambda: checked_transforms(given_))
    if found is None:
        return
    assert checked_transforms(found) == found
    assert sum(len(rewrite_plans(transform)) for transform in found) == len(found) <= 2
