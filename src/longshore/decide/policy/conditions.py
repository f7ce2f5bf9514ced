"""The conditions of a statement, held against what is known of a request.

Operators, and what they make of keys that a request lacks: IAM's reference of policy elements. A positive operator
fails without its key and a negated one holds; `…IfExists` holds either way. `ForAllValues:` holds without values,
`ForAnyValue:` does not.
"""

import base64
import binascii
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal

from longshore.decide.policy.patterns import Context, like, substituted

Test = Callable[[str, str], bool]
"""`(the request's value, the policy's value)`."""
Quantifier = Literal["", "all", "any"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key. `operator` is its name in small letters, without quantifier and IfExists."""

    operator: str
    key: str
    """In small letters."""
    values: tuple[str, ...]
    quantifier: Quantifier
    if_exists: bool


def condition_of(operator: str, key: str, values: tuple[str, ...]) -> Condition | None:
    """The condition; None where there is no such operator."""
    name = operator.lower()
    quantifier: Quantifier = ""
    for prefix, meaning in _QUANTIFIERS.items():
        if name.startswith(prefix):
            quantifier, name = meaning, name.removeprefix(prefix)
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    if name != "null" and name not in _POSITIVE and name not in _NEGATED:
        return None
    if name == "null" and (quantifier or if_exists):
        return None
    return Condition(name, key.lower(), values, quantifier, if_exists)


def holds(condition: Condition, context: Context, *, variables: bool) -> bool:
    """Whether a condition is met by what is known of a request."""
    known = context.get(condition.key)
    if condition.operator == "null":
        return any((value.lower() == "true") == (not known) for value in condition.values)
    negated = condition.operator in _NEGATED
    if known is None:
        if condition.quantifier:
            return condition.quantifier == "all"
        return condition.if_exists or negated

    def matches(value: str) -> bool:
        """Whether one value of the request is what the condition wants."""
        return _matches(condition, value, context, variables=variables) is not negated

    if condition.quantifier == "all" or (negated and not condition.quantifier):
        return all(matches(value) for value in known)
    return any(matches(value) for value in known)


def _matches(condition: Condition, value: str, context: Context, *, variables: bool) -> bool:
    """Whether a value of the request is one of the policy's, by the operator without its Not."""
    name = _NEGATED.get(condition.operator, condition.operator)
    for given in condition.values:
        if name in _PATTERNS:
            if _PATTERNS[name](given, value, context, variables):
                return True
            continue
        wanted = substituted(given, context, variables=variables)
        if wanted is not None and _TESTS[name](value, wanted):
            return True
    return False


# ------------------------------------------------------------------------------------------------------- operators


def _string_like(given: str, value: str, context: Context, variables: bool) -> bool:
    return like(given, value, context, variables=variables)


def _arn_like(given: str, value: str, context: Context, variables: bool) -> bool:
    """Each of an ARN's six parts by itself; a star alone stands for all of them."""
    if given == "*":
        return True
    wanted, found = _arn_parts(given), value.split(":", 5)
    return len(wanted) == len(found) == 6 and all(
        like(one, other, context, variables=variables) for one, other in zip(wanted, found, strict=True)
    )


def _arn_parts(text: str) -> list[str]:
    """The parts of an ARN; colons in variables don't part it."""
    parts: list[str] = []
    depth, begin = 0, 0
    for at, character in enumerate(text):
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
        elif character == ":" and depth <= 0 and len(parts) < 5:
            parts.append(text[begin:at])
            begin = at + 1
    return [*parts, text[begin:]]


def _number(compare: Callable[[Decimal, Decimal], bool]) -> Test:
    def test(value: str, wanted: str) -> bool:
        try:
            one, other = Decimal(value), Decimal(wanted)
            return compare(one, other)
        except InvalidOperation:
            return False

    return test


def _date(compare: Callable[[float, float], bool]) -> Test:
    def test(value: str, wanted: str) -> bool:
        one, other = _moment(value), _moment(wanted)
        return one is not None and other is not None and compare(one, other)

    return test


def _moment(text: str) -> float | None:
    """Epoch seconds of an ISO 8601 date, or of a number of seconds."""
    try:
        if text.replace(".", "", 1).isdecimal():
            return float(text)
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _bool(value: str, wanted: str) -> bool:
    return value.lower() == wanted.lower()


def _address(value: str, wanted: str) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _binary(value: str, wanted: str) -> bool:
    try:
        return base64.b64decode(value, validate=True) == base64.b64decode(wanted, validate=True)
    except (ValueError, binascii.Error):
        return False


_QUANTIFIERS: dict[str, Quantifier] = {"forallvalues:": "all", "foranyvalue:": "any"}
_PATTERNS: dict[str, Callable[[str, str, Context, bool], bool]] = {
    "stringlike": _string_like,
    "arnlike": _arn_like,
    "arnequals": _arn_like,
}
_TESTS: dict[str, Test] = {
    "stringequals": lambda value, wanted: value == wanted,
    "stringequalsignorecase": lambda value, wanted: value.lower() == wanted.lower(),
    "numericequals": _number(lambda one, other: one == other),
    "numericlessthan": _number(lambda one, other: one < other),
    "numericlessthanequals": _number(lambda one, other: one <= other),
    "numericgreaterthan": _number(lambda one, other: one > other),
    "numericgreaterthanequals": _number(lambda one, other: one >= other),
    "dateequals": _date(lambda one, other: one == other),
    "datelessthan": _date(lambda one, other: one < other),
    "datelessthanequals": _date(lambda one, other: one <= other),
    "dategreaterthan": _date(lambda one, other: one > other),
    "dategreaterthanequals": _date(lambda one, other: one >= other),
    "bool": _bool,
    "binaryequals": _binary,
    "ipaddress": _address,
}
_POSITIVE = frozenset({*_PATTERNS, *_TESTS})
_NEGATED: dict[str, str] = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
}
