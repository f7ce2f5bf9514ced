"""Filters of DescribeParameters and GetParametersByPath."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from longshore.api.operation import Call
from longshore.api.ssm.lookup import versions_of
from longshore.domain.secrets.parameter import Parameter, ParameterVersion
from longshore.wire.errors import ApiError

ParameterFilter = tuple[str, str, Sequence[str]]
"""`(key, option, values)`."""
Options = Mapping[str, tuple[str, ...]]
TEXT = ("BeginsWith", "Equals", "Contains")
DESCRIBED: Options = {
    "Name": TEXT,
    "Type": ("BeginsWith", "Equals"),
    "KeyId": ("BeginsWith", "Equals"),
    "Path": ("OneLevel", "Recursive"),
    "Label": ("Equals",),
    "Tier": ("Equals",),
    "DataType": ("BeginsWith", "Equals"),
}
"""Key -> options of DescribeParameters; a key `tag:…` has Equals."""
ALLOWED: Mapping[str, tuple[str, ...]] = {
    "Type": ("String", "StringList", "SecureString"),
    "Tier": ("Standard", "Advanced", "Intelligent-Tiering"),
}


def checked_filters(given: Iterable[Mapping[str, Any]] | None, options: Options) -> list[ParameterFilter]:
    """The filters, each with its option. Raises InvalidFilterKey, InvalidFilterOption and InvalidFilterValue."""
    made: list[ParameterFilter] = []
    for each in given or ():
        key, option, values = each["Key"], each.get("Option"), each.get("Values") or []
        if key in {known for known, _, _ in made}:
            text = f"The following filters are duplicated in the request: [{key}]. A request can contain a filter once."
            raise ApiError("InvalidFilterKey", text)
        tagged = key.startswith("tag:") and "Path" in options
        if key not in options and not tagged:
            text = f"The following filter key is not valid: {key}. Valid filter keys include: [{', '.join(options)}]."
            raise ApiError("InvalidFilterKey", text)
        valid = ("Equals",) if tagged else options[key]
        option = option or ("OneLevel" if key == "Path" else "Equals")
        if option not in valid:
            text = f"The following filter option is not valid: {option}. Valid options include: [{', '.join(valid)}]."
            raise ApiError("InvalidFilterOption", text)
        _check_values(key, values, tagged=tagged)
        made.append((key, option, values))
    return made


def _check_values(key: str, values: Sequence[str], *, tagged: bool) -> None:
    if not values and not tagged:
        text = f"The following filter values are missing : null for filter key {key}."
        raise ApiError("InvalidFilterValue", text)
    wrong = [value for value in values if value not in ALLOWED.get(key, values)]
    if wrong:
        raise ApiError("InvalidFilterValue", f"The following filter value is not valid: {wrong[0]} for key {key}.")
    if key == "Path" and any(not value.startswith("/") for value in values):
        raise ApiError("InvalidFilterValue", "A path must begin with a forward slash.")


def passes(call: Call, parameter: Parameter, newest: ParameterVersion, filters: Iterable[ParameterFilter]) -> bool:
    """Whether a parameter passes every filter; one is passed by any of its values."""
    return all(_passes(call, parameter, newest, each) for each in filters)


def _passes(call: Call, parameter: Parameter, newest: ParameterVersion, each: ParameterFilter) -> bool:
    key, option, values = each
    if key == "Label":
        labels = {label for version in versions_of(call, parameter) for label in version.labels}
        return not labels.isdisjoint(values)
    if key == "Path":
        return any(_below(parameter.name, value, recursive=option == "Recursive") for value in values)
    if key.startswith("tag:"):
        value = parameter.tags.get(key.removeprefix("tag:"))
        return value is not None and (not values or value in values)
    text = {
        "Name": parameter.name,
        "Type": newest.type,
        "KeyId": newest.key_reference,
        "Tier": newest.tier,
        "DataType": newest.data_type,
    }[key]
    return any(_matches(text, option, value, name=key == "Name") for value in values)


def _matches(text: str, option: str, value: str, *, name: bool) -> bool:
    if option == "Equals":
        return text == value
    if option == "Contains":
        return value in text
    # A name's slash at its beginning may be left out where it is asked by its beginning.
    return text.startswith(value) or (name and text.removeprefix("/").startswith(value))


def _below(name: str, path: str, *, recursive: bool) -> bool:
    stem = path.rstrip("/") + "/"
    rest = name.removeprefix(stem) if name.startswith(stem) else name if stem == "/" else None
    return rest is not None and (recursive or "/" not in rest)
