"""JSON bodies: of JSON 1.0 and 1.1, and of REST-JSON.

`JsonReader` turns decoded JSON into parameters, `JsonWriter` results into what msgspec encodes.
The catalog and the REST bindings call them. Whether values obey the model's limits is `validate`'s business.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.model import Shape

from longshore.wire.errors import ApiError, UnreadableError
from longshore.wire.kept import Kept
from longshore.wire.shapes import (
    FLOAT_TYPES,
    INTEGER_TYPES,
    Compiler,
    check_integer,
    checked_scalar,
    decode_base64,
    encode_base64,
    read_timestamp,
    special_float,
    special_name,
    unknown_result,
    wire_name,
    wrong_result,
)
from longshore.wire.timestamps import epoch_s, from_number, to_text

Read = Callable[[Any], Any]
Write = Callable[[Any], Any]

_decode = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode
_STRINGS = re.compile(rb'"((?:[^"\\]++|\\.)*+)"(?:[ \t\r\n]*+(:))?', re.DOTALL)
"""Every string, keys with their colon. One that is no key is matched too, lest the search begin anew inside it."""


def malformed(detail: str) -> ApiError:
    """Return the error of a body that is not JSON (or CBOR) at all."""
    return ApiError("SerializationException", f"The request body could not be read: {detail}.", status=400)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise malformed("an object has the same key twice")
    return result


def decode(body: bytes) -> Any:
    """Decode a JSON body strictly; an empty one is an empty object."""
    if not body.strip():
        return {}
    try:
        value = _decode(body)
        keys = [text for text, colon in _STRINGS.findall(body) if colon]
        # A key seen once in the whole body cannot be a duplicate: only otherwise pay for the exact check.
        if len(set(keys)) != len(keys) or any(b"\\" in key for key in keys):
            json.loads(body, object_pairs_hook=_once)
    except (msgspec.MsgspecError, ValueError) as error:
        raise malformed(str(error).rstrip(".")) from None
    except RecursionError:
        raise malformed("it is nested too deeply") from None
    return value


def decode_again(body: bytes) -> Any:
    """Decode a body that `decode` has taken."""
    return _decode(body) if body.strip() else {}


def kind_of(raw: Any) -> str:
    """Name a decoded value as AWS's messages do."""
    if raw is True:
        return "TRUE_VALUE"
    if raw is False:
        return "FALSE_VALUE"
    return "STRING_VALUE" if isinstance(raw, str) else "NUMBER_VALUE"


def wrong_type(raw: Any, wanted: str) -> UnreadableError:
    """Return AWS's words for a value of the wrong type."""
    if isinstance(raw, list):
        return UnreadableError("Start of list found where not expected")
    if isinstance(raw, dict):
        return UnreadableError("Start of structure or map found where not expected")
    if wanted in ("list", "map", "structure"):
        return UnreadableError(f"Expected {'list' if wanted == 'list' else 'a structure or map'} or null")
    article = "an" if wanted[0] in "AEIOU" else "a"
    return UnreadableError(f"{kind_of(raw)} can not be converted to {article} {wanted}")


def read_string(raw: Any) -> str:
    """Take a string."""
    if type(raw) is str:
        return raw
    raise wrong_type(raw, "String")


def read_bool(raw: Any) -> bool:
    """Take a boolean."""
    if raw is True or raw is False:
        return bool(raw)
    raise wrong_type(raw, "Boolean")


def integer_reader(type_name: str) -> Read:
    """Return a reader of integers; a float without fraction counts, as with AWS."""

    def read(raw: Any) -> int:
        if type(raw) is float and raw.is_integer():
            return check_integer(int(raw), type_name)
        if type(raw) is not int:
            raise wrong_type(raw, type_name.capitalize())
        return check_integer(raw, type_name)

    return read


def read_number(raw: Any) -> float:
    """Take a float, an integer, or the name of a special float."""
    if type(raw) is float:
        return raw
    if type(raw) is int:
        try:
            return float(raw)
        except OverflowError:
            raise UnreadableError("The number does not fit a Double") from None
    if type(raw) is str:
        return special_float(raw)
    raise wrong_type(raw, "Double")


def read_time(raw: Any) -> float:
    """Take a timestamp as epoch seconds or as text."""
    if type(raw) is int or type(raw) is float:
        try:
            return from_number(raw)
        except (ValueError, OverflowError) as error:
            raise UnreadableError(f"The value is no timestamp: {error}") from None
    if type(raw) is str:
        return read_timestamp(raw)
    raise wrong_type(raw, "Timestamp")


def read_blob(raw: Any) -> bytes:
    """Take base64."""
    return decode_base64(read_string(raw))


class JsonReader(Compiler[Read]):
    """Compiles shapes to readers of decoded JSON."""

    scalars: dict[str, Read] = {  # overridden whole by CBOR, never changed
        "string": read_string,
        "character": read_string,
        "boolean": read_bool,
        "integer": integer_reader("integer"),
        "long": integer_reader("long"),
        "float": read_number,
        "double": read_number,
        "timestamp": read_time,
        "blob": read_blob,
    }

    def build(self, shape: Shape) -> Read:
        """Compile one shape."""
        kind = shape.type_name
        if kind == "structure":
            return _take_document if getattr(shape, "is_document_type", False) else self._structure(shape)
        if kind == "list":
            return self._list(shape)
        if kind == "map":
            return self._map(shape)
        return self.scalars[kind]

    def _structure(self, shape: Any) -> Read:
        fields = {wire_name(member, name): (name, self.get(member)) for name, member in shape.members.items()}

        def read(raw: Any) -> dict[str, Any]:
            if type(raw) is not dict:
                raise wrong_type(raw, "structure")
            out: dict[str, Any] = {}
            for key, value in raw.items():
                field = fields.get(key)
                if field is None or value is None:
                    continue
                try:
                    out[field[0]] = field[1](value)
                except UnreadableError as error:
                    error.path.append(key)
                    raise
            return out

        return read

    def _list(self, shape: Any) -> Read:
        member = self.get(shape.member)

        def read(raw: Any) -> list[Any]:
            if type(raw) is not list:
                raise wrong_type(raw, "list")
            out: list[Any] = []
            try:
                for value in raw:
                    out.append(None if value is None else member(value))  # noqa: PERF401  # its length is the path
            except UnreadableError as error:
                error.path.append(str(len(out) + 1))
                raise
            return out

        return read

    def _map(self, shape: Any) -> Read:
        member = self.get(shape.value)

        def read(raw: Any) -> dict[str, Any]:
            if type(raw) is not dict:
                raise wrong_type(raw, "map")
            out: dict[str, Any] = {}
            key: Any = None
            try:
                for key, value in raw.items():
                    out[read_string(key)] = None if value is None else member(value)
            except UnreadableError as error:
                error.path.append(str(key))
                raise
            return out

        return read


def _take_document(raw: Any) -> Any:
    return raw


_NO_LISTS = (str, bytes, dict)
_AS_THEY_ARE: dict[str, type] = {"string": str, "character": str, "boolean": bool, "integer": int, "long": int}


class JsonWriter(Compiler[Write]):
    """Compiles shapes to functions from a handler's result to what msgspec encodes."""

    def build(self, shape: Shape) -> Write:
        """Compile one shape."""
        if getattr(shape, "is_document_type", False):
            return _take_document
        makers: dict[str, Callable[[Any], Write]] = {
            "structure": self.structure,
            "list": self._list,
            "map": self._map,
            "timestamp": self.timestamp,
            "blob": lambda _shape: self.blob,
            "float": self.number,
            "double": self.number,
        }
        return makers.get(shape.type_name, scalar_writer)(shape)

    def blob(self, value: Any) -> Any:
        """Write a blob."""
        return encode_base64(value)

    def timestamp(self, shape: Shape) -> Write:
        """Write a timestamp: a number unless the model asks for a text."""
        form = shape.serialization.get("timestampFormat", "unixtimestamp").lower()
        return epoch_s if form == "unixtimestamp" else lambda value: to_text(value, form)

    def number(self, shape: Shape) -> Write:
        """Write a float; the special ones by name."""
        check = scalar_writer(shape)
        return lambda value: special_name(check(value)) or value

    def structure(self, shape: Any, leave_out: frozenset[str] = frozenset()) -> Write:
        """Write a structure without the members named in `leave_out`."""
        fields: dict[str, tuple[str, type | None, Write] | None] = {
            name: None if name in leave_out else (wire_name(member, name), self.as_it_is(member), self.get(member))
            for name, member in shape.members.items()
        }

        def write(value: Any) -> Any:
            if type(value) is Kept:
                return self.keep(value, write)
            out: dict[str, Any] = {}
            for name, item in value.items():
                if item is None:
                    continue
                try:
                    field = fields[name]
                except KeyError:
                    raise unknown_result(shape, name) from None
                if field is not None:
                    out[field[0]] = item if type(item) is field[1] else field[2](item)
            return out

        return write

    def keep(self, value: Kept, write: Write) -> Any:
        """Write a structure that stays as it is: once."""
        written = value.written.get(write)
        if written is None:
            written = value.written[write] = msgspec.Raw(encode(write(dict(value))))
        return written

    def as_it_is(self, shape: Shape) -> type | None:
        """The type whose values of this shape go out as they are, without a further look; None if there is none."""
        if shape.type_name == "timestamp":
            return float if self.timestamp(shape) is epoch_s else None
        return _AS_THEY_ARE.get(shape.type_name)

    def _list(self, shape: Any) -> Write:
        member, plain = self.get(shape.member), self.as_it_is(shape.member)

        def write(value: Any) -> list[Any]:
            if isinstance(value, _NO_LISTS):
                raise wrong_result(shape, value)
            return [item if item is None or type(item) is plain else member(item) for item in value]

        return write

    def _map(self, shape: Any) -> Write:
        member = self.get(shape.value)

        def write(value: Any) -> dict[str, Any]:
            return {str(key): None if item is None else member(item) for key, item in value.items()}

        return write


def scalar_writer(shape: Shape) -> Write:
    """Return a function that passes a scalar on after checking its type."""
    allowed = checked_scalar(shape)
    no_bool = shape.type_name in INTEGER_TYPES or shape.type_name in FLOAT_TYPES

    def write(value: Any) -> Any:
        if not isinstance(value, allowed) or (no_bool and (value is True or value is False)):
            raise wrong_result(shape, value)
        return value

    return write
