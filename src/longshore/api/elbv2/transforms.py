"""Transforms of rules: checked, and put into the form in which ELBv2 answers them."""

import re
from collections.abc import Iterable
from typing import Any

from longshore.api.elbv2.conditions import visible
from longshore.api.elbv2.errors import invalid
from longshore.api.elbv2.regexes import check_regex
from longshore.decide.elbv2.balancing_rules import REWRITE_CONFIGS

Document = dict[str, Any]

MAX_LENGTH = 1024
_GROUP = re.compile(r"\$(\d)")


def checked_transforms(given: Iterable[Document]) -> tuple[Document, ...]:
    """The transforms of a rule as they are kept. Raises ValidationError."""
    transforms = tuple(_checked(transform) for transform in given)
    if len({transform["Type"] for transform in transforms}) != len(transforms):
        raise invalid("A rule can have only one transform of each type")
    return transforms


def _checked(transform: Document) -> Document:
    kind = transform["Type"]
    name = REWRITE_CONFIGS[kind]
    if any(transform.get(other) for other in REWRITE_CONFIGS.values() if other != name):
        raise invalid(f"A transform of type '{kind}' must have a {name}, and no other configuration")
    rewrites = (transform.get(name) or {}).get("Rewrites") or []
    if len(rewrites) != 1:
        raise invalid(f"A transform of type '{kind}' must have exactly one rewrite")
    regex, replacement = rewrites[0]["Regex"], rewrites[0]["Replace"]
    groups = check_regex(regex, f"a '{kind}' transform", MAX_LENGTH)
    _check_replacement(replacement, groups, kind)
    return {"Type": kind, name: {"Rewrites": [{"Regex": regex, "Replace": replacement}]}}


def _check_replacement(replacement: str, groups: int, kind: str) -> None:
    if len(replacement) > MAX_LENGTH or not visible(replacement):
        raise invalid(
            f"The replacement of a '{kind}' transform must have at most {MAX_LENGTH} visible ASCII characters"
        )
    for found in _GROUP.finditer(replacement):
        if not 1 <= int(found[1]) <= groups:
            raise invalid(f"The replacement of a '{kind}' transform has ${found[1]}, but its regex has {groups} groups")
