"""The content encoding `aws-chunked`: a body in pieces, each signed or not, perhaps with trailers behind them.

SDKs send uploads to object stores so. `unpack` takes it apart and checks the signatures where it is told the key. See
"Signature calculations: transferring payload in multiple chunks" in the Amazon S3 API reference.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple, Protocol

from longshore.wire.errors import ApiError

MAX_LINE = 8192
MAX_CHUNK = 64 * 1024 * 1024
MAX_TRAILERS = 16
PIECE = 1024 * 1024
STREAMING, SIGNED = "STREAMING-", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
"""How X-Amz-Content-Sha256 begins for bodies so encoded, and for those whose chunks are signed."""
_EMPTY = hashlib.sha256(b"").hexdigest()


class Sink(Protocol):
    """Where the plain body goes."""

    def write(self, data: bytes, /) -> object:
        """Take a piece."""
        ...


class ChunkKey(NamedTuple):
    """What the signatures of chunks are made with; the first one hangs on the signature of the request's head."""

    key: bytes
    stamp: str
    scope: str
    seed: str


def is_chunked(headers: Mapping[str, str]) -> bool:
    """Whether a request's body is encoded so."""
    return headers.get("x-amz-content-sha256", "").startswith(STREAMING)


def unpack(source: BinaryIO, sink: Sink, chunk_key: ChunkKey | None = None) -> dict[str, str]:
    """Write the body as it was before to `sink`; give its trailers. Raises ApiError for a body that is not whole."""
    previous = chunk_key.seed if chunk_key else ""
    while True:
        size, signature = _chunk_head(source)
        digest = hashlib.sha256()
        for piece in _pieces(source, size):
            digest.update(piece)
            sink.write(piece)
        if chunk_key is not None:
            previous = _checked(chunk_key, "PAYLOAD", f"{previous}\n{_EMPTY}\n{digest.hexdigest()}", signature)
        if size == 0:
            return _trailers(source, chunk_key, previous)
        if source.read(2) != b"\r\n":
            raise _broken("a chunk does not end where it says")


def _chunk_head(source: BinaryIO) -> tuple[int, str]:
    line = _line(source)
    number, _, extension = line.partition(";")
    try:
        size = int(number, 16)
    except ValueError:
        raise _broken("a chunk has no size") from None
    if not 0 <= size <= MAX_CHUNK or not number.strip().isalnum():
        raise _broken(f"a chunk is not between 0 and {MAX_CHUNK} bytes long")
    return size, extension.strip().removeprefix("chunk-signature=")


def _pieces(source: BinaryIO, size: int) -> Iterator[bytes]:
    while size:
        piece = source.read(min(size, PIECE))
        if not piece:
            raise _broken("it ends too early")
        size -= len(piece)
        yield piece


def _trailers(source: BinaryIO, chunk_key: ChunkKey | None, previous: str) -> dict[str, str]:
    found: dict[str, str] = {}
    signature, text = "", ""
    while line := _line(source, last=True):
        name, _, value = line.partition(":")
        if len(found) >= MAX_TRAILERS or name.strip().lower() in found:
            raise _broken("it has too many trailers")
        if name.lower() == "x-amz-trailer-signature":
            signature = value.strip()
            continue
        found[name.strip().lower()] = value.strip()
        text += f"{name.strip().lower()}:{value.strip()}\n"
    if chunk_key is not None and found:
        _checked(chunk_key, "TRAILER", f"{previous}\n{hashlib.sha256(text.encode()).hexdigest()}", signature)
    return found


def _checked(chunk_key: ChunkKey, what: str, text: str, signature: str) -> str:
    """The signature, if it is right."""
    signed = f"AWS4-HMAC-SHA256-{what}\n{chunk_key.stamp}\n{chunk_key.scope}\n{text}"
    right = hmac.new(chunk_key.key, signed.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right.encode(), signature.encode("utf-8", "replace")):
        raise ApiError("SignatureDoesNotMatch", "The signature of a chunk of the body does not match it.", status=403)
    return right


def _line(source: BinaryIO, *, last: bool = False) -> str:
    """A line without its end. The very last one may be missing."""
    line = source.readline(MAX_LINE)
    if not line.endswith(b"\n") and not (last and not line):
        raise _broken("it ends too early")
    return line.strip().decode("latin-1")


def _broken(why: str) -> ApiError:
    return ApiError("IncompleteBody", f"The body is not encoded as aws-chunked: {why}.", status=400)
