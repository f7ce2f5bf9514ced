"""The two shapes of HTTP that the wire knows: a whole request and a whole response.

The request chain builds and sends them; nothing here touches a socket.
"""

from collections.abc import Mapping
from typing import NamedTuple


class HttpRequest(NamedTuple):
    """A request as received: nothing is decoded but the names of the headers, which are lower-cased."""

    method: str
    path: str  # raw, percent-encoded, without the query
    query: str  # raw, without the question mark
    headers: Mapping[str, str]
    body: bytes
    client: str = ""  # the address that it came from, where it is known


class HttpResponse(NamedTuple):
    """A response to send as it is; content-length is the server's to add."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
