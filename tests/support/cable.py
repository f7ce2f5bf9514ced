"""A Unix socket that leads to the Docker Engine's, and can be cut: an Engine that is gone for a while."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path
    from types import TracebackType


class Cable:
    """For tests in an event loop."""

    def __init__(self, docker_url: str, path: Path) -> None:
        self.url = f"unix://{path}"
        self._target = docker_url.removeprefix("unix://")
        self._path = path
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    async def plug(self) -> None:
        """From now on the socket is there."""
        self._server = await asyncio.start_unix_server(self._connect, self._path)

    async def cut(self) -> None:
        """From now on it is not, and what was connected is cut off."""
        assert self._server is not None
        self._server.close()
        self._path.unlink(missing_ok=True)
        for end in list(self._ends):
            end.transport.abort()
        await asyncio.sleep(0)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._target)
        self._ends |= {writer, far_writer}
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))
        self._ends -= {writer, far_writer}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()


class CableBeside:
    """For tests without an event loop: a cable in one of its own, plugged in from the start."""

    def __init__(self, docker_url: str, path: Path) -> None:
        self._cable = Cable(docker_url, path)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cable", daemon=True)

    @property
    def url(self) -> str:
        """Where the Engine seems to be."""
        return self._cable.url

    def plug(self) -> None:
        """Let the Engine be there."""
        self._do(self._cable.plug())

    def cut(self) -> None:
        """Let it be gone."""
        self._do(self._cable.cut())

    def _do(self, step: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(step, self._loop).result(10)

    def __enter__(self) -> Self:
        self._thread.start()
        self.plug()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
