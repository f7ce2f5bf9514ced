"""The registry's process: started when it is first needed, and again when it has ended; it ends with Longshore.

It listens at a Unix socket in a folder that only its owner may enter: whoever is not Longshore can't speak to it.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
from collections import deque
from pathlib import Path

from longshore.drivers.ports import Permanent, Retryable
from longshore.drivers.program import find

PROGRAM = "docker-registry"
START_S = 20.0
STOP_S = 5.0
KEPT_LINES = 20


class RegistryProcess:
    """One process, or none."""

    def __init__(self, folder: Path, storage: Path, secret: str, program: str = PROGRAM) -> None:
        self._folder = folder
        self._storage = storage
        self._secret = secret
        self._program = program
        self.socket = folder / "registry.sock"
        self._config = folder / "registry.json"
        self._lock = storage / "collecting"
        """A file that is locked by the collector while it works."""
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Of the process that runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def ensure(self) -> None:
        """See to it that it answers. Raises Permanent where the program is missing, Retryable where it won't start."""
        if self.pid is not None:
            return
        async with self._starting:
            if self.pid is None:
                await self._start()

    async def collect(self) -> None:
        """Remove what no manifest names. Nothing may be pushed meanwhile. Raises Permanent and Retryable."""
        found = self._found()
        self._write_config()
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            process = await asyncio.create_subprocess_exec(
                *(found, "garbage-collect", str(self._config)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(lock,),
            )
        finally:
            os.close(lock)  # the collector has it from now on, and keeps it if we are killed
        _, complaint = await process.communicate()
        if process.returncode:
            said = complaint.decode(errors="replace").strip()[-500:]
            raise Retryable(f"The registry's files could not be collected: {said}", after_s=60.0)

    def wait_for_collector(self) -> None:
        """Wait, in a thread, for a collection that an earlier life began: it would take what is pushed now."""
        if self._lock.exists():
            with self._lock.open("r+b") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)

    async def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), STOP_S)
                    break
        if self._reader is not None:
            await self._reader

    async def _start(self) -> None:
        found = self._found()
        self._write_config()
        self.socket.unlink(missing_ok=True)
        if self._reader is not None:
            await self._reader
        self._said.clear()
        # Killed with the thread that starts it, Longshore's main one: nobody else can speak to it.
        tied = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
        self._process = await asyncio.create_subprocess_exec(
            *(*tied, found, "serve", str(self._config)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._reader = asyncio.create_task(self._read(self._process), name="registry output")
        try:
            async with asyncio.timeout(START_S):
                while not await self._answers():
                    if self._process.returncode is not None:
                        await self._reader
                        raise self._failed()
                    await asyncio.sleep(0.01)
        except TimeoutError:
            await self.stop()
            raise self._failed() from None

    def _failed(self) -> Retryable:
        said = " ".join(self._said)[-500:] or "no word"
        return Retryable(f"The registry ({self._program}) does not start: {said}", after_s=5.0)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_unix_connection(str(self.socket))
        except OSError:
            return False
        writer.close()
        return True

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Keep the last lines; each is read, so that it never waits for us."""
        assert process.stderr is not None  # noqa: S101  a pipe was asked for
        while chunk := await process.stderr.read(65536):
            self._said.extend(chunk.decode(errors="replace").splitlines()[-KEPT_LINES:])

    def _found(self) -> str:
        found = find(self._program)
        if found is None:
            raise Permanent(
                f"Images are kept by the program {self._program}, and this machine has none: install the package "
                f"{PROGRAM} (apt-get install {PROGRAM})."
            )
        return found

    def _write_config(self) -> None:
        """In JSON, which YAML includes. No cache of what blobs there are: collections change that."""
        for folder in (self._folder, self._storage):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        settings = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self._storage)},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": True, "age": "24h", "interval": "1h", "dryrun": False}},
            },
            "http": {"net": "unix", "addr": str(self.socket), "relativeurls": True, "secret": self._secret},
        }
        descriptor = os.open(self._config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(settings, file)
