"""XML bodies: read for REST-XML requests, written for Query, EC2 and REST-XML responses.

Entities and DTDs are refused (defusedxml). Writers append text to a list, which the caller joins once.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from botocore.model import Shape
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from longshore.wire.errors import ApiError, UnreadableError
from longshore.wire.shapes import Compiler, text_reader, text_writer, unknown_result, wire_name, wrong_result

Read = Callable[[Any], Any]
Write = Callable[[list[str], str, Any], None]

MAX_DEPTH = 100
OUTSIDE = frozenset({"header", "headers", "statusCode"})  # the locations of a response that are not its body
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#xD;"})


def malformed(detail: str) -> ApiError:
    """Return the error of a body that is not XML."""
    return ApiError("MalformedXML", f"The request body could not be read as XML: {detail}.", status=400)


def escape(text: str) -> str:
    """Escape text for XML; what XML cannot hold becomes U+FFFD."""
    return _ILLEGAL.sub("\ufffd", text).translate(_ESCAPES)


def local(tag: str) -> str:
    """Return a tag without its namespace."""
    return tag.rpartition("}")[2]


def decode(body: bytes) -> Element:
    """Parse a body."""
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise malformed(str(error).splitlines()[0] if str(error) else type(error).__name__) from None
    level: list[Element] = [root]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise malformed("it is nested too deeply")
        level = [child for element in level for child in element]
    return root


class XmlReader(Compiler[Read]):
    """Compiles shapes to readers of a list of equally named elements."""

    def build(self, shape: Shape) -> Read:
        """Compile one shape."""
        kind = shape.type_name
        if kind == "structure":
            return self._structure(shape)
        if kind == "list":
            return self._list(shape)
        if kind == "map":
            return self._map(shape)
        convert = text_reader(shape)

        def read(elements: list[Element]) -> Any:
            element = _single(elements)
            if len(element):
                raise UnreadableError("Expected text, not elements")
            return convert(element.text or "")

        return read

    def _structure(self, shape: Any) -> Read:
        fields, attributes = [], []
        for name, member in shape.members.items():
            if member.serialization.get("location"):
                continue
            if member.serialization.get("xmlAttribute"):
                attributes.append((wire_name(member, name).rpartition(":")[2], name, text_reader(member)))
            else:
                tags = dict.fromkeys((_member_tag(member, name), wire_name(member, name)))
                fields.append((tuple(tags), name, self.get(member)))

        def read(elements: list[Element]) -> dict[str, Any]:
            element = _single(elements)
            groups: dict[str, list[Element]] = {}
            for child in element:
                groups.setdefault(local(child.tag), []).append(child)
            out: dict[str, Any] = {}
            for tags, name, member in fields:
                tag = next((tag for tag in tags if tag in groups), None)
                if tag is None:
                    continue
                found = groups[tag]
                try:
                    out[name] = member(found)
                except UnreadableError as error:
                    error.path.append(tag)
                    raise
            given = {local(key): value for key, value in element.attrib.items()} if attributes else {}
            for key, name, convert in attributes:
                if key in given:
                    out[name] = convert(given[key])
            return out

        return read

    def _list(self, shape: Any) -> Read:
        member = self.get(shape.member)
        if shape.serialization.get("flattened"):
            return lambda elements: [member([element]) for element in elements]
        tag = wire_name(shape.member, "member")

        def read(elements: list[Element]) -> list[Any]:
            return [member([child]) for child in _single(elements) if local(child.tag) == tag]

        return read

    def _map(self, shape: Any) -> Read:
        key_tag, value_tag = wire_name(shape.key, "key"), wire_name(shape.value, "value")
        read_key, read_value = self.get(shape.key), self.get(shape.value)
        flattened = bool(shape.serialization.get("flattened"))

        def read(elements: list[Element]) -> dict[str, Any]:
            entries: Iterable[Element] = elements if flattened else _single(elements)
            out: dict[str, Any] = {}
            for entry in entries:
                keys = [child for child in entry if local(child.tag) == key_tag]
                values = [child for child in entry if local(child.tag) == value_tag]
                if not keys or not values:
                    raise UnreadableError(f"Every entry of a map needs <{key_tag}> and <{value_tag}>")
                key = read_key(keys)
                if key in out:
                    raise UnreadableError("A map has the same key twice")
                out[key] = read_value(values)
            return out

        return read


def _single(elements: list[Element]) -> Element:
    if len(elements) != 1:
        raise UnreadableError("The element is given more than once")
    return elements[0]


def _member_tag(member: Any, name: str) -> str:
    if member.type_name == "list" and member.serialization.get("flattened"):
        return str(member.member.serialization.get("name") or wire_name(member, name))
    return wire_name(member, name)


def namespace_of(shape: Shape) -> str:
    """Return the xmlns attribute of a shape, with a leading blank, or nothing."""
    namespace = shape.serialization.get("xmlNamespace")
    if not namespace:
        return ""
    if isinstance(namespace, str):
        return f' xmlns="{escape(namespace)}"'
    prefix = f":{namespace['prefix']}" if namespace.get("prefix") else ""
    return f' xmlns{prefix}="{escape(namespace["uri"])}"'


class XmlWriter(Compiler[Write]):
    """Compiles shapes to functions (out, tag, value) that append a value's elements to `out`."""

    def __init__(self, item_tag: str = "member") -> None:
        super().__init__()
        self._item_tag = item_tag

    def build(self, shape: Shape) -> Write:
        """Compile one shape."""
        kind = shape.type_name
        if kind == "structure":
            return self._structure(shape)
        if kind == "list":
            return self._list(shape)
        if kind == "map":
            return self._map(shape)
        text, xmlns = text_writer(shape, "iso8601"), namespace_of(shape)

        def write(out: list[str], tag: str, value: Any) -> None:
            out.append(f"<{tag}{xmlns}>{escape(text(value))}</{tag}>")

        return write

    def _structure(self, shape: Any) -> Write:
        attributes = {
            name: (wire_name(member, name), text_writer(member, "iso8601"))
            for name, member in shape.members.items()
            if member.serialization.get("xmlAttribute")
        }
        content, xmlns = self.content(shape), namespace_of(shape)

        def write(out: list[str], tag: str, value: Any) -> None:
            given = "".join(
                f' {key}="{escape(text(value[name]))}"'
                for name, (key, text) in attributes.items()
                if value.get(name) is not None
            )
            out.append(f"<{tag}{xmlns}{given}>")
            content(out, value)
            out.append(f"</{tag}>")

        return write

    def content(self, shape: Any) -> Callable[[list[str], Any], None]:
        """Return a writer of a structure's members, without an element around them."""
        fields: dict[str, tuple[str, Write] | None] = {}
        for name, member in shape.members.items():
            outside = member.serialization.get("location") in OUTSIDE or member.serialization.get("xmlAttribute")
            fields[name] = None if outside else (_member_tag(member, name), self.get(member))

        def write(out: list[str], value: Any) -> None:
            for name, item in value.items():
                if item is None:
                    continue
                try:
                    field = fields[name]
                except KeyError:
                    raise unknown_result(shape, name) from None
                if field is not None:
                    field[1](out, field[0], item)

        return write

    def _list(self, shape: Any) -> Write:
        member, xmlns = self.get(shape.member), namespace_of(shape)
        flattened = bool(shape.serialization.get("flattened"))
        item_tag = wire_name(shape.member, self._item_tag)

        def write(out: list[str], tag: str, value: Any) -> None:
            if isinstance(value, str | bytes | dict):
                raise wrong_result(shape, value)
            if flattened:
                for item in value:
                    member(out, tag, item)
                return
            out.append(f"<{tag}{xmlns}>")
            for item in value:
                member(out, item_tag, item)
            out.append(f"</{tag}>")

        return write

    def _map(self, shape: Any) -> Write:
        key_tag, value_tag = wire_name(shape.key, "key"), wire_name(shape.value, "value")
        write_key, write_value = self.get(shape.key), self.get(shape.value)
        flattened, xmlns = bool(shape.serialization.get("flattened")), namespace_of(shape)

        def write(out: list[str], tag: str, value: Any) -> None:
            entry = tag if flattened else "entry"
            if not flattened:
                out.append(f"<{tag}{xmlns}>")
            for key, item in value.items():
                out.append(f"<{entry}>")
                write_key(out, key_tag, key)
                write_value(out, value_tag, item)
                out.append(f"</{entry}>")
            if not flattened:
                out.append(f"</{tag}>")

        return write
