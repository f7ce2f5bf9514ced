"""PURE: the grammar of a composite alarm's rule: which other alarms it names, or where it makes no sense.

    ALARM(a) AND (OK("b") OR NOT INSUFFICIENT_DATA(arn:…)) OR AT_LEAST(50%, NOT OK, (a, b))

Nothing evaluates a rule yet, so that no tree is made of it. Source: PutCompositeAlarm, and CloudWatch's user guide.
"""

import re
from collections.abc import Iterable

from longshore.api.cloudwatch.lookup import invalid

MAX_CHILDREN, MAX_ELEMENTS = 100, 500
STATE = "(?:ALARM|OK|INSUFFICIENT_DATA)"
NAME = r'(?:[^()",]+|\s*"[^"]*"\s*)'
TOKEN = re.compile(r"\s*(\(|\)|[A-Za-z_]+|[^\s])")
OF_STATE = re.compile(r'\s*\(([^()"]+|\s*"[^"]*"\s*)\)')
AT_LEAST = re.compile(
    rf"\s*\(\s*([0-9]+)(%?)\s*,\s*(?:NOT\s+)?{STATE}\s*,\s*\(({NAME}(?:,{NAME})*)\)\s*\)", re.IGNORECASE
)
LISTED = re.compile(NAME)


def named_in(rule: str) -> tuple[str, ...]:
    """The names and ARNs of alarms in a rule, each once, in order. Raises ValidationError."""
    found: list[str] = []
    at = depth = elements = 0
    wants_value = True
    while token := TOKEN.match(rule, at):
        word, at = token[1].upper(), token.end()
        if word not in (VALUES if wants_value else JOINS):
            raise _unsupported(token)
        if word == ")":
            depth -= 1
            if depth < 0:
                raise _unsupported(token)
        elif word == "(":
            depth += 1
        elif word in {"AND", "OR"}:
            wants_value = True
        elif word != "NOT":
            names, at = _value(rule, word, token)
            found += names
            elements += len(names) or 1
            wants_value = False
        elements += word in "()"
    if wants_value or depth:
        raise invalid(f"Error in AlarmRule [Unexpected end at char {len(rule)}]")
    children = tuple(dict.fromkeys(found))
    if len(children) > MAX_CHILDREN or elements > MAX_ELEMENTS:
        raise invalid(f"AlarmRule can have at most {MAX_CHILDREN} alarms and {MAX_ELEMENTS} elements.")
    return children


VALUES = frozenset({"(", "NOT", "TRUE", "FALSE", "ALARM", "OK", "INSUFFICIENT_DATA", "AT_LEAST"})
"""What may stand where a value is to come."""
JOINS = frozenset({")", "AND", "OR"})
"""What may stand behind a value."""


def _value(rule: str, word: str, token: re.Match[str]) -> tuple[list[str], int]:
    """The alarms that a function names, and where it ends."""
    if word in {"TRUE", "FALSE"}:
        return [], token.end()
    if word == "AT_LEAST":
        called = AT_LEAST.match(rule, token.end())
        if called is None:
            raise _unsupported(token)
        names = _bare(LISTED.findall(called[3]))
        count, percent = int(called[1][:9]), bool(called[2])
        if not 1 <= count <= (100 if percent else len(names)):
            raise invalid("The threshold of AT_LEAST is a number of its alarms, or 1% to 100% of them.")
    else:
        called = OF_STATE.match(rule, token.end())
        if called is None:
            raise _unsupported(token)
        names = _bare([called[1]])
    if not all(names):
        raise _unsupported(token)
    return names, called.end()


def _bare(names: Iterable[str]) -> list[str]:
    return [name.strip().removeprefix('"').removesuffix('"') for name in names]


def _unsupported(token: re.Match[str]) -> Exception:
    return invalid(f"Error in AlarmRule [Unsupported token '{token[1][:64]}' at char {token.start(1)}]")
