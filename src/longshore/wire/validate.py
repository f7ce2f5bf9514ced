"""Checks parsed parameters against the model: required members, ranges, lengths, patterns, enums, sizes.

The texts are AWS's. `Validator` returns violations; the catalog turns them into the error of the protocol.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.model import Shape

from longshore.wire.patterns import compiled, matches
from longshore.wire.shapes import FLOAT_TYPES, INTEGER_TYPES, STRING_TYPES, Compiler

MAX_VIOLATIONS = 20
MAX_SHOWN = 512


class Violation(NamedTuple):
    """One constraint that a value does not satisfy."""

    path: str
    shown: str | None  # the value as AWS shows it; None when it is not to be shown
    constraint: str
    missing: bool = False

    def sentence(self) -> str:
        """Say it in AWS's words."""
        value = "Value" if self.shown is None else f"Value {self.shown}"
        return f"{value} at '{self.path}' failed to satisfy constraint: {self.constraint}"


Check = Callable[[Any, str, list[Violation]], None]


def summary(violations: list[Violation]) -> str:
    """Return AWS's text for all violations of a request."""
    count = len(violations)
    noun = "validation error" if count == 1 else "validation errors"
    return f"{count} {noun} detected: " + "; ".join(violation.sentence() for violation in violations)


def show(value: Any, shape: Shape) -> str | None:
    """Render a value as AWS's messages do."""
    if shape.metadata.get("sensitive"):
        return None
    text = _plain(value)
    return f"'{text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + '...'}'"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        more = ", ..." if len(value) > MAX_SHOWN else ""
        return "[" + ", ".join(_plain(item) for item in value[:MAX_SHOWN]) + more + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_plain(item)}" for key, item in list(value.items())[:MAX_SHOWN]) + "}"
    if isinstance(value, bytes):
        return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
    return str(value)


def lower_first(name: str) -> str:
    """Write a member's name as AWS's paths do."""
    return name[:1].lower() + name[1:]


class Validator(Compiler[Check]):
    """Compiles shapes to checks (value, path, violations)."""

    def build(self, shape: Shape) -> Check:
        """Compile one shape."""
        kind = shape.type_name
        if kind == "structure":
            return self._structure(shape)
        if kind == "list":
            return self._list(shape)
        if kind == "map":
            return self._map(shape)
        rules = scalar_rules(shape)
        if not rules:
            return _pass

        def check(value: Any, path: str, found: list[Violation]) -> None:
            report(rules, value, shape, path, found)

        return check

    def _structure(self, shape: Any) -> Check:
        if getattr(shape, "is_document_type", False):
            return _pass
        required = [(name, lower_first(name)) for name in shape.required_members]
        checks = {
            name: (lower_first(name), inner)
            for name, member in shape.members.items()
            if (inner := self.get(member)) is not _pass
        }
        union = bool(getattr(shape, "is_tagged_union", False))

        def check(value: Any, path: str, found: list[Violation]) -> None:
            if len(found) >= MAX_VIOLATIONS:
                return
            dot = path + "." if path else ""
            for name, lowered in required:
                if name not in value:
                    found.append(Violation(dot + lowered, "null", "Member must not be null", missing=True))
            for name, item in value.items():
                if name in checks:
                    lowered, below = checks[name]
                    below(item, dot + lowered, found)
            if union and len(value) != 1:
                found.append(Violation(path, None, "Member must have exactly one member set"))

        return check

    def _list(self, shape: Any) -> Check:
        member, sizes = self.get(shape.member), length_rules(shape)
        element_rules = scalar_rules(shape.member)
        if not isinstance(shape.member, Shape) or shape.member.type_name in ("structure", "list", "map"):
            element_rules = []

        def check(value: Any, path: str, found: list[Violation]) -> None:
            report(sizes, value, shape, path, found)
            for position, item in enumerate(value, 1):
                if item is None:
                    found.append(Violation(f"{path}.{position}.member", "null", "Member must not be null"))
                elif element_rules:
                    broken_rules = [broken for rule in element_rules if (broken := rule(item)) is not None]
                    if broken_rules:
                        text = f"Member must satisfy constraint: [{', '.join(broken_rules)}]"
                        found.append(Violation(path, show(value, shape.member), text))
                        break
                elif member is not _pass:
                    member(item, f"{path}.{position}.member", found)
                if len(found) >= MAX_VIOLATIONS:
                    break

        return check

    def _map(self, shape: Any) -> Check:
        member, sizes, key_rules = self.get(shape.value), length_rules(shape), scalar_rules(shape.key)

        def check(value: Any, path: str, found: list[Violation]) -> None:
            report(sizes, value, shape, path, found)
            for key, item in value.items():
                broken_rules = [broken for rule in key_rules if (broken := rule(key)) is not None]
                if broken_rules:
                    text = f"Map keys must satisfy constraint: [{', '.join(broken_rules)}]"
                    found.append(Violation(path, show(value, shape.key), text))
                if item is None:
                    found.append(Violation(f"{path}.{key[:100]}.member", "null", "Member must not be null"))
                elif member is not _pass:
                    member(item, f"{path}.{key[:100]}.member", found)
                if len(found) >= MAX_VIOLATIONS:
                    break

        return check


def _pass(_value: Any, _path: str, _found: list[Violation]) -> None:
    """Accept everything: the check of a shape without constraints."""


Rule = Callable[[Any], str | None]


def report(rules: list[Rule], value: Any, shape: Shape, path: str, found: list[Violation]) -> None:
    """Add a violation for each rule that a value breaks."""
    for rule in rules:
        broken = rule(value)
        if broken is not None:
            found.append(Violation(path, show(value, shape), broken))


def length_rules(shape: Shape) -> list[Rule]:
    """Return the checks of a length or a size."""
    rules: list[Rule] = []
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low:
        rules.append(
            lambda value: None if len(value) >= low else f"Member must have length greater than or equal to {low}"
        )
    if high is not None:
        rules.append(
            lambda value: None if len(value) <= high else f"Member must have length less than or equal to {high}"
        )
    return rules


def scalar_rules(shape: Shape) -> list[Rule]:
    """Return the checks of a scalar."""
    kind = shape.type_name
    if kind in INTEGER_TYPES or kind in FLOAT_TYPES:
        return _range_rules(shape)
    if kind == "blob":
        return length_rules(shape)
    return _string_rules(shape) if kind in STRING_TYPES else []


def _range_rules(shape: Shape) -> list[Rule]:
    rules: list[Rule] = []
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None:
        rules.append(lambda value: None if value >= low else f"Member must have value greater than or equal to {low}")
    if high is not None:
        rules.append(lambda value: None if value <= high else f"Member must have value less than or equal to {high}")
    return rules


def _string_rules(shape: Shape) -> list[Rule]:
    rules = length_rules(shape)
    high = shape.metadata.get("max")
    source = shape.metadata.get("pattern")
    pattern = compiled(source) if source else None
    if pattern is not None:
        text = f"Member must satisfy regular expression pattern: {source}"
        # A value over its length is refused already: don't run the pattern over it.
        rules.append(
            lambda value: None if (high is not None and len(value) > high) or matches(pattern, value) else text
        )
    allowed = shape.metadata.get("enum")
    if allowed:
        values, listed = frozenset(allowed), ", ".join(allowed)
        rules.append(lambda value: None if value in values else f"Member must satisfy enum value set: [{listed}]")
    return rules
