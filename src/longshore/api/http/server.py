"""HTTP servers inside our own event loop: uvicorn, without its command line, signals and logging."""

import asyncio
import socket
from collections.abc import Sequence

import uvicorn

from longshore.api.app import Asgi
from longshore.api.http.connection import Connection

STOP_S = 5
"""How long requests under way may take when the server stops."""
READY_POLL_S = 0.01


class ListenError(Exception):
    """An address can't be listened on; says what to do."""


def bind(address: str, port: int) -> socket.socket:
    """A listening socket. Raises ListenError where the port is taken or not ours to take."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise ListenError(
            f"Longshore can't listen at {address}:{port}: {error.strerror}. "
            f"`ss -ltnp 'sport = :{port}'` names who does; stop that, or choose another port with --port."
        ) from error
    listener.setblocking(False)
    return listener


class _Server(uvicorn.Server):
    """Signals are main's."""

    def install_signal_handlers(self) -> None:
        """None."""

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve without capturing signals."""
        await self._serve(sockets)


class HttpServer:
    """One application on some sockets."""

    def __init__(self, app: Asgi, sockets: Sequence[socket.socket]) -> None:
        config = uvicorn.Config(
            app,
            interface="asgi3",
            loop="none",
            http=Connection,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            timeout_graceful_shutdown=STOP_S,
            timeout_keep_alive=75,
        )
        self._sockets = list(sockets)
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._server.server_state.connections)

    async def start(self) -> None:
        """Return once it answers."""
        self._task = asyncio.create_task(self._server.serve(self._sockets), name="http")
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise ListenError("The HTTP server ended before it began.")
            await asyncio.sleep(READY_POLL_S)

    async def stop(self) -> None:
        """Take no more, and finish what is under way."""
        self._server.should_exit = True
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
