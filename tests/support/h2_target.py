"""A target that speaks HTTP/2 in clear text, as gRPC servers do: a call gets a message, and its status in trailers."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from longshore.drivers.haproxy import http2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class H2Target:
    """Answers 200, a message, and `grpc-status` in trailers; or trailers alone where there is no message."""

    def __init__(self, address: str, port: int, *, status: int = 0, message: bytes | None = b"\0\0\0\0\2hi") -> None:
        self.address, self.port = address, port
        self.status, self.message = status, message
        self.called = asyncio.Event()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen for as long as the block lasts."""
        server = await asyncio.start_server(self._serve, self.address, self.port, reuse_address=True)
        try:
            yield
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            await reader.readexactly(len(http2.PREFACE))
            writer.write(http2._frame(http2.SETTINGS, 0, 0, b""))
            while True:
                kind, flags, stream, payload = await http2._read_frame(reader)
                writer.write(http2._reply(kind, flags, payload))
                if kind in (http2.HEADERS, http2.DATA) and flags & http2.END_STREAM:
                    self.called.set()
                    writer.write(self._answer(stream))
        writer.close()

    def _answer(self, stream: int) -> bytes:
        head = http2._literal(":status", "200") + http2._literal("content-type", "application/grpc")
        tail = http2._literal("grpc-status", str(self.status))
        ends = http2.END_HEADERS | http2.END_STREAM
        if self.message is None:
            return http2._frame(http2.HEADERS, ends, stream, head + tail)
        return (
            http2._frame(http2.HEADERS, http2.END_HEADERS, stream, head)
            + http2._frame(http2.DATA, 0, stream, self.message)
            + http2._frame(http2.HEADERS, ends, stream, tail)
        )
