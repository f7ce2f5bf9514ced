"""CBOR bodies of Smithy RPC v2: strict decoding, and the readers and writers that differ from JSON's.

Only what Smithy allows is decoded: text keys, no duplicates, tag 1 for timestamps and no other tag.
"""

import io
from collections.abc import Callable
from typing import Any, NoReturn

import cbor2
from botocore.model import Shape

from longshore.wire.errors import UnreadableError
from longshore.wire.json_body import (
    JsonReader,
    JsonWriter,
    Read,
    Write,
    integer_reader,
    malformed,
    read_bool,
    read_number,
    read_string,
    read_time,
    scalar_writer,
    wrong_type,
)
from longshore.wire.kept import Kept
from longshore.wire.shapes import as_bytes
from longshore.wire.timestamps import epoch_s

MAX_DEPTH = 100


class _Stamp(float):
    """Epoch seconds that came under tag 1."""

    __slots__ = ()


def _stamp(value: Any, _immutable: bool) -> _Stamp:  # cbor2's own signature
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("tag 1 needs a number")  # noqa: TRY004  # it is the data that is wrong
    return _Stamp(value)


def _refuse(_first: Any, _second: Any) -> NoReturn:
    raise ValueError("only tag 1 (a timestamp) is allowed")


# Every tag that cbor2 would otherwise build an object for (bignum, decimal, regular expression, shared reference …).
_BUILT_IN = (0, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 43000, 52, 54, 100, 256, 258, 260, 261, 1004, 55799)
_TAGS: dict[int, Callable[[Any, Any], Any]] = {**dict.fromkeys(_BUILT_IN, _refuse), 1: _stamp}


def decode(body: bytes) -> Any:
    """Decode a CBOR body strictly; an empty one is an empty map."""
    if not body:
        return {}
    try:
        decoder = cbor2.CBORDecoder(
            io.BytesIO(body),
            max_depth=MAX_DEPTH,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
            semantic_decoders=_TAGS,
            tag_hook=_refuse,
        )
        value = decoder.decode()
    except (cbor2.CBORError, ValueError, OverflowError, RecursionError, MemoryError, TypeError) as error:
        raise malformed(str(error).rstrip(".")) from None
    try:
        decoder.decode()
    except cbor2.CBORDecodeEOF:
        return value
    except (cbor2.CBORError, ValueError):
        pass
    raise malformed("bytes follow its one value")


def encode(value: Any) -> bytes:
    """Encode a response."""
    return cbor2.dumps(value)


def _read_blob(raw: Any) -> bytes:
    if type(raw) is bytes:
        return raw
    if type(raw) is str:
        return raw.encode()
    raise wrong_type(raw, "Blob")


def _read_float(raw: Any) -> float:
    if isinstance(raw, float | int) and not isinstance(raw, bool):
        return read_number(float(raw)) if isinstance(raw, float) else read_number(raw)
    raise wrong_type(raw, "Double")


def _read_time(raw: Any) -> float:
    return read_time(float(raw)) if isinstance(raw, _Stamp) else read_time(raw)


def _known(read: Read) -> Read:
    """Refuse values that JSON cannot have (bytes, undefined, other simple values) before the JSON reader sees them."""

    def checked(raw: Any) -> Any:
        if isinstance(raw, bytes):
            raise UnreadableError("BLOB_VALUE can not be converted here")
        return read(raw)

    return checked


class CborReader(JsonReader):
    """Compiles shapes to readers of decoded CBOR."""

    scalars = {  # as in JsonReader
        "string": _known(read_string),
        "character": _known(read_string),
        "boolean": _known(read_bool),
        "integer": _known(integer_reader("integer")),
        "long": _known(integer_reader("long")),
        "float": _read_float,
        "double": _read_float,
        "timestamp": _read_time,
        "blob": _read_blob,
    }


def _tagged(value: Any) -> Any:
    seconds = epoch_s(value)
    return cbor2.CBORTag(1, seconds if isinstance(seconds, int) else float(seconds))


class CborWriter(JsonWriter):
    """Compiles shapes to functions from a handler's result to what cbor2 encodes."""

    def keep(self, value: Kept, write: Write) -> Any:
        """Write it anew: cbor2 takes nothing that is written already."""
        return write(dict(value))

    def blob(self, value: Any) -> Any:
        """Write a blob."""
        return as_bytes(value)

    def timestamp(self, shape: Shape) -> Write:  # noqa: ARG002  # Smithy RPC v2 ignores timestampFormat
        """Write a timestamp under tag 1."""
        return _tagged

    def number(self, shape: Shape) -> Write:
        """Write a float as a float also where the handler has an integer."""
        check = scalar_writer(shape)
        return lambda value: float(check(value))
