"""A Docker Engine of a test's own, which the test may kill: a dockerd with a socket and folders that nobody else uses.

It makes no bridge and no firewall rules of its own, so that it gets along with another Engine in the same network
namespace; the networks that Longshore asks for are ordinary. Needs root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from scripts import with_docker
from tests.support import images

if TYPE_CHECKING:
    from types import TracebackType

READY_S = 60.0


class OwnDocker:
    """Start it, kill it, start it again; what it stored stays until it is closed."""

    def __init__(self, folder: Path, *, live_restore: bool = False) -> None:
        """`live_restore`: containers outlive the dockerd; otherwise the next start of dockerd ends them."""
        assert os.geteuid() == 0, "Only root can start a dockerd: run this with sudo."
        # A socket's path may have 107 bytes, a folder of tests may be longer.
        self._run = Path(tempfile.mkdtemp(prefix="longshore-own-docker-", dir="/run"))
        self._data = folder / "docker"
        self.log = folder / "dockerd.log"
        self._live_restore = live_restore
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"unix://{self._run}/docker.sock"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._data.mkdir(parents=True, exist_ok=True)
        config = self._run / "daemon.json"  # the machine's own may name other sockets and folders
        config.write_text("{}")
        words = ["dockerd", "--data-root", str(self._data), "--exec-root", str(self._run / "exec"), "-H", self.url]
        words += ["--pidfile", str(self._run / "pid"), "--config-file", str(config)]
        words += ["--storage-driver", with_docker.storage_driver(self._data), "--shutdown-timeout", "2"]
        words += ["--bridge", "none", "--iptables=false", "--ip6tables=false", "--userland-proxy=false"]
        words += ["--live-restore"] if self._live_restore else []
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        process = self._process
        ready = with_docker.wait_for(lambda: process.poll() is not None or with_docker.answers(self.url), READY_S)
        assert ready, f"dockerd is not ready; its output: {self.log}"
        assert process.poll() is None, f"dockerd ended; its output: {self.log}"
        images.busybox_image(self.url)

    def kill9(self) -> None:
        """End dockerd as a crash would. Its containerd goes with it; shims and what runs in containers stay."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        gone = with_docker.wait_for(lambda: not any(map(_is_containerd, self._processes())), READY_S)
        assert gone, "containerd outlived dockerd"
        # The next dockerd would take a process that has got one of these numbers meanwhile, or a zombie, for its own.
        for left in (self._run / "pid", self._run / "exec" / "containerd" / "containerd.pid"):
            left.unlink(missing_ok=True)

    def close(self) -> None:
        """End all of it, and remove all that it stored."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(OSError):
                with_docker.empty(self.url)
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(with_docker.STOP_S)
        for pid in self._processes():
            with_docker.kill(pid)
        with_docker.unmount(self._run, self._data)
        shutil.rmtree(self._run, ignore_errors=True)
        shutil.rmtree(self._data, ignore_errors=True)

    def _processes(self) -> list[int]:
        return with_docker.engine_processes(self._run)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_containerd(pid: int) -> bool:
    """Whether it is containerd itself, and not a shim."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip() == "containerd"
    return False
