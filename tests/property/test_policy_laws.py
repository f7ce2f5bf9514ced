"""Laws of policies, whatever they say: a Deny wins, an Allow never takes away, boundaries and sessions only narrow, a
wildcard matches what its definition says, and no document and no value breaks anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.decide.policy.conditions import condition_of, holds
from longshore.decide.policy.document import Document, PolicyRefused, parse
from longshore.decide.policy.evaluate import Grants, Question, Source, decide
from longshore.decide.policy.patterns import like

ACTIONS = ("ecs:RunTask", "ecs:StopTask", "logs:PutLogEvents")
RESOURCES = ("arn:aws:ecs:r:1:task/a", "arn:aws:ecs:r:1:task/b", "arn:aws:logs:r:1:log-group:g:log-stream:s", "*")
OPERATORS = [
    f"{quantifier}{name}{ending}"
    for quantifier in ("", "ForAllValues:", "ForAnyValue:")
    for name in (
        *("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "Bool"),
        *("ArnLike", "ArnNotLike", "NumericLessThan", "NumericNotEquals", "DateLessThan", "IpAddress", "BinaryEquals"),
    )
    for ending in ("", "IfExists")
]

patterns = st.text(st.sampled_from("ab:*?"), max_size=8)
texts = st.text(st.sampled_from("ab:"), max_size=10)
keys = st.sampled_from(["x:a", "x:b"])
contexts = st.dictionaries(keys, st.lists(st.sampled_from(["a", "b", "1", "true"]), max_size=3).map(tuple))
conditions = st.dictionaries(
    st.sampled_from(OPERATORS),
    st.dictionaries(
        keys, st.lists(st.sampled_from(["a", "b", "1", "*", "${x:b}"]), min_size=1, max_size=2), min_size=1
    ),
    max_size=2,
)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    action, resource = (
        draw(st.sampled_from(["Action", "NotAction"])),
        draw(st.sampled_from(["Resource", "NotResource"])),
    )
    return {
        "Effect": draw(st.sampled_from(["Allow", "Deny"])),
        action: draw(st.lists(st.sampled_from(["*", "ecs:*", "ecs:Run*", *ACTIONS]), min_size=1, max_size=2)),
        resource: draw(
            st.lists(
                st.sampled_from(["*", "arn:aws:ecs:*:*:task/?", "arn:aws:logs:*", *RESOURCES]), min_size=1, max_size=2
            )
        ),
        "Condition": draw(conditions),
    }


questions = st.builds(Question, st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), contexts)
documents = st.lists(statements(), min_size=1, max_size=4)


def source(given_statements: list[dict[str, Any]]) -> Source:
    return Source("p", parse(json.dumps({"Version": "2012-10-17", "Statement": given_statements})))


@given(documents, statements(), questions)
def test_a_denial_never_grants_and_a_permission_never_takes_away(
    document: list[dict[str, Any]], one: dict[str, Any], question: Question
) -> None:
    before = decide(Grants((source(document),)), question).allowed
    with_deny = decide(Grants((source([*document, {**one, "Effect": "Deny"}]),)), question).allowed
    with_allow = decide(Grants((source([*document, {**one, "Effect": "Allow"}]),)), question).allowed
    assert with_deny <= before <= with_allow


@given(documents, questions)
def test_a_flat_denial_wins_over_everything(document: list[dict[str, Any]], question: Question) -> None:
    flat = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    decision = decide(Grants((source([*document, flat]),)), question)
    assert (decision.allowed, decision.explicit) == (False, True)


@given(documents, documents, documents, questions)
def test_boundaries_and_sessions_only_narrow(
    own: list[dict[str, Any]], boundary: list[dict[str, Any]], session: list[dict[str, Any]], question: Question
) -> None:
    free = decide(Grants((source(own),)), question).allowed
    bounded = decide(Grants((source(own),), source(boundary)), question).allowed
    narrowed = decide(Grants((source(own),), source(boundary), (source(session),)), question).allowed
    assert narrowed <= bounded <= free
    both = decide(Grants((source(boundary),)), question).allowed and free
    assert bounded == both


@given(documents, questions)
def test_the_order_of_statements_means_nothing(document: list[dict[str, Any]], question: Question) -> None:
    one, other = (decide(Grants((source(each),)), question) for each in (document, document[::-1]))
    assert (one.allowed, one.explicit, one.reason) == (other.allowed, other.explicit, other.reason)


def naive(pattern: str, text: str, *, arn: bool) -> bool:
    """What a pattern means, word for word."""
    if not pattern:
        return not text
    head, rest = pattern[0], pattern[1:]
    if head == "*":
        bound = len(text) if not arn or not rest or rest[0] == ":" else (text + ":").index(":")
        return any(naive(rest, text[taken:], arn=arn) for taken in range(bound + 1))
    return bool(text) and head in {"?", text[0]} and naive(rest, text[1:], arn=arn)


@given(patterns, texts, st.booleans())
@settings(max_examples=500)
def test_a_pattern_matches_what_it_means(pattern: str, text: str, arn: bool) -> None:
    assert like(pattern, text, {}, variables=True, arn=arn) is naive(pattern, text, arn=arn)


@given(st.text(), st.text())
def test_a_variable_stands_for_itself_alone(value: str, other: str) -> None:
    context = {"aws:username": (value,)}
    assert like("x/${aws:username}/y", f"x/{value}/y", context, variables=True)
    assert like("x/${aws:username}/y", f"x/{other}/y", context, variables=True) is (value == other)


@given(st.sampled_from(OPERATORS), st.text(), st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=3))
@settings(max_examples=500)
def test_no_value_breaks_a_condition(operator: str, key: str, wanted: list[str], given_values: list[str]) -> None:
    condition = condition_of(operator, key, tuple(wanted))
    assert condition is not None
    for context in ({}, {key.lower(): tuple(given_values)}):
        assert isinstance(holds(condition, context, variables=True), bool)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["*", "Allow", "ecs:*"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Version", "Statement", "Effect", "Action", "Resource", "Condition", "Principal", "Sid", "AWS"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(json_values | st.text(), st.sampled_from(["identity", "trust"]))
@settings(max_examples=500)
def test_any_text_is_a_document_or_is_refused_with_a_sentence(value: Any, kind: Any) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    found: Document | str
    try:
        found = parse(text, kind)
    except PolicyRefused as refused:
        found = str(refused)
    assert found


@pytest.mark.parametrize("length", [10, 2000])
def test_a_pattern_of_many_stars_is_decided_as_any_other(length: int) -> None:
    """With a matcher that goes back this would not end."""
    assert not like("*a" * length + "b", "a" * length * 2, {}, variables=True)
    assert like("*a" * length, "a" * length, {}, variables=True)
