"""What a filter pattern's leaves do: compare one value with one operand. Pure; called by `pattern.py` alone.

Nothing here takes more than linear time in the text: wildcards are found piece by piece, and regular expressions run
in RE2, which has no backtracking.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
import re2

MAX_REGEX = 256
REGEX_CHARACTERS = re.compile(r"[A-Za-z0-9_#=@/;,:\-^$?\[\]{}|\\*+.]*")
"""What AWS allows between the percent signs: no parentheses, so no nested repetition either."""
_NUMBER = re.compile(r"[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,3})?")

MISSING: Any = object()
"""The value of a field that is not there."""

Test = Callable[[Any], bool]


class PatternError(ValueError):
    """The pattern is not well formed; the text says why."""


def number(text: str) -> float | None:
    """The number that a text is, or None."""
    return float(text) if _NUMBER.fullmatch(text) else None


def regex(source: str) -> Callable[[str], bool]:
    """A search for AWS's restricted regular expressions."""
    if not source:
        raise PatternError("a regular expression can't be empty")
    if len(source) > MAX_REGEX or not REGEX_CHARACTERS.fullmatch(source):
        raise PatternError(
            f"the regular expression %{source[:64]}% may hold letters, digits, _ # = @ / ; , : - and the operators "
            f"^ $ ? [ ] {{ }} | \\ * + . only, {MAX_REGEX} characters at most; write \\s for a space"
        )
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(source, options)
    except re2.error:
        raise PatternError(f"%{source}% is not a regular expression") from None
    return lambda text: compiled.search(text) is not None


def wildcard(pattern: str) -> Callable[[str], bool]:
    """Equality where `*` stands for any text."""
    if "*" not in pattern:
        return lambda text: text == pattern
    head, *middle, tail = pattern.split("*")

    def match(text: str) -> bool:
        if len(text) < len(head) + len(tail) or not text.startswith(head) or not text.endswith(tail):
            return False
        at, end = len(head), len(text) - len(tail)
        for piece in middle:
            found = text.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True

    return match


def text_of(value: Any) -> str:
    """A JSON value as the text that a string operand is compared with."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number (true and false are not)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def compare(operator: str, operand: str, *, quoted: bool) -> Test:
    """The test `value OPERATOR operand`. A field that is missing passes none, `!=` included."""
    wanted = None if quoted else number(operand)
    if operator in {"=", "!="}:
        same = _equal(operand, wanted)
        if operator == "=":
            return lambda value: value is not MISSING and same(value)
        return lambda value: value is not MISSING and not same(value)
    if wanted is None:
        raise PatternError(f"{operator} compares with a number, not with {operand[:64]!r}")
    return _ordered(operator, wanted)


def _equal(operand: str, wanted: float | None) -> Test:
    alike = wildcard(operand)

    def same(value: Any) -> bool:
        if wanted is not None:
            actual = value if is_number(value) else number(value) if isinstance(value, str) else None
            if actual is not None:
                return bool(actual == wanted)
        return alike(text_of(value))

    return same


def _ordered(operator: str, wanted: float) -> Test:
    tests: dict[str, Callable[[float], bool]] = {
        "<": lambda actual: actual < wanted,
        "<=": lambda actual: actual <= wanted,
        ">": lambda actual: actual > wanted,
        ">=": lambda actual: actual >= wanted,
    }
    test = tests[operator]

    def ordered(value: Any) -> bool:
        actual = value if is_number(value) else number(value) if isinstance(value, str) else None
        return actual is not None and test(actual)

    return ordered


def search(source: str, operator: str) -> Test:
    """The test `value OPERATOR %regex%`."""
    found = regex(source)
    if operator == "=":
        return lambda value: value is not MISSING and found(text_of(value))
    if operator == "!=":
        return lambda value: value is not MISSING and not found(text_of(value))
    raise PatternError(f"a regular expression goes with = or !=, not with {operator}")
