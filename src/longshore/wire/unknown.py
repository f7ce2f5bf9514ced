"""Names in a request that the model lacks. AWS ignores them, and so does parsing; this finds them for a log line."""

from collections.abc import Callable
from typing import Any

from longshore.wire import cbor, json_body
from longshore.wire.http import HttpRequest
from longshore.wire.query import Ec2Reader, QueryReader
from longshore.wire.shapes import wire_name

MAX_NAMES = 50
_COMMON = ("Action", "Version")


def unknown_names(
    protocol: str, model: Any, request: HttpRequest, form_of: Callable[[HttpRequest], dict[str, str]]
) -> list[str]:
    """Return unknown names: whole paths in JSON and CBOR, top-level names in forms, none for XML bodies."""
    shape = model.input_shape
    found: list[str] = []
    if protocol in ("query", "ec2"):
        members = shape.members.items() if shape is not None else ()
        reader = Ec2Reader() if protocol == "ec2" else QueryReader()
        known = {key for name, member in members for key in reader.names(member, name)}
        heads = dict.fromkeys(name.partition(".")[0] for name in form_of(request))
        return [n for n in heads if n not in known and n not in _COMMON and not n.startswith("X-Amz-")][:MAX_NAMES]
    if protocol in ("json", "smithy-rpc-v2-cbor", "rest-json"):
        raw = (cbor if protocol == "smithy-rpc-v2-cbor" else json_body).decode(request.body)
        if shape is None:
            return list(raw)[:MAX_NAMES] if isinstance(raw, dict) else []
        payload = shape.serialization.get("payload")
        _walk(shape.members[payload] if payload else shape, raw, "", found)
    return found[:MAX_NAMES]


def _walk(shape: Any, raw: Any, path: str, found: list[str]) -> None:
    if len(found) >= MAX_NAMES:
        return
    if shape.type_name == "structure" and isinstance(raw, dict) and not shape.is_document_type:
        known = {wire_name(member, name): member for name, member in shape.members.items()}
        for key, value in raw.items():
            if key in known:
                _walk(known[key], value, f"{path}{key}.", found)
            else:
                found.append(f"{path}{key}")
    elif shape.type_name == "list" and isinstance(raw, list):
        for index, value in enumerate(raw, 1):
            _walk(shape.member, value, f"{path}{index}.", found)
    elif shape.type_name == "map" and isinstance(raw, dict):
        for key, value in raw.items():
            _walk(shape.value, value, f"{path}{key}.", found)
