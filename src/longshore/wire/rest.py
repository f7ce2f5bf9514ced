"""The bindings of REST-JSON and REST-XML: which member travels in the path, query, headers, status or body.

One `RestOperation` per operation, compiled once by the catalog; bodies are the JSON and XML codecs' work.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import OperationModel, Shape

from longshore.wire import json_body, xml
from longshore.wire.errors import ApiError, UnreadableError
from longshore.wire.http import HttpRequest
from longshore.wire.routes import Match, decode_query, unquote_label
from longshore.wire.shapes import as_bytes, decode_base64, text_reader, text_writer, unknown_result, wire_name
from longshore.wire.timestamps import to_text

_HEADER_ITEM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*+)"|([^,]*+))\s*(?:,|$)', re.DOTALL)
_UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Codecs:
    """The readers and writers that all REST operations of one protocol share."""

    def __init__(self, protocol: str) -> None:
        self.is_json = protocol == "rest-json"
        self.json_reader, self.json_writer = json_body.JsonReader(), json_body.JsonWriter()
        self.xml_reader, self.xml_writer = xml.XmlReader(), xml.XmlWriter()
        self.content_type = "application/json" if self.is_json else "application/xml"

    def read_body(self, shape: Any, body: bytes) -> Any:
        """Read a structure from a body."""
        if self.is_json:
            return self.json_reader.get(shape)(json_body.decode(body))
        if not body.strip():
            return {}
        return self.xml_reader.get(shape)([xml.decode(body)])

    def write_body(self, shape: Any, tag: str, value: Any) -> bytes:
        """Write a structure as a body."""
        if self.is_json:
            return json_body.encode(self.json_writer.get(shape)(value))
        out: list[str] = ['<?xml version="1.0" encoding="UTF-8"?>\n']
        self.xml_writer.get(shape)(out, tag, value)
        return "".join(out).encode()


class RestOperation:
    """Reads requests and writes results of one operation."""

    def __init__(self, codecs: Codecs, model: OperationModel) -> None:
        self._codecs = codecs
        self._input: Any = model.input_shape
        self._output = OutputBinding(codecs, model.output_shape, f"{model.name}Result")
        self._status = int(model.http.get("responseCode", 200))
        self._readers: list[tuple[str, str, str, Callable[[Any], Any]]] = []
        self._own_query = {
            part.partition("=")[0] for part in model.http["requestUri"].partition("?")[2].split("&") if part
        }
        self._bound_query: set[str] = set()
        if self._input is not None:
            for name, member in self._input.members.items():
                location = member.serialization.get("location")
                if location:
                    wire = wire_name(member, name)
                    self._readers.append((location, wire, name, location_reader(location, member)))
                    if location == "querystring" and member.type_name != "map":
                        self._bound_query.add(wire)
            self._body_members = any(not m.serialization.get("location") for m in self._input.members.values())

    def read(self, request: HttpRequest, match: Match) -> dict[str, Any]:
        """Read a request's parameters."""
        if self._input is None:
            return {}
        out: dict[str, Any] = {}
        try:
            query = decode_query(request.query)
            labels = {name: unquote_label(raw) for name, raw in match.labels.items()}
        except UnicodeDecodeError:
            raise ApiError("SerializationException", "The path or the query string is not UTF-8.", status=400) from None
        sources: dict[str, Mapping[str, Any]] = {"uri": labels, "querystring": query, "header": request.headers}
        for location, wire, name, read in self._readers:
            try:
                self._read_one(out, (location, wire, name, read), sources, request)
            except UnreadableError as error:
                error.path.append(name)
                raise
        payload = self._input.serialization.get("payload")
        if payload:
            self._read_payload(out, payload, request)
        elif self._body_members:
            out.update(self._codecs.read_body(self._input, request.body))
        return out

    def _read_one(
        self,
        out: dict[str, Any],
        reader: tuple[str, str, str, Callable[[Any], Any]],
        sources: Mapping[str, Mapping[str, Any]],
        request: HttpRequest,
    ) -> None:
        location, wire, name, read = reader
        if location == "headers":
            prefix = wire.lower()
            found = {key[len(prefix) :]: value for key, value in request.headers.items() if key.startswith(prefix)}
            if found:
                out[name] = read(found)
        elif location == "querystring" and self._input.members[name].type_name == "map":
            taken = self._bound_query | self._own_query
            free = {key: values for key, values in sources["querystring"].items() if key not in taken}
            if free:
                out[name] = read(free)
        else:
            key = wire.lower() if location == "header" else wire
            value = sources[location].get(key)
            if value is not None:
                out[name] = read(value)

    def _read_payload(self, out: dict[str, Any], payload: str, request: HttpRequest) -> None:
        member = self._input.members[payload]
        if member.type_name == "blob":
            if request.body or member.metadata.get("required") or payload in self._input.required_members:
                out[payload] = request.body
        elif member.type_name == "string":
            if request.body:
                try:
                    out[payload] = request.body.decode()
                except UnicodeDecodeError:
                    raise UnreadableError("The body is not UTF-8") from None
        elif request.body.strip():
            out[payload] = self._codecs.read_body(member, request.body)

    def write(self, result: Mapping[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        """Write a result as status, headers and body."""
        status, headers, body = self._output.write(result)
        return status or self._status, headers, body


class OutputBinding:
    """Writes the members of an output or an error where the model binds them."""

    def __init__(self, codecs: Codecs, shape: Any, default_tag: str) -> None:
        self._codecs, self._shape = codecs, shape
        self._writers: dict[str, tuple[str, str, Callable[[Any], Any]]] = {}
        if shape is None:
            return
        for name, member in shape.members.items():
            location = member.serialization.get("location")
            if location in xml.OUTSIDE:
                write = (lambda value: value) if location == "statusCode" else header_writer(member, location)
                self._writers[name] = (location, wire_name(member, name), write)
        self._payload = shape.serialization.get("payload")
        self._has_body = any(m.serialization.get("location") not in xml.OUTSIDE for m in shape.members.values())
        self._bound = frozenset(self._writers)
        self._tag = str(shape.serialization.get("name") or default_tag)
        self._structure = codecs.json_writer.structure(shape, self._bound)

    def write(self, result: Mapping[str, Any]) -> tuple[int | None, list[tuple[str, str]], bytes]:
        """Return the status (if a member sets it), the headers and the body."""
        if self._shape is None:
            if result:
                raise unknown_result("no output", next(iter(result)))
            return None, [], b"{}" if self._codecs.is_json else b""
        status, headers = self.bound(result)
        if self._payload:
            unknown = [name for name in result if name not in self._shape.members]
            if unknown:
                raise unknown_result(self._shape, unknown[0])
            content_type, body = self._payload_body(result.get(self._payload))
        elif not self._has_body:
            unknown = [name for name in result if name not in self._shape.members]
            if unknown:
                raise unknown_result(self._shape, unknown[0])
            content_type, body = self._codecs.content_type, b"{}" if self._codecs.is_json else b""
        elif self._codecs.is_json:
            content_type, body = self._codecs.content_type, json_body.encode(self._structure(result))
        else:
            content_type, body = self._codecs.content_type, self._codecs.write_body(self._shape, self._tag, result)
        if content_type and body and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("content-type", content_type))
        return status, headers, body

    def bound(self, result: Mapping[str, Any]) -> tuple[int | None, list[tuple[str, str]]]:
        """Return the status and the headers that members are bound to."""
        status: int | None = None
        headers: list[tuple[str, str]] = []
        for name, (location, wire, write) in self._writers.items():
            value = result.get(name)
            if value is None:
                continue
            if location == "statusCode":
                status = int(value)
            elif location == "headers":
                headers.extend((wire + str(key), safe_header(str(item))) for key, item in value.items())
            elif location == "header":
                headers.append((wire, safe_header(write(value))))
        return status, headers

    def _payload_body(self, value: Any) -> tuple[str, bytes]:
        member = self._shape.members[self._payload]
        if member.type_name in ("blob", "string"):
            kind = "application/octet-stream" if member.type_name == "blob" else "text/plain"
            return kind, b"" if value is None else as_bytes(value)
        if value is None:
            return self._codecs.content_type, b""
        return self._codecs.content_type, self._codecs.write_body(member, wire_name(member, member.name), value)


def safe_header(value: str) -> str:
    """Keep a value from ending its header."""
    return _UNSAFE.sub(" ", value)


def location_reader(location: str, shape: Any) -> Callable[[Any], Any]:
    """Return the reader of a member outside the body."""
    if location == "headers":
        return dict
    if location == "querystring":
        return _query_reader(shape)
    if shape.serialization.get("jsonvalue"):
        return _json_value
    if shape.type_name == "list":
        convert = text_reader(shape.member)
        dates = shape.member.type_name == "timestamp"
        return lambda text: [convert(item) for item in split_header(text, dates=dates)]
    return text_reader(shape)


def _query_reader(shape: Any) -> Callable[[Any], Any]:
    if shape.type_name == "list":
        convert = text_reader(shape.member)
        return lambda values: [convert(value) for value in values]
    if shape.type_name == "map":
        if shape.value.type_name == "list":
            return dict
        return lambda query: {key: values[-1] for key, values in query.items()}
    one = text_reader(shape)
    return lambda values: one(values[-1])


def _json_value(text: str) -> Any:
    try:
        return json.loads(decode_base64(text))
    except (ValueError, RecursionError):
        raise UnreadableError("The header is not JSON in base64") from None


def split_header(text: str, *, dates: bool = False) -> list[str]:
    """Split a header that holds a list; HTTP dates hold a comma themselves."""
    if dates:
        parts = text.split(",")
        if all(len(part.strip()) == 3 for part in parts[::2]) and len(parts) % 2 == 0:
            return [",".join(pair) for pair in zip(parts[::2], parts[1::2], strict=True)]
        return [part.strip() for part in parts]
    items: list[str] = []
    position = 0
    while position < len(text):
        found = _HEADER_ITEM.match(text, position)
        if found is None or found.end() == position:
            raise UnreadableError("The header is no list of values")
        quoted, plain = found.groups()
        items.append(re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain.strip())
        position = found.end()
    return items


def header_writer(shape: Any, location: str) -> Callable[[Any], str]:
    """Return the writer of a header's value."""
    if location == "headers":
        return str
    if shape.serialization.get("jsonvalue"):
        return lambda value: base64.b64encode(json.dumps(value).encode()).decode()
    if shape.type_name == "list":
        one = header_writer(shape.member, location)
        return lambda values: ", ".join(_quoted(one(value), shape.member) for value in values)
    if shape.type_name == "timestamp":
        form = shape.serialization.get("timestampFormat", "rfc822")
        return lambda value: to_text(value, form)
    return text_writer(shape, "rfc822")


def _quoted(text: str, shape: Shape) -> str:
    if shape.type_name == "string" and ("," in text or '"' in text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text
