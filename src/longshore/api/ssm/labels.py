"""Labels of a parameter's versions: each is on one version at a time, and moves."""

from longshore.api.operation import Call, Operation
from longshore.api.ssm.lookup import Answer, find, parameter_errors, versions_of
from longshore.api.ssm.names import is_label
from longshore.decide.secrets.parameters import chosen
from longshore.domain.secrets.parameter import Parameter, ParameterVersion
from longshore.wire.errors import ApiError

MAX_LABELS = 10


def label_parameter_version(call: Call) -> Answer:
    """LabelParameterVersion: the newest, unless a number is given. Labels that can't be are told."""
    parameter, asked = find(call, call.params["Name"]), list(dict.fromkeys(call.params["Labels"]))
    version = _version(call, parameter, call.params.get("ParameterVersion"))
    valid = [label for label in asked if is_label(label)]
    labels = tuple(dict.fromkeys((*version.labels, *valid)))
    if len(labels) > MAX_LABELS:
        text = f"A parameter version can have maximum {MAX_LABELS} labels. Move one or more labels to another version."
        raise ApiError("ParameterVersionLabelLimitExceeded", text)
    for other in versions_of(call, parameter):
        kept = tuple(label for label in other.labels if label not in valid)
        if other.version != version.version and kept != other.labels:
            call.tx.put(other.but(labels=kept))
    call.tx.put(version.but(labels=labels))
    return {"InvalidLabels": [label for label in asked if label not in valid], "ParameterVersion": version.version}


def unlabel_parameter_version(call: Call) -> Answer:
    """UnlabelParameterVersion. Labels that the version does not have are told."""
    parameter, asked = find(call, call.params["Name"]), list(dict.fromkeys(call.params["Labels"]))
    version = _version(call, parameter, call.params["ParameterVersion"])
    removed = [label for label in asked if label in version.labels]
    call.tx.put(version.but(labels=tuple(label for label in version.labels if label not in removed)))
    return {"RemovedLabels": removed, "InvalidLabels": [label for label in asked if label not in removed]}


def _version(call: Call, parameter: Parameter, number: int | None) -> ParameterVersion:
    with parameter_errors():
        return chosen(call.tx, call.scope, parameter.name, "" if number is None else str(number))


OPERATIONS: dict[str, Operation] = {
    "LabelParameterVersion": Operation(label_parameter_version),
    "UnlabelParameterVersion": Operation(unlabel_parameter_version),
}
