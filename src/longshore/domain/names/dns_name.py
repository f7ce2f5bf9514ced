"""Domain names as texts: checked, and in the two forms that matter.

The one form is that of records and questions: small letters, no final dot, odd characters behind a backslash as in zone
files. The other is Route 53's: a final dot, and all but letters, digits, `-` and `_` as octal escapes.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_LABEL = 63
MAX_NAME = 253
_SPECIAL = frozenset('"().;\\@$')
"""What zone files put a backslash before."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_DOT = re.compile(r"\\.|\.", re.DOTALL)
"""A dot, or a character behind a backslash, which is none."""
_PART = re.compile(r"\\([0-3][0-7]{2})|\\(.)|(\.)|(.)", re.DOTALL)


def labels_of(text: str) -> list[str] | None:
    """The labels of a name, escapes resolved, in small letters; None for what is no name."""
    if not text.isascii() or len(text) > 4 * MAX_NAME:
        return None
    labels = [""]
    for octal, escaped, dot, plain in _PART.findall(text):
        if dot:
            labels.append("")
        else:
            labels[-1] += chr(int(octal, 8)) if octal else escaped or plain
    if len(labels) > 1 and not labels[-1]:
        labels.pop()
    characters = "".join(labels)
    fits = all(1 <= len(label) <= MAX_LABEL for label in labels) and len(characters) + len(labels) - 1 <= MAX_NAME
    if not fits or not all("!" <= character <= "~" for character in characters):
        return None
    return [label.lower() for label in labels]


def absolute(text: str) -> str | None:
    """A name as records have it, or None for what is no name. A final dot may be there or not."""
    labels = labels_of(text)
    return None if labels is None else ".".join(_escaped(label) for label in labels)


def shown(name: str) -> str:
    r"""A record's name as Route 53 answers it: `\052.example.com.` for `*.example.com`."""
    labels = labels_of(name) or []
    return "".join(f"{''.join(_octal(character) for character in label)}." for label in labels)


class Cut(NamedTuple):
    """A name, cut at one of its dots."""

    head: str
    tail: str


def cuts(name: str) -> Iterator[Cut]:
    """All ways to cut a name in two, the longest tail first: `a.b.c` into `a` and `b.c`, then `a.b` and `c`.

    A dot behind a backslash is part of a label.
    """
    for found in _DOT.finditer(name):
        if found[0] == ".":
            yield Cut(name[: found.start()], name[found.end() :])


def parents(name: str) -> Iterator[str]:
    """The names above a name, nearest first: of `a.b.c` they are `b.c` and `c`."""
    return (cut.tail for cut in cuts(name))


def within(name: str, zone: str) -> bool:
    """Whether a name is the zone's own, or one below it."""
    return name == zone or (name.endswith(f".{zone}") and zone in parents(name))


def _escaped(label: str) -> str:
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in label)


def _octal(character: str) -> str:
    return character if character in _PLAIN else f"\\{ord(character):03o}"
