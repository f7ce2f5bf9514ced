"""Bodies of any size on their way through: in memory while they are small, else in a file that has no name.

Used for requests to services that Longshore hands on (`others/routes.py`); its own APIs take small bodies (`app.py`).
"""

import asyncio
import hashlib
import tempfile
from typing import Any, BinaryIO, NamedTuple, cast

from longshore.wire.errors import ApiError

MEMORY_BYTES = 8 * 1024 * 1024
SILENCE_S = 30.0
"""How long a client may take to send the next piece."""


class Spool(NamedTuple):
    """A body that was received whole, at its beginning."""

    file: BinaryIO
    size: int
    sha256: str


async def spooled(receive: Any, most: int) -> Spool:
    """The whole body. Raises ApiError where it is too large or stalls, ConnectionError where the client has left."""
    file = cast("BinaryIO", tempfile.SpooledTemporaryFile(MEMORY_BYTES))  # noqa: SIM115  closed by whoever gets it
    digest, size, more = hashlib.sha256(), 0, True
    try:
        while more:
            try:
                message = await asyncio.wait_for(receive(), SILENCE_S)
            except TimeoutError:
                text = f"Nothing of the request's body arrived for {SILENCE_S:.0f} seconds."
                raise ApiError("RequestTimeout", text, status=408) from None
            if message["type"] == "http.disconnect":
                raise ConnectionError("the client left before its request was whole")
            piece = message.get("body", b"")
            size += len(piece)
            if size > most:
                raise too_large(most)
            digest.update(piece)
            if size > MEMORY_BYTES:
                await asyncio.to_thread(file.write, piece)
            else:
                file.write(piece)
            more = message.get("more_body", False)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return Spool(file, size, digest.hexdigest())


def too_large(most: int) -> ApiError:
    """The error for a body of more bytes than that."""
    return ApiError("EntityTooLarge", f"The request is larger than {most} bytes, the most that is taken.", status=413)
