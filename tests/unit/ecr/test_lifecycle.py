"""Lifecycle policies: which images expire, when the next one is due, and which texts are no policies."""

import json
from typing import Any

import pytest

from longshore.decide.ecr.lifecycle import DAY_S, Expiry, expiry
from longshore.decide.ecr.lifecycle_policy import MAX_RULES, PolicyRefusedError, read_policy
from longshore.domain.ecr.repository import Image
from tests.support.ecr import image

NOW = 1_700_000_000.0


def rule(priority: int = 1, status: str = "any", count: int = 1, *, days: bool = False, **more: Any) -> dict[str, Any]:
    counted = {"countType": "sinceImagePushed", "countUnit": "days"} if days else {"countType": "imageCountMoreThan"}
    selection = {"tagStatus": status, **counted, "countNumber": count, **more}
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


def policy(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": list(rules)})


def aged(word: str, days: float, **more: Any) -> Image:
    return image(word, pushed_at=NOW - days * DAY_S, **more)


def decided(images: list[Image], tags: dict[str, list[str]], *rules: dict[str, Any]) -> Expiry:
    return expiry(read_policy(policy(*rules)), images, tags, NOW)


def names(images: list[Image], tags: dict[str, list[str]], *rules: dict[str, Any]) -> list[str]:
    return [digest for digest, _ in decided(images, tags, *rules).expired]


TAGGED = {"a": ["beta-1", "prod-1"], "b": ["beta-2", "prod-2"], "c": ["beta-3"]}
IMAGES = [aged("a", 10), aged("b", 9), aged("c", 8)]


# The examples of AWS's own page


def test_an_image_of_a_rule_is_not_expired_by_a_later_one() -> None:
    prod, beta = rule(1, "tagged", tagPrefixList=["prod"]), rule(2, "tagged", tagPrefixList=["beta"])
    assert decided(IMAGES, TAGGED, prod, beta).expired == (("a", 1),)


def test_the_same_rules_in_the_other_order_expire_two() -> None:
    beta, prod = rule(1, "tagged", tagPrefixList=["beta"]), rule(2, "tagged", tagPrefixList=["prod"])
    assert decided(IMAGES, TAGGED, beta, prod).expired == (("a", 1), ("b", 1))


def test_all_prefixes_of_a_list_must_be_among_the_tags() -> None:
    images = [aged("a", 4), aged("b", 3), aged("c", 2)]
    tags = {"a": ["alpha-1"], "b": ["beta-1"], "c": ["alpha-2", "beta-2"]}
    assert names(images, tags, rule(1, "tagged", 1, days=True, tagPrefixList=["alpha", "beta"])) == ["c"]


def test_rules_for_all_images_leave_those_of_earlier_rules_but_count_them() -> None:
    images = [aged("a", 5), aged("b", 4), aged("c", 3), aged("d", 2)]
    tags = {"a": ["prod-1"], "d": ["prod-2"]}
    assert names(images, tags, rule(1, "tagged", 5, tagPrefixList=["prod"]), rule(2, "any", 1)) == ["b", "c"]


# Counts and ages


def test_the_oldest_go_first() -> None:
    assert names(IMAGES, {}, rule(count=1)) == ["a", "b"]
    assert names(IMAGES, {}, rule(count=3)) == []


def test_an_image_is_due_on_the_second() -> None:
    images = [aged("a", 2), aged("b", 1)]
    assert decided(images, {}, rule(count=2, days=True)) == Expiry((("a", 1),), NOW + DAY_S)


def test_nothing_is_due_later_where_only_images_are_counted() -> None:
    assert decided(IMAGES, {}, rule(count=1)).next_at is None


def test_untagged_images_are_those_without_tags() -> None:
    assert names(IMAGES, {"a": ["x"]}, rule(1, "untagged", 1, days=True)) == ["b", "c"]


@pytest.mark.parametrize(
    ("pattern", "gone"), [("prod*", ["a", "b"]), ("*-1", ["a"]), ("beta-3", ["c"]), ("b*-*3", ["c"]), ("rod*", [])]
)
def test_patterns_match_whole_tags(pattern: str, gone: list[str]) -> None:
    assert names(IMAGES, TAGGED, rule(1, "tagged", 1, days=True, tagPatternList=[pattern])) == gone


def test_days_since_the_last_pull_begin_with_the_push_of_what_was_never_pulled() -> None:
    images = [aged("a", 9, pulled_at=NOW - DAY_S), aged("b", 9)]
    since_pulled = rule(count=5, days=True, countType="sinceImagePulled")
    assert decided(images, {}, since_pulled) == Expiry((("b", 1),), NOW + 4 * DAY_S)


# What belongs together


def test_what_a_list_names_stays_as_long_as_the_list() -> None:
    images = [aged("child", 9), aged("list", 1, children=("child",))]
    rules = [rule(1, "untagged", 5, days=True)]
    assert names(images, {"list": ["v1"]}, *rules) == []
    assert names([aged("child", 9), aged("list", 6, children=("child",))], {}, *rules) == ["list"]


def test_a_signature_goes_with_its_image_and_not_before() -> None:
    images = [aged("signature", 9, subject="app"), aged("app", 3)]
    assert names(images, {"app": ["v1"]}, rule(1, "untagged", 5, days=True)) == []
    assert names(images, {"app": ["v1"]}, rule(1, "tagged", 2, days=True, tagPatternList=["*"])) == ["app", "signature"]


# Texts


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", 'properties \\(\\["rules"\\]\\)'),
        (policy(), "from 1 to"),
        (
            policy(*[rule(number, "tagged", tagPrefixList=[str(number)]) for number in range(1, MAX_RULES + 2)]),
            "from 1",
        ),
        (json.dumps({"rules": [3]}), "must be an object"),
        (json.dumps({"rules": [{"rulePriority": 1}]}), 'required properties \\(\\["action", "selection"\\]\\)'),
        (policy({**rule(), "more": 1}), 'not allowed \\(\\["more"\\]\\)'),
        (policy({**rule(), "description": 1}), "description"),
        (policy(rule(0)), "rulePriority"),
        (policy(rule(count=0)), "countNumber"),
        (policy(rule(count=True)), "countNumber"),
        (policy(rule(status="some")), "tagStatus"),
        (policy(rule(countType="sinceImageBuilt")), "countType"),
        (policy(rule(countUnit="days")), "countUnit"),
        (policy(rule(days=True, countUnit="weeks")), "countUnit"),
        (policy(rule(status="tagged")), "tagPrefixList"),
        (policy(rule(status="untagged", tagPrefixList=["a"])), "tagPrefixList"),
        (policy(rule(status="tagged", tagPrefixList=["a"], tagPatternList=["a"])), "one of them"),
        (policy(rule(status="tagged", tagPrefixList=[1])), "list of strings"),
        (policy(rule(status="tagged", tagPatternList=["*****"])), "wildcards"),
        (policy(rule(storageClass="archive")), "not archived"),
        (policy({**rule(), "action": {"type": "transition", "targetStorageClass": "archive"}}), "transition"),
        (policy({**rule(), "action": {"type": "delete"}}), "must be expire"),
        (policy(rule(1), rule(1, "untagged")), "unique"),
        (policy(rule(1, "untagged"), rule(2, "untagged")), "only one rule"),
        (policy(rule(1, "any"), rule(2, "untagged")), "highest"),
        (policy(rule(1, "tagged", tagPrefixList=["a", "b"]), rule(2, "tagged", tagPrefixList=["b", "a"])), "unique"),
    ],
)
def test_what_is_no_policy_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(PolicyRefusedError, match=why):
        read_policy(text)
