"""Undoes `Content-Encoding: gzip`, which SDKs put on large requests of the operations whose model allows it.

Bounded: a small body that inflates without end is refused.
"""

import zlib

from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest

MAX_BYTES = 32 * 1024 * 1024


def inflated(request: HttpRequest) -> HttpRequest:
    """Return the request with its body as it was before compression."""
    encodings = [part.strip() for part in request.headers.get("content-encoding", "").split(",")]
    if encodings[-1] != "gzip" or not request.body:
        return request
    unpacker = zlib.decompressobj(wbits=31)
    try:
        body = unpacker.decompress(request.body, MAX_BYTES)
    except zlib.error as error:
        raise ApiError("SerializationException", f"The body is not valid gzip: {error}.", status=400) from None
    if unpacker.unconsumed_tail:
        raise ApiError("SerializationException", f"The body inflates to more than {MAX_BYTES} bytes.", status=413)
    if not unpacker.eof:
        raise ApiError("SerializationException", "The gzip body ends too early.", status=400)
    headers = {**request.headers, "content-encoding": ", ".join(encodings[:-1])}
    return request._replace(headers=headers, body=body)
