"""Texts with wildcards and variables, held against texts: `*`, `?`, `${aws:username}`, `${aws:username, 'nobody'}`.

Matching takes time in proportion to the lengths (RE2), so that no policy can make a decision slow. What a variable
stands for is always itself, wildcards in it too.
"""

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple

import re2

Context = Mapping[str, tuple[str, ...]]
"""What is known of a request: values by the key's name in small letters. A key that is not known is not there."""

VARIABLE = re.compile(r"\$\{([^}]*)\}")
DEFAULTED = re.compile(r"([^,]*?)\s*,\s*'([^']*)'\s*")
SPECIAL = ("*", "?", "$")
"""`${*}` is the character itself."""
REMEMBERED = 4096


class Variable(NamedTuple):
    """A variable of a text."""

    key: str
    default: str | None


def substituted(text: str, context: Context, *, variables: bool) -> str | None:
    """A text without wildcards, its variables replaced; None where one of them is not known."""
    if not variables or "${" not in text:
        return text
    parts = []
    for part in _parts(text):
        value = part if isinstance(part, str) else _value(part, context)
        if value is None:
            return None
        parts.append(value)
    return "".join(parts)


def like(pattern: str, text: str, context: Context, *, variables: bool, arn: bool = False) -> bool:
    """Whether a text is one that a pattern stands for.

    In an `arn` pattern a `*` stays between two colons, unless it ends its part: then it may go beyond.
    """
    if pattern == "*":
        return True
    regex = _regex_of(pattern, context, variables=variables, arn=arn)
    return regex is not None and _compiled(regex).fullmatch(_clean(text)) is not None


def _regex_of(pattern: str, context: Context, *, variables: bool, arn: bool) -> str | None:
    if not variables or "${" not in pattern:
        return _translated(pattern, arn=arn)
    pieces = []
    parts = _parts(pattern)
    for number, part in enumerate(parts):
        if isinstance(part, str):
            last = number == len(parts) - 1
            pieces.append(_translated(part, arn=arn, ends=last))
            continue
        value = _value(part, context)
        if value is None:
            return None
        pieces.append(re2.escape(_clean(value)))
    return "".join(pieces)


@functools.lru_cache(maxsize=REMEMBERED)
def _translated(pattern: str, *, arn: bool, ends: bool = True) -> str:
    """The regular expression of a pattern without variables; `ends`: nothing stands behind it."""
    out = []
    for at, character in enumerate(pattern):
        if character == "*":
            follows = pattern[at + 1 : at + 2]
            free = not arn or follows == ":" or (not follows and ends)
            out.append(r"[\s\S]*" if free else "[^:]*")
        elif character == "?":
            out.append(r"[\s\S]")
        else:
            out.append(re2.escape(_clean(character)))
    return "".join(out)


@functools.lru_cache(maxsize=REMEMBERED)
def _compiled(regex: str) -> "re2._Regexp":
    return re2.compile(regex)


@functools.lru_cache(maxsize=REMEMBERED)
def _parts(text: str) -> tuple[str | Variable, ...]:
    """A text cut at its variables."""
    parts: list[str | Variable] = []
    end = 0
    for found in VARIABLE.finditer(text):
        if found.start() > end:
            parts.append(text[end : found.start()])
        end = found.end()
        inner = found.group(1).strip()
        defaulted = DEFAULTED.fullmatch(inner)
        key, default = (defaulted.group(1), defaulted.group(2)) if defaulted else (inner, None)
        parts.append(Variable(key.lower(), key if key in SPECIAL else default))
    if end < len(text):
        parts.append(text[end:])
    return tuple(parts)


def _value(variable: Variable, context: Context) -> str | None:
    found = context.get(variable.key)
    return found[0] if found is not None and len(found) == 1 else variable.default


def _clean(text: str) -> str:
    """The text without lone surrogates, which RE2 can't take: they match nothing but themselves replaced."""
    return text.encode("utf-8", "replace").decode()
