"""Parameters of the Query and EC2 protocols: a flat form of dotted names, read along the model.

The form first becomes a tree (`Instances.member.1.Id` -> nested dictionaries), whose size is bounded by the
number of parameters: an index is a key, never a position, so an absurd one costs nothing.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from botocore.model import Shape

from longshore.wire.errors import ApiError, UnreadableError
from longshore.wire.shapes import Compiler, text_reader, wire_name

Tree = dict[str, Any]
Read = Callable[[Any], Any]

MAX_PARAMETERS = 20_000
MAX_DEPTH = 64


def malformed(detail: str) -> ApiError:
    """Return the error of a form that cannot be read as one."""
    return ApiError("MalformedQueryString", f"The query string could not be read: {detail}.", status=400)


def _text(raw: str) -> str:
    if "%" not in raw and "+" not in raw:
        return raw
    return unquote_to_bytes(raw.replace("+", " ")).decode("utf-8")


def decode_form(raw: bytes) -> dict[str, str]:
    """Decode application/x-www-form-urlencoded; refuses a name given twice."""
    if raw.count(b"&") >= MAX_PARAMETERS:
        raise malformed(f"it has more than {MAX_PARAMETERS} parameters")
    form: dict[str, str] = {}
    try:
        for pair in raw.decode("utf-8").strip("\r\n").split("&"):
            if not pair:
                continue
            name, _, value = pair.partition("=")
            name = _text(name)
            if name in form:
                raise malformed(f"the parameter {name[:100]!r} is given twice")
            form[name] = _text(value)
    except UnicodeDecodeError:
        raise malformed("it is not UTF-8") from None
    return form


def tree_of(form: dict[str, str]) -> Tree:
    """Nest a form by the dots of its names."""
    root: Tree = {}
    for name, value in form.items():
        if name.count(".") >= MAX_DEPTH:
            raise malformed("a parameter's name is nested too deeply")
        node = root
        *parents, last = name.split(".")
        for part in parents:
            below = node.setdefault(part, {})
            if not isinstance(below, dict):
                if below:
                    raise malformed(f"the parameter {name[:100]!r} is both a value and a structure")
                below = node[part] = {}  # an empty list beside its members
            node = below
        if isinstance(node.get(last), dict):
            if value:
                raise malformed(f"the parameter {name[:100]!r} is both a value and a structure")
            continue
        node[last] = value
    return root


def _indexed(node: Any) -> list[tuple[str, Any]]:
    """Return the children of a list in the order of their indexes."""
    if node == "":
        return []
    if not isinstance(node, dict):
        raise UnreadableError("Expected a list: number its elements, from 1")
    for index in node:
        if not (index.isascii() and index.isdigit() and len(index) <= 9):
            raise UnreadableError(f"{index[:100]!r} is no index of a list: number its elements, from 1")
    ordered = sorted(node.items(), key=lambda item: int(item[0]))
    if len({int(index) for index, _ in ordered}) != len(ordered):
        raise UnreadableError("Two elements of a list have the same index")
    return ordered


class QueryReader(Compiler[Read]):
    """Compiles shapes to readers of a tree, for the Query protocol."""

    def build(self, shape: Shape) -> Read:
        """Compile one shape."""
        kind = shape.type_name
        if kind == "structure":
            return self._structure(shape)
        if kind == "list":
            return self._list(shape)
        if kind == "map":
            return self._map(shape)
        return _scalar(shape)

    def names(self, member: Any, name: str) -> tuple[str, ...]:
        """Return the names that a structure's member may have in the form: clients differ over flattened lists."""
        own = wire_name(member, name)
        if member.type_name == "list" and member.serialization.get("flattened"):
            return tuple(dict.fromkeys((str(member.member.serialization.get("name", own)), own)))
        return (own,)

    def element_name(self, shape: Any) -> str | None:
        """Return the name between a list and its indexes, if any."""
        if shape.serialization.get("flattened"):
            return None
        return str(shape.member.serialization.get("name", "member"))

    def _structure(self, shape: Any) -> Read:
        fields = [(self.names(member, name), name, self.get(member)) for name, member in shape.members.items()]

        def read(node: Any) -> dict[str, Any]:
            if node == "":
                return {}
            if not isinstance(node, dict):
                raise UnreadableError("Expected a structure: name its members after a dot")
            out: dict[str, Any] = {}
            for keys, name, member in fields:
                key = next((key for key in keys if key in node), None)
                if key is None:
                    continue
                child = node[key]
                try:
                    out[name] = member(child)
                except UnreadableError as error:
                    error.path.append(key)
                    raise
            return out

        return read

    def _list(self, shape: Any) -> Read:
        member = self.get(shape.member)
        between = self.element_name(shape)

        def read(node: Any) -> list[Any]:
            # Older clients leave `.member` out; AWS takes both.
            if between is not None and isinstance(node, dict) and between in node:
                node = node[between]
            out: list[Any] = []
            for index, child in _indexed(node):
                try:
                    out.append(member(child))
                except UnreadableError as error:
                    error.path.append(index)
                    raise
            return out

        return read

    def _map(self, shape: Any) -> Read:
        key_name, value_name = wire_name(shape.key, "key"), wire_name(shape.value, "value")
        read_key, read_value = self.get(shape.key), self.get(shape.value)
        flattened = bool(shape.serialization.get("flattened"))

        def read(node: Any) -> dict[str, Any]:
            if not flattened and isinstance(node, dict) and "entry" in node:
                node = node["entry"]
            out: dict[str, Any] = {}
            for index, pair in _indexed(node):
                if not isinstance(pair, dict) or not isinstance(pair.get(key_name), str):
                    raise UnreadableError(f"The entry {index} of a map needs {key_name!r} and {value_name!r}")
                key = read_key(pair[key_name])
                if key in out:
                    raise UnreadableError("A map has the same key twice")
                out[key] = read_value(pair.get(value_name, ""))
            return out

        return read


class Ec2Reader(QueryReader):
    """The EC2 protocol: names are capitalised, and lists have no `member` level."""

    def names(self, member: Any, name: str) -> tuple[str, ...]:
        """Return the names that a structure's member may have in the form: not every client capitalises all."""
        if "queryName" in member.serialization:
            return (str(member.serialization["queryName"]),)
        given = str(member.serialization.get("name", name))
        return tuple(dict.fromkeys((given[0].upper() + given[1:], name)))

    def element_name(self, shape: Any) -> str | None:  # noqa: ARG002  # no list of EC2 has one
        """Return the name between a list and its indexes: none."""
        return None


def _scalar(shape: Shape) -> Read:
    convert = text_reader(shape)

    def read(node: Any) -> Any:
        if not isinstance(node, str):
            raise UnreadableError("Expected a single value")
        return convert(node)

    return read
