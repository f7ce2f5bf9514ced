"""EC2's filters: names with values, joined by AND, values by OR, `*` and `?` as wildcards. Pure.

A describe operation gives the values that its answer has under each filter name; whatever it does not name is refused,
so that no filter is ever ignored. `tag:KEY` and `tag-key` work for every resource that has tags.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from longshore.wire.errors import ApiError

MAX_FILTERS = 50
MAX_VALUES = 200

View = dict[str, Any]
Values = Callable[[View], Iterable[Any]]


def at(path: str) -> Values:
    """The values at a path of an answer, such as `Attachment.Status` or `Groups.GroupId`, through lists."""
    names = path.split(".")

    def values(view: View) -> Iterable[Any]:
        found: list[Any] = [view]
        for name in names:
            found = [item[name] for item in found if item.get(name) is not None]
            found = [item for entry in found for item in (entry if isinstance(entry, list) else [entry])]
        return found

    return values


def table(*, tags: str | None = "Tags", **paths: str) -> dict[str, Values]:
    """A table of filters from names to paths; underscores in names stand for hyphens."""
    made = {name.replace("_", "-"): at(path) for name, path in paths.items()}
    if tags is not None:
        made["tag-key"] = at(f"{tags}.Key")
        made["tag-value"] = at(f"{tags}.Value")  # undocumented, but served by AWS
    return made


def apply(
    views: Iterable[View], filters: Sequence[Mapping[str, Any]] | None, known: Mapping[str, Values]
) -> list[View]:
    """The answers that pass every filter."""
    tests = [_test(entry, known) for entry in checked(filters)]
    return [view for view in views if all(test(view) for test in tests)]


def checked(filters: Sequence[Mapping[str, Any]] | None) -> Sequence[Mapping[str, Any]]:
    """The filters, after EC2's limits on their number."""
    filters = filters or ()
    if len(filters) > MAX_FILTERS:
        raise ApiError("FilterLimitExceeded", f"The maximum number of filters specified is {MAX_FILTERS}")
    for entry in filters:
        if not entry.get("Values"):
            raise ApiError(
                "InvalidParameterValue", f"The filter '{entry.get('Name', 'null')}' has no values; give one."
            )
        if len(entry["Values"]) > MAX_VALUES:
            raise ApiError(
                "FilterLimitExceeded",
                f"The maximum number of filter values specified on a single call is {MAX_VALUES}",
            )
    return filters


def _test(entry: Mapping[str, Any], known: Mapping[str, Values]) -> Callable[[View], bool]:
    values = _values(entry.get("Name", ""), known)
    patterns = [compiled(value) for value in entry["Values"]]

    def test(view: View) -> bool:
        texts = [text_of(value) for value in values(view)]
        return any(_like(pattern, text) for text in texts for pattern in patterns)

    return test


def _values(name: str, known: Mapping[str, Values]) -> Values:
    if name in known:
        return known[name]
    if name.startswith("tag:") and "tag-key" in known:
        return _tagged(name.removeprefix("tag:"))
    raise ApiError("InvalidParameterValue", f"The filter '{name}' is invalid")


def _tagged(key: str) -> Values:
    def values(view: View) -> Iterable[Any]:
        tags: Sequence[Mapping[str, str]] = view.get("Tags") or view.get("TagSet") or ()
        return [tag["Value"] for tag in tags if tag["Key"] == key]

    return values


def text_of(value: Any) -> str:
    """A value as filters write it: `true` and `false` for flags."""
    return str(value).lower() if isinstance(value, bool) else str(value)


_SPECIAL = re.compile(r"\\(.)|([*?])|([^\\*?]+)|\\", re.DOTALL)


def compiled(value: str) -> list[str]:
    """A filter's value as literal pieces, `*` and `?`; a backslash makes the next character literal."""
    pieces: list[str] = []
    for escaped, wild, plain in _SPECIAL.findall(value):
        if wild:
            if wild == "*" and pieces and pieces[-1] == "*":
                continue
            pieces.append(wild)
        else:
            pieces.extend(f"={character}" for character in (escaped or plain or "\\"))
    return pieces


def _like(pieces: Sequence[str], text: str) -> bool:
    """Whether a text fits. Greedy with one place to go back to, so that no pattern takes more than n x m steps."""
    position = piece = 0
    star = kept = -1
    while position < len(text):
        here = pieces[piece] if piece < len(pieces) else ""
        if here == "*":
            star, kept = piece, position
            piece += 1
        elif here == "?" or here == f"={text[position]}":
            piece, position = piece + 1, position + 1
        elif star >= 0:
            piece, kept = star + 1, kept + 1
            position = kept
        else:
            return False
    return all(rest == "*" for rest in pieces[piece:])
