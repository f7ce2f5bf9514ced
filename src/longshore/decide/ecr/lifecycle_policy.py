"""Reads the text of a lifecycle policy, with the checks that ECR makes.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

import json
from typing import Any, get_args

from longshore.decide.ecr.lifecycle import Rule

STATUSES = ("tagged", "untagged", "any")
COUNT_TYPES: tuple[str, ...] = get_args(Rule.__annotations__["count_type"])
DAYS_TYPES = frozenset({"sinceImagePushed", "sinceImagePulled"})
MAX_RULES = 50
MAX_WILDCARDS = 4
RULE_MEMBERS = frozenset({"rulePriority", "description", "selection", "action"})
SELECTION_MEMBERS = frozenset(
    {"tagStatus", "tagPrefixList", "tagPatternList", "countType", "countUnit", "countNumber", "storageClass"}
)


class PolicyRefusedError(ValueError):
    """The text is no policy that can be kept; says why."""


def read_policy(text: str) -> tuple[Rule, ...]:
    """The rules of a policy, by priority. Raises PolicyRefusedError."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise PolicyRefusedError("the text is not JSON") from None
    rules = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(rules, list) or set(document) != {"rules"}:
        raise PolicyRefusedError('object has missing required properties (["rules"]), or others beside it')
    if not 1 <= len(rules) <= MAX_RULES:
        raise PolicyRefusedError(f"a policy has from 1 to {MAX_RULES} rules")
    read = sorted(_rule(rule) for rule in rules)
    _check_together(read)
    return tuple(read)


def _rule(document: Any) -> Rule:
    _members(document, RULE_MEMBERS, {"rulePriority", "selection", "action"}, "rule")
    priority, selection, action = document["rulePriority"], document["selection"], document["action"]
    _positive(priority, "rulePriority")
    if not isinstance(document.get("description", ""), str):
        raise PolicyRefusedError("description must be a string")
    _check_action(action)
    _members(selection, SELECTION_MEMBERS, {"tagStatus", "countType", "countNumber"}, "selection")
    status, count_type = selection["tagStatus"], selection["countType"]
    if status not in STATUSES:
        raise PolicyRefusedError(f"tagStatus must be one of {', '.join(STATUSES)}")
    if count_type not in COUNT_TYPES:
        raise PolicyRefusedError(f"countType must be one of {', '.join(COUNT_TYPES)}")
    if selection.get("storageClass", "standard") != "standard":
        raise PolicyRefusedError("storageClass: images are not archived here: leave it out, or use standard")
    _positive(selection["countNumber"], "countNumber")
    unit = selection.get("countUnit")
    if (count_type in DAYS_TYPES) != (unit == "days") or unit not in (None, "days"):
        raise PolicyRefusedError("countUnit must be days with sinceImagePushed and its like, and absent otherwise")
    prefixes, patterns = (_texts(selection, name) for name in ("tagPrefixList", "tagPatternList"))
    if (status == "tagged") != bool(prefixes or patterns) or (prefixes and patterns):
        raise PolicyRefusedError("tagPrefixList or tagPatternList, one of them, is required with tagged and only there")
    if any(pattern.count("*") > MAX_WILDCARDS for pattern in patterns):
        raise PolicyRefusedError(f"a tag pattern has at most {MAX_WILDCARDS} wildcards")
    return Rule(priority, status, prefixes, patterns, count_type, selection["countNumber"])


def _check_action(action: Any) -> None:
    _members(action, {"type", "targetStorageClass"}, {"type"}, "action")
    if action["type"] == "transition":
        raise PolicyRefusedError("the action transition is not served: images are not archived here; use expire")
    if action != {"type": "expire"}:
        raise PolicyRefusedError("the type of an action must be expire")


def _check_together(rules: list[Rule]) -> None:
    priorities = [rule.priority for rule in rules]
    if len(set(priorities)) < len(priorities):
        raise PolicyRefusedError("rulePriority must be unique")
    for status in ("untagged", "any"):
        if sum(rule.tag_status == status for rule in rules) > 1:
            raise PolicyRefusedError(f"only one rule may have the tagStatus {status}")
    if any(rule.tag_status == "any" for rule in rules[:-1]):
        raise PolicyRefusedError("the rule with the tagStatus any must have the highest rulePriority")
    lists = [sorted(rule.prefixes) + sorted(rule.patterns) for rule in rules if rule.tag_status == "tagged"]
    if any(one in lists[:number] for number, one in enumerate(lists)):
        raise PolicyRefusedError("the lists of tags must be unique among the rules")


def _members(document: Any, known: set[str] | frozenset[str], required: set[str], what: str) -> None:
    if not isinstance(document, dict):
        raise PolicyRefusedError(f"{what} must be an object")
    missing, unknown = sorted(required - set(document)), sorted(set(document) - known)
    if missing:
        raise PolicyRefusedError(f"{what}: object has missing required properties ({json.dumps(missing)})")
    if unknown:
        names = json.dumps(unknown)[:500]
        raise PolicyRefusedError(f"{what}: object instance has properties which are not allowed ({names})")


def _positive(value: Any, name: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**31:
        raise PolicyRefusedError(f"{name} must be a whole number, 1 or more")


def _texts(selection: dict[str, Any], name: str) -> tuple[str, ...]:
    found = selection.get(name, [])
    if not isinstance(found, list) or not all(isinstance(text, str) and text for text in found):
        raise PolicyRefusedError(f"{name} must be a list of strings")
    return tuple(found)
