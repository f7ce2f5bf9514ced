"""Tags: the mapping that records keep, and the list of pairs that the APIs speak."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

Tags = dict[str, str]


def tags_from(pairs: Iterable[Mapping[str, Any]] | None, key: str = "key", value: str = "value") -> Tags:
    """`[{"key": k, "value": v}]` as a mapping; a missing value is the empty string, as AWS has it."""
    return {pair[key]: pair.get(value, "") for pair in pairs or ()}


def tags_list(tags: Mapping[str, str], key: str = "key", value: str = "value") -> list[dict[str, str]]:
    """The mapping as the list of pairs that an API answers, in the order in which tags were set."""
    return [{key: name, value: text} for name, text in tags.items()]


def tags_without(tags: Mapping[str, str], keys: Collection[str]) -> Tags:
    """The tags that are left once those with these keys are removed; keys that no tag has are passed over."""
    return {key: value for key, value in tags.items() if key not in keys}
