"""Small HTTP/1.1 servers for load balancers to forward to; each says who it is and what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Sequence

LARGEST_HEAD = 1 << 20
Answer = tuple[int, dict[str, str], bytes]


class Request:
    """What a target was asked."""

    def __init__(self, head: bytes, peer: tuple[str, int]) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = lines[0].split(" ", 2)
        pairs = [line.partition(":") for line in lines[1:] if line]
        self.headers: Sequence[tuple[str, str]] = [(name.lower(), value.strip()) for name, _, value in pairs]
        self.peer = peer

    def header(self, name: str) -> str | None:
        """All values of a header, joined."""
        values = [value for key, value in self.headers if key == name]
        return ",".join(values) if values else None


class Target:
    """A server. Its answer is JSON: its name, and the request's method, path and headers.

    `health`: the status that /health answers. `hold`: clear it, and answers wait until it is set.
    """

    def __init__(self, name: str, address: str, port: int) -> None:
        self.name, self.address, self.port = name, address, port
        self.health = 200
        self.hold = asyncio.Event()
        self.hold.set()
        self.checked = asyncio.Event()
        """Set by every health check."""
        self.asked = asyncio.Event()
        """Set by the first request that is no check."""
        self.requests: list[Request] = []
        self.checks: list[Request] = []
        self.respond: Callable[[Request], Answer] | None = None
        self.connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        """Listen."""
        self._server = await asyncio.start_server(
            self._serve, self.address, self.port, ssl=context, reuse_address=True, limit=LARGEST_HEAD
        )

    async def stop(self) -> None:
        """Listen no more, and break what is connected."""
        if self._server is not None:
            self._server.close()
            for writer in self.connections:
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self.connections.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        request = Request(head[:-4], writer.get_extra_info("peername"))
        if length := int(request.header("content-length") or 0):
            await reader.readexactly(length)
        if request.header("user-agent") == "ELB-HealthChecker/2.0":
            self.checks.append(request)
            self.checked.set()
            answer: Answer = (self.health, {}, b"")
        else:
            self.requests.append(request)
            self.asked.set()
            await self.hold.wait()
            answer = self.respond(request) if self.respond else self._tell(request)
        status, headers, body = answer
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        return request.header("connection") != "close"

    def _tell(self, request: Request) -> Answer:
        told: dict[str, Any] = {
            "target": self.name,
            "method": request.method,
            "path": request.path,
            "headers": dict(request.headers),
        }
        return 200, {"content-type": "application/json"}, json.dumps(told).encode()


@contextlib.asynccontextmanager
async def serving(*targets: Target, context: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """Targets that listen for as long as the block lasts."""
    try:
        for target in targets:
            await target.start(context)
        yield
    finally:
        for target in targets:
            target.hold.set()
            await target.stop()
