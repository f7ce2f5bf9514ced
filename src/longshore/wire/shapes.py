"""What all codecs share: shapes compiled once into functions, and checks on scalars.

Codecs (`json_body`, `query`, `xml`, `cbor`, `rest`) derive from `Compiler`.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from botocore.model import Shape

from longshore.wire.errors import UnreadableError
from longshore.wire.timestamps import from_text, to_text

Fn = TypeVar("Fn", bound=Callable[..., Any])

INTEGER_TYPES = frozenset({"integer", "long"})
FLOAT_TYPES = frozenset({"float", "double"})
STRING_TYPES = frozenset({"string", "character"})
_LIMITS = {"integer": 2**31, "long": 2**63}
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_INTEGER = re.compile(r"[+-]?\d{1,20}(?:\.0{1,9})?", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,4})?", re.ASCII)


class Compiler(Generic[Fn]):
    """Compiles each shape once; a recursive shape meets a function that looks its own result up."""

    def __init__(self) -> None:
        self._done: dict[tuple[str, str], Fn] = {}
        self._open: set[tuple[str, str]] = set()

    def get(self, shape: Shape) -> Fn:
        """Return the function of a shape, compiling it at the first call."""
        key = (shape.name, repr(shape.serialization))
        found = self._done.get(key)
        if found is not None:
            return found
        if key in self._open:
            return self.later(key)
        self._open.add(key)
        try:
            built = self.build(shape)
        finally:
            self._open.discard(key)
        self._done[key] = built
        return built

    def later(self, key: tuple[str, str]) -> Fn:
        """Return a function for a shape that is still being compiled."""
        done = self._done

        def look_up(*arguments: Any) -> Any:
            return done[key](*arguments)

        return look_up  # type: ignore[return-value]  # every Fn is a plain callable

    def build(self, shape: Shape) -> Fn:
        """Compile one shape."""
        raise NotImplementedError


def wire_name(shape: Shape, name: str) -> str:
    """Return a member's name on the wire."""
    return str(shape.serialization.get("name", name))


def check_integer(value: int, type_name: str) -> int:
    """Refuse what does not fit the model's integer."""
    limit = _LIMITS[type_name]
    if not -limit <= value < limit:
        raise UnreadableError(f"The number does not fit {'an Integer' if type_name == 'integer' else 'a Long'}")
    return value


def special_float(text: str) -> float:
    """Read the three floats that JSON cannot write."""
    try:
        return _SPECIAL[text]
    except KeyError:
        raise UnreadableError("STRING_VALUE can not be converted to a Double") from None


def special_name(value: float) -> str | None:
    """Name a float that JSON and XML cannot write as a number."""
    if math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def decode_base64(text: str) -> bytes:
    """Read base64, with or without its padding and with line breaks, as AWS does."""
    packed = "".join(text.split())
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableError("The value is not valid base64") from None


def encode_base64(value: Any) -> str:
    """Write a blob."""
    return base64.b64encode(as_bytes(value)).decode()


def as_bytes(value: Any) -> bytes:
    """Return a handler's blob as bytes."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise TypeError(f"a blob in a result must be bytes or text, not {type(value).__name__}")


def read_boolean(text: str) -> bool:
    """Read a boolean from text."""
    lowered = text.strip().lower()
    if lowered in ("true", "false"):
        return lowered == "true"
    raise UnreadableError("The value must be true or false")


def read_integer(text: str, type_name: str) -> int:
    """Read an integer from text."""
    text = text.strip()
    if not _INTEGER.fullmatch(text):
        raise UnreadableError("The value must be a whole number")
    return check_integer(int(text.partition(".")[0]), type_name)


def read_float(text: str) -> float:
    """Read a float from text."""
    text = text.strip()
    if text in _SPECIAL:
        return _SPECIAL[text]
    if not _FLOAT.fullmatch(text):
        raise UnreadableError("The value must be a number")
    return float(text)


def read_timestamp(text: str) -> float:
    """Read a timestamp from text."""
    try:
        return from_text(text)
    except ValueError:
        raise UnreadableError("The value must be a timestamp, like 2026-01-31T12:00:00Z") from None


def text_reader(shape: Shape) -> Callable[[str], Any]:
    """Return the function that reads a scalar of this shape from text."""
    kind = shape.type_name
    if kind == "boolean":
        return read_boolean
    if kind in INTEGER_TYPES:
        return lambda text: read_integer(text, kind)
    if kind in FLOAT_TYPES:
        return read_float
    if kind == "timestamp":
        return read_timestamp
    if kind == "blob":
        return decode_base64
    if kind in STRING_TYPES:
        return str
    raise TypeError(f"the shape {shape.name} is a {kind}, which has no text form")


def checked_scalar(shape: Shape) -> type | tuple[type, ...]:
    """Return the Python types that a result may hold for a scalar shape."""
    kind = shape.type_name
    if kind == "boolean":
        return bool
    if kind in INTEGER_TYPES:
        return int
    if kind in FLOAT_TYPES:
        return (int, float)
    return str


def wrong_result(shape: Shape, value: Any) -> TypeError:
    """Return the error of a handler whose result does not fit the model."""
    return TypeError(f"a result must hold a {shape.type_name} for {shape.name}, not {type(value).__name__}")


def unknown_result(shape: Shape, name: str) -> TypeError:
    """Return the error of a handler whose result has a member that the model lacks."""
    return TypeError(f"the model's {shape.name} has no member {name!r}")


def text_writer(shape: Shape, default_timestamp: str) -> Callable[[Any], str]:
    """Return the function that writes a scalar of this shape as text."""
    kind = shape.type_name
    if kind == "blob":
        return encode_base64
    if kind == "timestamp":
        form = shape.serialization.get("timestampFormat", default_timestamp)
        return lambda value: to_text(value, form)
    allowed: Any = checked_scalar(shape)

    def write(value: Any) -> str:
        if not isinstance(value, allowed) or (isinstance(value, bool) and kind != "boolean"):
            raise wrong_result(shape, value)
        if kind == "boolean":
            return "true" if value else "false"
        if kind in FLOAT_TYPES:
            return special_name(value) or repr(value)
        return str(value)

    return write
