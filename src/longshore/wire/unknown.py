"""Names in a request that the model lacks. AWS ignores them, and so does parsing; this finds them for a log line."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from botocore.model import Shape

from longshore.wire import cbor, json_body
from longshore.wire.http import HttpRequest
from longshore.wire.query import Ec2Reader, QueryReader
from longshore.wire.shapes import Compiler, wire_name

MAX_NAMES = 50
_COMMON = ("Action", "Version")
Find = Callable[[Any], Sequence[str]]


def unknown_names(
    protocol: str, model: Any, request: HttpRequest, form_of: Callable[[HttpRequest], dict[str, str]], finder: "Finder"
) -> list[str]:
    """Return unknown names: whole paths in JSON and CBOR, top-level names in forms, none for XML bodies.

    `finder` is one of the service's own.
    """
    shape = model.input_shape
    if protocol in ("query", "ec2"):
        members = shape.members.items() if shape is not None else ()
        reader = Ec2Reader() if protocol == "ec2" else QueryReader()
        known = {key for name, member in members for key in reader.names(member, name)}
        heads = dict.fromkeys(name.partition(".")[0] for name in form_of(request))
        return [n for n in heads if n not in known and n not in _COMMON and not n.startswith("X-Amz-")][:MAX_NAMES]
    if protocol in ("json", "smithy-rpc-v2-cbor", "rest-json"):
        raw = cbor.decode(request.body) if protocol.endswith("cbor") else json_body.decode_again(request.body)
        if shape is None:
            return list(raw)[:MAX_NAMES] if isinstance(raw, dict) else []
        payload = shape.serialization.get("payload")
        return list(finder.get(shape.members[payload] if payload else shape)(raw))[:MAX_NAMES]
    return []


class Finder(Compiler[Find]):
    """Compiles shapes to functions from a decoded value to the paths in it that the shape lacks."""

    def build(self, shape: Shape) -> Find:
        """Compile one shape."""
        if getattr(shape, "is_document_type", False):
            return _nothing
        makers: dict[str, Callable[[Any], Find]] = {"structure": self._structure, "list": self._list, "map": self._map}
        return makers.get(shape.type_name, lambda _shape: _nothing)(shape)

    def _structure(self, shape: Any) -> Find:
        known = {wire_name(member, name): self.get(member) for name, member in shape.members.items()}

        def find(raw: Any) -> Sequence[str]:
            found: list[str] = []
            for key, value in raw.items() if isinstance(raw, dict) else ():
                below = known.get(key)
                if below is None:
                    found.append(str(key))
                elif below is not _nothing:
                    found += [f"{key}.{name}" for name in below(value)]
                if len(found) >= MAX_NAMES:
                    break
            return found

        return find

    def _list(self, shape: Any) -> Find:
        below = self.get(shape.member)
        if below is _nothing:
            return _nothing
        return lambda raw: _found(enumerate(raw, 1), below) if isinstance(raw, list) else ()

    def _map(self, shape: Any) -> Find:
        below = self.get(shape.value)
        if below is _nothing:
            return _nothing
        return lambda raw: _found(raw.items(), below) if isinstance(raw, dict) else ()


def _nothing(_raw: Any) -> Sequence[str]:
    """Nothing can be unknown in a scalar, or in a document."""
    return ()


def _found(items: Iterable[tuple[object, Any]], below: Find) -> list[str]:
    found: list[str] = []
    for key, value in items:
        found += [f"{key}.{name}" for name in below(value)]
        if len(found) >= MAX_NAMES:
            break
    return found
