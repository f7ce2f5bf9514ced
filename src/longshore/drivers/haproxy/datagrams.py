"""A socket that HAProxy logs to: one datagram a line, read as it comes, for our process alone."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

DATAGRAM_BYTES = 65536


class Datagrams:
    """`received` is called with each line. Listening takes the place of an earlier life; HAProxy needs no listener."""

    def __init__(self, path: Path, received: Callable[[bytes], None], *, buffer_bytes: int | None = None) -> None:
        self._path = path
        self._received = received
        self._buffer_bytes = buffer_bytes
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Begin to listen. Does nothing where it does already."""
        if self._socket is not None:
            return
        self._path.unlink(missing_ok=True)
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        opened.setblocking(False)
        if self._buffer_bytes is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer_bytes)
        opened.bind(str(self._path))
        self._path.chmod(0o600)
        self._socket = opened
        asyncio.get_running_loop().add_reader(opened, self._read)

    def close(self) -> None:
        """Take what has come, and listen no more."""
        if self._socket is not None:
            self._read()
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _read(self) -> None:
        while self._socket is not None:
            try:
                line = self._socket.recv(DATAGRAM_BYTES)
            except BlockingIOError:
                return
            self._received(line)
