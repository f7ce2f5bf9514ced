"""What parameters hold: one, several, all below a path, and all that one ever held."""

from typing import Any

from longshore.api.operation import Call, Operation
from longshore.api.ssm.filters import checked_filters, passes
from longshore.api.ssm.lookup import Answer, find, invalid, newest_of, parameter_errors, read, reading_view, versions_of
from longshore.api.ssm.names import checked_path
from longshore.decide.secrets.parameters import ParameterRefused, Reading, public_reading, reading_of
from longshore.domain.secrets.parameter import Parameter, ParameterVersion
from longshore.domain.secrets.public_parameters import ROOT, public_parameters
from longshore.wire.pagination import page

BY_PATH, HISTORY = 10, 50
PATH_FILTERS = {"Type": ("Equals",), "KeyId": ("Equals",), "Label": ("Equals",)}
UNREADABLE = frozenset({"ParameterNotFound", "ParameterVersionNotFound"})


def get_parameter(call: Call) -> Answer:
    """GetParameter, by name or ARN, with a version or label after a colon."""
    with parameter_errors():
        return {"Parameter": reading_view(read(call, call.params["Name"]))}


def get_parameters(call: Call) -> Answer:
    """GetParameters. What is not there is told."""
    names: list[str] = call.params["Names"]
    if len(set(names)) < len(names):
        raise invalid("Duplicated parameter names are not allowed in a request.")
    found, missing = [], []
    for name in names:
        try:
            found.append(reading_view(read(call, name)))
        except ParameterRefused as refusal:
            if refusal.code not in UNREADABLE:
                with parameter_errors():
                    raise
            missing.append(name)
    return {"Parameters": found, "InvalidParameters": missing}


def get_parameters_by_path(call: Call) -> Answer:
    """GetParametersByPath: those in a path, or anywhere below it."""
    params = call.params
    path = checked_path(params["Path"])
    recursive = bool(params.get("Recursive"))
    filters = checked_filters(params.get("ParameterFilters"), PATH_FILTERS)
    published = f"{path}/".startswith(ROOT) and filters == []
    names = _public_names(call, path, recursive=recursive) if published else _own_names(call, path, recursive, filters)
    shown, more = page(
        sorted(names),
        str,
        params.get("MaxResults") or BY_PATH,
        params.get("NextToken"),
        operation="GetParametersByPath",
        code="InvalidNextToken",
        scope=repr((path, recursive, filters)),
    )
    with parameter_errors():
        readings = [_reading(call, name, filters, published=published) for name in shown]
    return {"Parameters": [reading_view(reading) for reading in readings], "NextToken": more}


def _own_names(call: Call, path: str, recursive: bool, filters: list[Any]) -> list[str]:
    found = call.tx.select(Parameter, "below" if recursive else "in", (*call.scope, path))
    return [parameter.name for parameter in found if passes(call, parameter, newest_of(call, parameter), filters)]


def _public_names(call: Call, path: str, *, recursive: bool) -> list[str]:
    below = [n for n in public_parameters(call.scope.region) if n.startswith(f"{path}/")]
    return [name for name in below if recursive or "/" not in name[len(path) + 1 :]]


def _reading(call: Call, name: str, filters: list[Any], *, published: bool) -> Reading:
    if published:
        region = call.scope.region
        return public_reading(region, name, public_parameters(region)[name])
    version = _labelled(call, name, filters) or newest_of(call, find(call, name))
    decryption = bool(call.params.get("WithDecryption"))
    return reading_of(call.tx, call.vault, call.scope, version, call.now, decryption=decryption)


def _labelled(call: Call, name: str, filters: list[Any]) -> ParameterVersion | None:
    """Where a label is asked for, the version that has it."""
    for key, _option, values in filters:
        for label in values if key == "Label" else ():
            for version in call.tx.select(ParameterVersion, "label", (*call.scope, name, label)):
                return version
    return None


def get_parameter_history(call: Call) -> Answer:
    """GetParameterHistory, oldest first."""
    params = call.params
    parameter = find(call, params["Name"])
    shown, more = page(
        versions_of(call, parameter),
        lambda version: f"{version.version:020}",
        params.get("MaxResults") or HISTORY,
        params.get("NextToken"),
        operation="GetParameterHistory",
        code="InvalidNextToken",
        scope=parameter.name,
    )
    with parameter_errors():
        return {"Parameters": [_past(call, version) for version in shown], "NextToken": more}


def _past(call: Call, version: ParameterVersion) -> Answer:
    decryption = bool(call.params.get("WithDecryption"))
    reading = reading_of(call.tx, call.vault, call.scope, version, call.now, decryption=decryption)
    return {**description(version), "Value": reading.value, "Labels": list(version.labels)}


def description(version: ParameterVersion) -> Answer:
    """All of a version but its value and labels."""
    view: Answer = {
        "Name": version.parameter_name,
        "Type": version.type,
        "KeyId": version.key_reference or None,
        "LastModifiedDate": version.modified_at,
        "LastModifiedUser": version.modified_by,
        "Description": version.description or None,
        "AllowedPattern": version.allowed_pattern or None,
        "Version": version.version,
        "Tier": version.tier,
        "Policies": [],
        "DataType": version.data_type,
    }
    return {name: value for name, value in view.items() if value is not None}


OPERATIONS: dict[str, Operation] = {
    "GetParameter": Operation(get_parameter),
    "GetParameterHistory": Operation(get_parameter_history),
    "GetParameters": Operation(get_parameters),
    "GetParametersByPath": Operation(get_parameters_by_path),
}
