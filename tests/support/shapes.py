"""Whether an answer has the shape that a service's model gives it: no member the model doesn't know, of its type."""

from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel, Shape

SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "timestamp": (float, int),
    "blob": (bytes,),
}


@cache
def model(service: str) -> ServiceModel:
    """botocore's model of a service."""
    return botocore.session.get_session().get_service_model(service)


def check_answer(service: str, operation: str, answer: Any) -> None:
    """Fail where the answer is not of the operation's output shape."""
    shape = model(service).operation_model(operation).output_shape
    if shape is None:
        assert answer == {}
    else:
        _check(shape, answer, operation)


def has_input(service: str, operation: str, path: str) -> bool:
    """Whether a path such as `overrides.containerOverrides[].cpu` leads to a member of the operation's input.

    What is in a map, such as the options of a log driver, the model doesn't name.
    """
    shape: Any = model(service).operation_model(operation).input_shape
    for part in path.split("."):
        name = part.removesuffix("[]")
        if shape.type_name == "map":
            return True
        if name not in shape.members:
            return False
        shape = shape.members[name]
        if part.endswith("[]"):
            shape = shape.member
    return True


def _check(shape: Shape | Any, value: Any, path: str) -> None:
    if shape.type_name == "structure":
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{path} has members that {shape.name} does not know: {sorted(unknown)}"
        for name, item in value.items():
            assert item is not None or path.count(".") == 0, f"{path}.{name} is None"
            if item is not None:
                _check(shape.members[name], item, f"{path}.{name}")
    elif shape.type_name == "list":
        for position, item in enumerate(value):
            _check(shape.member, item, f"{path}[{position}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            _check(shape.value, item, f"{path}[{key}]")
    else:
        kinds = SCALARS[shape.type_name]
        assert isinstance(value, kinds), f"{path} is {value!r}, not {shape.type_name}"
        assert bool in kinds or not isinstance(value, bool), f"{path} is {value!r}, not {shape.type_name}"
