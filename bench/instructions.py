"""HAProxy's own instructions for a request, counted by callgrind: the same on a busy machine, within 0.1 %.

One thread, connections that stay open. The kernel's part is not in it, nor what caches miss.
"""

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

START_S = 60.0
WARM_UP, COUNTED = 200, 1600
"""Requests."""


def available() -> bool:
    """Whether the machine has what counts."""
    return bool(shutil.which("valgrind") and shutil.which("callgrind_control"))


def per_request(command: Sequence[str], folder: Path, at: tuple[str, int], request: bytes, connections: int) -> float:
    """Instructions that a command takes for each request.

    connections: that ask together, over and over, and wait for all answers.
    """
    counts = folder / "callgrind.out"
    valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={counts}"]
    process = subprocess.Popen([*valgrind, *command], stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        clients = [_connected(at, process) for _ in range(connections)]
        _ask(clients, request, WARM_UP)
        _control("-i", "on", process)
        _ask(clients, request, WARM_UP)
        _control("-z", "", process)
        asked = _ask(clients, request, COUNTED)
        _control("-d", "", process)
        for client in clients:
            client.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    (first, *_) = sorted(folder.glob(f"{counts.name}.*"))
    found = re.search(r"^(?:summary|totals): (\d+)", first.read_text(), re.MULTILINE)
    for file in folder.glob(f"{counts.name}*"):
        file.unlink()
    if found is None:
        raise RuntimeError("callgrind counted nothing.")
    return int(found[1]) / asked


def _connected(at: tuple[str, int], process: "subprocess.Popen[bytes]") -> socket.socket:
    ends = time.monotonic() + START_S
    while True:
        try:
            return socket.create_connection(at, timeout=START_S)
        except OSError:
            if process.poll() is not None or time.monotonic() > ends:
                raise
            time.sleep(0.1)


def _ask(clients: Sequence[socket.socket], request: bytes, requests: int) -> int:
    """Ask about so many times; how many it were."""
    asked = 0
    while asked < requests:
        for client in clients:
            client.sendall(request)
        for client in clients:
            _answer(client)
        asked += len(clients)
    return asked


def _answer(client: socket.socket) -> None:
    got = b""
    while b"\r\n\r\n" not in got:
        got += _some(client)
    head, _, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
    if not head.startswith(b"HTTP/1.1 200 ") or length is None:
        raise RuntimeError(f"An answer of another kind: {head!r}")
    while len(body) < int(length[1]):
        body += _some(client)


def _some(client: socket.socket) -> bytes:
    if not (got := client.recv(65536)):
        raise RuntimeError("The connection has ended.")
    return got


def _control(option: str, value: str, process: "subprocess.Popen[bytes]") -> None:
    words = ["callgrind_control", option, *([value] if value else []), str(process.pid)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
