"""One HTTP connection: uvicorn's, within bounds.

The parser collects heads, trailers and pipelined requests without end, and waits for a client as long as it likes.
Here each has a limit, so that no client can take the memory or the open files that others need. Made by uvicorn, as
`server.py` tells it; what a request means is `app.py`'s business.
"""

import asyncio
import resource
import sys
from typing import Any, cast

from httptools import HttpParserUpgrade
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
"""More than any SDK sends as request line and headers; what goes on and on is cut off."""
HEAD_TIMEOUT_S = 30.0
"""How long a client may take from connecting, or from a request's first byte, to the end of its head."""
WRITE_TIMEOUT_S = 60.0
"""How long a client may leave an answer unread once the buffers are full."""
MOST_CONNECTIONS = 10_000
TLS_HELLO = b"\x16\x03"
"""How a client begins that wants TLS."""


def most_connections() -> int:
    """How many clients may be connected: half of the files that the process may open; it has other uses for them."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if files == resource.RLIM_INFINITY else max(1, min(files // 2, MOST_CONNECTIONS))


class _Flow(FlowControl):
    """Reads no further while whole requests wait for their turn: uvicorn would queue what a client pipelines."""

    def __init__(self, transport: asyncio.Transport, connection: "Connection") -> None:
        super().__init__(transport)
        self._connection = connection

    def resume_reading(self) -> None:
        """Not yet, if more than the request under way is here."""
        if not self._connection.pipeline:
            super().resume_reading()


class _Output:
    """A transport, to which writing is no fault when the client has left: uvloop's own raises until it has said so.

    uvicorn writes an answer's head and its body by themselves; they go out together, with one system call.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""
        """A head whose body may be about to come."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write, if anybody is there."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 1"):  # "100 Continue" is waited for
            self._head = data
            self._loop.call_soon(self._flush)
            return
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close, after what was written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head:
            self.write(b"")


class Connection(HttpToolsProtocol):
    """Bounds what a client can make us keep, and for how long."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._most = most_connections()
        self._in_head = True
        self._upgrade = False
        """Whether the request asks for another protocol, such as curl and Java do for HTTP/2."""
        self._data = self._rest = b""
        """What the parser is given, and what it is to be given next."""
        self._moved = False
        """Whether the data at hand began a request or brought a piece of a body."""
        self._other_bytes = 0
        """Received since either: of a head, of trailers, of a chunk's extensions."""
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """A client connects. Where there are too many, one that asks for nothing must go."""
        super().connection_made(cast("asyncio.Transport", _Output(transport, self.loop)))
        self.flow = _Flow(transport, self)
        self._expect_head()
        if len(self.connections) > self._most:
            others = (each for each in self.connections if isinstance(each, Connection) and each is not self)
            next((each for each in others if each.idle), self).cut()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._stop_timers()
        super().connection_lost(exc)

    def cut(self) -> None:
        """End the connection at once, whatever is on its way."""
        self.connections.discard(self)
        self._stop_timers()
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Count what is neither a request's beginning nor its body."""
        if self._in_head and data.startswith(TLS_HELLO):
            self.send_400_response("This is HTTP, not HTTPS.")  # Docker tries both; it is nothing to log
            return
        self._moved = False
        self._data = data
        while self._data:
            data, self._rest = self._data, b""
            super().data_received(data)
            self._data = self._rest
        if self.transport.is_closing():
            return
        self._other_bytes = 0 if self._moved else self._other_bytes + len(data)
        if self._other_bytes > MAX_HEAD_BYTES:
            self.send_400_response(f"The request line and headers are larger than {MAX_HEAD_BYTES} bytes.")
        elif self.idle:
            self._expect_head()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = self._moved = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; what comes after a body is a trailer, which AWS gives no meaning."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head ends. Raises ValueError, which is answered 400, where it names two hosts, or is for a proxy."""
        self._in_head = False
        if self.parser.get_method() == b"CONNECT" or sum(name == b"host" for name, _ in self.headers) > 1:
            raise ValueError("no request for one server")
        if self.parser.should_upgrade():
            self._upgrade = True
            return
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request ends."""
        if not self._upgrade:
            super().on_message_complete()

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(WRITE_TIMEOUT_S, self.cut)

    def resume_writing(self) -> None:
        """It does again."""
        if self._write_timer is not None:
            self._write_timer.cancel()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came for long: end it also where the client never read the answer."""
        self.cut()

    def _unsupported_upgrade_warning(self) -> None:
        """Answer in HTTP/1.1. The parser has stopped after the head: it gets it again, without the wish, and the rest.

        uvicorn calls it where it handles HttpParserUpgrade, which says how far the parser came.
        """
        stopped = sys.exception()
        stopped_at = int(stopped.args[0]) if isinstance(stopped, HttpParserUpgrade) else len(self._data)
        self._upgrade = False
        version = self.parser.get_http_version().encode()
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/", version, b"\r\n"]
        for name, value in self.headers:
            if name != b"upgrade":
                head += [name, b": ", value, b"\r\n"]
        self._rest = b"".join((*head, b"\r\n", self._data[stopped_at:]))

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._late)

    def _late(self) -> None:
        if self.idle:
            self.cut()

    def _stop_timers(self) -> None:
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
