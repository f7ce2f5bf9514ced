"""moto's own server in a process of its own: what `--forward` sends requests to in tests."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.support.server import free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def moto_server(folder: Path) -> Iterator[str]:
    """Where it answers, while the block runs."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    log = folder / "moto.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        until(lambda: _answers(process, url), f"moto's server to answer; its output: {log}")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    assert process.poll() is None, "moto's server has ended"
    try:
        return httpx.get(f"{url}/moto-api/", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
