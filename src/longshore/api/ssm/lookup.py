"""Finds parameters, and says with Parameter Store's codes what can't be had."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from longshore.api.operation import Call
from longshore.decide.secrets.parameters import NOT_FOUND, ParameterRefused, Reading, name_in, read_parameter
from longshore.domain.secrets.parameter import Parameter, ParameterVersion
from longshore.wire.errors import ApiError

Answer = dict[str, Any]


def invalid(text: str) -> ApiError:
    """The error for a request that Parameter Store does not take."""
    return ApiError("ValidationException", text)


@contextmanager
def parameter_errors() -> Iterator[None]:
    """Parameter Store's own errors for what a parameter refuses."""
    try:
        yield
    except ParameterRefused as refusal:
        raise ApiError(refusal.code, refusal.text) from refusal


def find(call: Call, reference: str) -> Parameter:
    """The parameter with a name or ARN. Raises ParameterNotFound."""
    with parameter_errors():
        name = name_in(call.tx, call.scope, reference)
    found = call.tx.get(Parameter, (*call.scope, name))
    if found is None:
        raise ApiError("ParameterNotFound", NOT_FOUND.format(name=reference))
    return found


def versions_of(call: Call, parameter: Parameter) -> list[ParameterVersion]:
    """All its versions, oldest first."""
    found = call.tx.select(ParameterVersion, "parameter", (*parameter.scope, parameter.name))
    return sorted(found, key=lambda version: version.version)


def newest_of(call: Call, parameter: Parameter) -> ParameterVersion:
    """The version that a name alone means."""
    found = call.tx.get(ParameterVersion, (*parameter.scope, parameter.name, str(parameter.version)))
    if found is None:
        raise LookupError(f"parameter {parameter.name} has no version {parameter.version}")
    return found


def read(call: Call, reference: str) -> Reading:
    """What a name, with its version or label, means and holds. Raises ParameterRefused."""
    decryption = bool(call.params.get("WithDecryption"))
    return read_parameter(call.tx, call.vault, call.scope, reference, call.now, decryption=decryption)


def reading_view(reading: Reading) -> Answer:
    """A parameter, as GetParameter answers it."""
    view = {
        "Name": reading.name,
        "Type": reading.type,
        "Value": reading.value,
        "Version": reading.version,
        "Selector": reading.selector or None,
        "SourceResult": reading.source or None,
        "LastModifiedDate": reading.modified_at,
        "ARN": reading.arn,
        "DataType": reading.data_type,
    }
    return {name: value for name, value in view.items() if value is not None}
