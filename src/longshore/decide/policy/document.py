"""A policy document, parsed: what IAM takes, and the sentence that it refuses others with.

`parse` is called with every document that is to be kept, and again when a request is decided: parsed documents are
remembered, a bounded number of them. Texts: what IAM answers with MalformedPolicyDocument.
"""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from longshore.decide.policy.conditions import Condition, condition_of

Kind = Literal["identity", "trust", "resource"]
"""What a document is for: what its owner may do, who may assume a role, or who may do what with what it is of."""

VERSIONS = ("2012-10-17", "2008-10-17")
REMEMBERED = 2048
"""How many parsed documents are kept; each is at most as large as IAM's quota for it."""
SYNTAX = "Syntax errors in policy."
ACTION = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+|\*")
SID = re.compile(r"[A-Za-z0-9]*")
PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "*")
PRINCIPAL_KINDS = ("AWS", "Service", "Federated", "CanonicalUser")
ASSUMING = frozenset(
    {
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:tagsession",
        "sts:setsourceidentity",
        "sts:setcontext",
        "sts:*",
    }
)
_ELEMENTS = frozenset(
    {
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Principal",
        "NotPrincipal",
        "Condition",
    }
)


class PolicyRefused(Exception):  # noqa: N818  reads as what happened
    """A document that IAM does not take; says why in its words."""


@dataclass(frozen=True, slots=True)
class Principals:
    """Who a statement of a policy with principals speaks of: `("AWS", "arn:…")` pairs; `("*", "*")` is everybody."""

    pairs: tuple[tuple[str, str], ...]
    others: bool = False
    """Whether it speaks of all but these (NotPrincipal)."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. Actions are in small letters; `other_actions` marks NotAction, `other_resources` NotResource."""

    sid: str
    allows: bool
    actions: tuple[str, ...]
    other_actions: bool
    resources: tuple[str, ...]
    other_resources: bool
    principals: Principals | None
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A policy document. Variables mean something in version 2012-10-17 alone."""

    statements: tuple[Statement, ...]
    variables: bool


@functools.lru_cache(maxsize=REMEMBERED)
def parse(text: str, kind: Kind = "identity") -> Document:
    """The document that a text is. Raises PolicyRefused."""
    whole = _json(text)
    if not isinstance(whole, dict) or set(whole) - {"Version", "Id", "Statement"}:
        raise PolicyRefused(SYNTAX)
    version = whole.get("Version", VERSIONS[1])
    if version not in VERSIONS or not isinstance(whole.get("Id", ""), str):
        raise PolicyRefused(SYNTAX)
    given = whole.get("Statement")
    listed = [given] if isinstance(given, dict) else given
    if not isinstance(listed, list) or not listed:
        raise PolicyRefused(SYNTAX)
    statements = tuple(_statement(each, kind) for each in listed)
    sids = [statement.sid for statement in statements if statement.sid]
    if len(set(sids)) < len(sids):
        raise PolicyRefused("Statement IDs (SID) in a single policy must be unique.")
    return Document(statements, variables=version == VERSIONS[0])


def _json(text: str) -> Any:
    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise PolicyRefused(SYNTAX)
        return found

    def refuse(_constant: str) -> NoReturn:
        raise PolicyRefused(SYNTAX)

    try:
        return json.loads(text, object_pairs_hook=distinct, parse_constant=refuse)
    except (ValueError, RecursionError):
        raise PolicyRefused("This policy contains invalid Json") from None


def _statement(given: Any, kind: Kind) -> Statement:
    if not isinstance(given, dict) or set(given) - _ELEMENTS:
        raise PolicyRefused(SYNTAX)
    sid, effect = given.get("Sid", ""), given.get("Effect")
    if not isinstance(sid, str) or effect not in {"Allow", "Deny"}:
        raise PolicyRefused(SYNTAX)
    if kind != "resource" and not SID.fullmatch(sid):
        raise PolicyRefused(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
            "expression [0-9A-Za-z]*"
        )
    actions, other_actions = _either(given, "Action", "NotAction", "Policy statement must contain actions.")
    for action in actions:
        _check_action(action)
    if kind == "trust":
        resources, other_resources = _of_trust(given, actions)
    elif kind == "resource":
        if effect == "Allow" and "NotPrincipal" in given:
            raise PolicyRefused("Allow with NotPrincipal is not supported.")
        resources, other_resources = _of_resource(given)
    else:
        if "Principal" in given or "NotPrincipal" in given:
            raise PolicyRefused("Policy document should not specify a principal.")
        resources, other_resources = _either(
            given, "Resource", "NotResource", "Policy statement must contain resources."
        )
        for resource in resources:
            _check_resource(resource)
    return Statement(
        sid=sid,
        allows=effect == "Allow",
        actions=tuple(action.lower() for action in actions),
        other_actions=other_actions,
        resources=resources,
        other_resources=other_resources,
        principals=None if kind == "identity" else _principals(given),
        conditions=_conditions(given.get("Condition")),
    )


def _either(given: Mapping[str, Any], name: str, opposite: str, missing: str) -> tuple[tuple[str, ...], bool]:
    """The texts of an element or of its opposite, of which there must be one."""
    if name in given and opposite in given:
        raise PolicyRefused(SYNTAX)
    found = texts(given.get(name, given.get(opposite, [])))
    if not found:
        raise PolicyRefused(missing)
    return found, opposite in given


def texts(value: Any) -> tuple[str, ...]:
    """A text or a list of texts as a tuple. Raises PolicyRefused."""
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in listed):
        raise PolicyRefused(SYNTAX)
    return tuple(listed)


def _check_action(action: str) -> None:
    if ":" not in action and action != "*":
        raise PolicyRefused("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    if not ACTION.fullmatch(action):
        vendor = action.partition(":")[0]
        if not re.fullmatch(r"[A-Za-z0-9-]+", vendor):
            raise PolicyRefused(f"Vendor {vendor} is not valid")
        raise PolicyRefused("Actions/Condition can contain only one colon." if action.count(":") > 1 else SYNTAX)


def _check_resource(resource: str) -> None:
    if resource == "*":
        return
    parts = resource.split(":", 5)
    if parts[0] != "arn" or (len(parts) < 6 and not resource.endswith("*")):
        raise PolicyRefused(f'Resource {resource} must be in ARN format or "*".')
    if len(parts) == 6 and parts[1] not in PARTITIONS:
        raise PolicyRefused(f'Partition "{parts[1]}" is not valid for resource "{resource}".')


def _of_trust(given: Mapping[str, Any], actions: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """The resources of a statement of a trust policy: the role itself, so it may name none."""
    for name in ("Resource", "NotResource"):
        if name in given:
            raise PolicyRefused(f"Has prohibited field {name}")
    if any(action.lower() not in ASSUMING for action in actions):
        raise PolicyRefused("AssumeRole policy may only specify STS AssumeRole actions.")
    return ("*",), False


def _of_resource(given: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    """The resources of a statement of a resource's own policy, which need not name itself."""
    if "Resource" not in given and "NotResource" not in given:
        return ("*",), False
    return _either(given, "Resource", "NotResource", "Policy statement must contain resources.")


def _principals(given: Mapping[str, Any]) -> Principals:
    if ("Principal" in given) == ("NotPrincipal" in given):
        raise PolicyRefused("Missing required field Principal" if "Principal" not in given else SYNTAX)
    others = "NotPrincipal" in given
    named = given["NotPrincipal"] if others else given["Principal"]
    if named == "*":
        return Principals((("*", "*"),), others)
    if not isinstance(named, dict) or not named or set(named) - set(PRINCIPAL_KINDS):
        raise PolicyRefused(SYNTAX)
    pairs = tuple((kind, name) for kind, names in named.items() for name in texts(names))
    if not pairs:
        raise PolicyRefused(SYNTAX)
    for kind, name in pairs:
        if not _is_principal(kind, name):
            raise PolicyRefused(f'Invalid principal in policy: "{kind}":"{name}"')
    return Principals(pairs, others)


def _is_principal(kind: str, name: str) -> bool:
    if kind == "AWS":
        return name == "*" or bool(
            re.fullmatch(r"[0-9]{12}|arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:[^*?]+|A[A-Z0-9]{15,}", name)
        )
    if kind == "Service":
        return "*" not in name and "." in name
    return bool(name)


def _conditions(given: Any) -> tuple[Condition, ...]:
    if given is None:
        return ()
    if not isinstance(given, dict):
        raise PolicyRefused(SYNTAX)
    found = []
    for operator, block in given.items():
        if not isinstance(block, dict):
            raise PolicyRefused(SYNTAX)
        for key, values in block.items():
            condition = condition_of(operator, key, _values(values))
            if condition is None:
                raise PolicyRefused(f"Invalid Condition type : {operator}.")
            found.append(condition)
    return tuple(found)


def _values(given: Any) -> tuple[str, ...]:
    """Texts; numbers and booleans count as theirs."""
    listed = given if isinstance(given, list) else [given]
    if not all(isinstance(each, str | int | float) for each in listed):
        raise PolicyRefused(SYNTAX)
    return tuple(each if isinstance(each, str) else json.dumps(each) for each in listed)
