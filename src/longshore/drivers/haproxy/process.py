"""The HAProxy process of one Longshore: started apart from it, so that it outlives it, and found again by its pidfile.

Owns the folder with its configuration, sockets and certificates (which should be in memory: they hold private keys).
Talks to the running process through runtime.py only.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import resource
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from longshore.drivers.haproxy.render.text import STATE_FILE
from longshore.drivers.haproxy.runtime import Runtime, RuntimeFailure
from longshore.drivers.ports import Permanent
from longshore.drivers.program import find

START_S = 20.0
ENOUGH_FILES = 100_000
PARSING = re.compile(r"parsing \[[^\]]*?:(\d+)\]")
ALERT = re.compile(r"\[ALERT\]\s*\(\d+\)\s*: (?:config : )?(.*)")


class ConfigurationRefused(Exception):  # noqa: N818
    """HAProxy does not take a configuration; `lines` are those it complained about, the first being 1."""

    def __init__(self, reason: str, lines: tuple[int, ...]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lines = lines


class HaproxyProcess:
    """One master with its workers, or none."""

    def __init__(
        self, folder: Path, binary: str = "haproxy", enter: Sequence[str] = (), options: Sequence[str] = ()
    ) -> None:
        """`enter`: words before the command that start it elsewhere, and become it: `nsenter --net=…`.

        options: more words of the command itself.
        """
        self.folder = folder
        self.enter = enter
        self._options = options
        self.runtime = Runtime(folder / "master.sock")
        self._binary = binary
        self._config = folder / "haproxy.cfg"
        self._pidfile = folder / "haproxy.pid"
        self._applied = folder / "applied"
        self._certs = folder / "certs"
        self._pidfd: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self.ended = asyncio.Event()
        """Set when the process that ran has ended by itself."""

    @property
    def running(self) -> bool:
        """Whether there is a process, as far as is known."""
        return self._pidfd is not None

    @property
    def applied(self) -> str:
        """What `note_applied` last wrote; empty when the running process may have something else."""
        return self._applied.read_text() if self._applied.exists() else ""

    def configuration(self) -> str:
        """What was last put in place."""
        return self._config.read_text() if self._config.exists() else ""

    def open(self) -> bool:
        """Make the folder and take over a process that runs already; True if there is one.

        Raises Permanent where there is no HAProxy.
        """
        found = find(self._binary)
        if found is None:
            raise Permanent(
                f"Load balancers and Service Connect need HAProxy 2.6 or newer, and there is no {self._binary!r}: "
                "install the package haproxy."
            )
        self._binary = found
        for folder in (self.folder, self._certs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        pid = self._recorded()
        if pid is None:
            self._applied.unlink(missing_ok=True)
            return False
        self._watch(pid)
        return self.running

    def close(self) -> None:
        """Let go; the process goes on."""
        self._unwatch()

    def write(self, text: str, files: Mapping[str, str], state: str | None = None) -> None:
        """Put a configuration in place, with its PEM files; those of earlier ones go with `note_applied`.

        state: what its servers begin with, for a configuration that names `STATE_FILE`.
        """
        self._write_files(files)
        self._applied.unlink(missing_ok=True)
        if state is not None:
            write_private(self.folder / STATE_FILE, state)
        write_private(self._config, text)

    def note_applied(self, structure: str, files: Mapping[str, str]) -> None:
        """After a start or reload: what the process has now; other files are removed."""
        for file in self._certs.iterdir():
            if file.name not in files:
                file.unlink()
        write_private(self._applied, structure)

    def forget_applied(self) -> None:
        """What the running process has is not known any more."""
        self._applied.unlink(missing_ok=True)

    async def check(self, text: str, files: Mapping[str, str]) -> None:
        """Have HAProxy read a configuration without using it. Raises ConfigurationRefused."""
        self._write_files(files)
        candidate = self.folder / "candidate.cfg"
        write_private(candidate, text)
        process = await asyncio.create_subprocess_exec(
            self._binary,
            *("-c", "-f", str(candidate)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        _, complaint = await process.communicate()
        candidate.unlink()
        if process.returncode:
            raise refusal(complaint.decode(errors="replace"))

    def _write_files(self, files: Mapping[str, str]) -> None:
        """PEM files: each is named by its contents, so that one that is there is the same."""
        for name, content in files.items():
            if not (self._certs / name).exists():
                write_private(self._certs / name, content)

    async def start(self) -> None:
        """Start with the configuration in place. Raises ConfigurationRefused, with what HAProxy said."""
        output = self.folder / "haproxy.out"
        child = self._spawn(output)
        write_private(self._pidfile, str(child.pid))
        self._watch(child.pid)
        try:
            async with asyncio.timeout(START_S):
                while not await self._works():
                    if child.poll() is not None:
                        raise refusal(output.read_text(errors="replace"))
                    await asyncio.sleep(0.01)
        except TimeoutError:
            await self.stop()
            raise refusal(output.read_text(errors="replace")) from None

    async def stop(self) -> None:
        """End the process with all its connections."""
        pidfd, self._pidfd = self._pidfd, None
        self._applied.unlink(missing_ok=True)
        self._pidfile.unlink(missing_ok=True)
        if pidfd is None:
            return
        asyncio.get_running_loop().remove_reader(pidfd)
        try:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(pidfd, number)
                if await _readable(pidfd, 5.0):
                    break
        finally:
            os.close(pidfd)
            self._reap()

    def _spawn(self, output: Path) -> subprocess.Popen[bytes]:
        with output.open("wb") as out:
            self._child = subprocess.Popen(
                # Quiet: what goes wrong at the start is said all the same; what comes later would fill the file.
                (
                    *self.enter,
                    self._binary,
                    "-q",
                    *self._options,
                    "-W",
                    "-S",
                    f"{self.folder}/master.sock,mode,600",
                    "-f",
                    str(self._config),
                ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd="/",
                start_new_session=True,
            )
        return self._child

    async def _works(self) -> bool:
        try:
            return (await self.runtime.processes()).current is not None
        except RuntimeFailure:
            return False

    def _recorded(self) -> int | None:
        """The process of the pidfile, if it still is this one."""
        try:
            pid = int(self._pidfile.read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if f"{self.folder}/master.sock,mode,600".encode() in words else None

    def _watch(self, pid: int) -> None:
        try:
            self._pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        self.ended.clear()
        asyncio.get_running_loop().add_reader(self._pidfd, self._on_end)

    def _on_end(self) -> None:
        self._unwatch()
        self._reap()
        self._applied.unlink(missing_ok=True)
        self.ended.set()

    def _unwatch(self) -> None:
        if self._pidfd is not None:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait()
            self._child = None


def refusal(output: str) -> ConfigurationRefused:
    """What HAProxy said, in one sentence, and the lines it said it of."""
    alerts = [found[1].strip() for found in map(ALERT.search, output.splitlines()) if found]
    said = next((alert for alert in alerts if alert), output.strip()[-300:] or "no word")
    lines = tuple(int(found[1]) for found in PARSING.finditer(output))
    return ConfigurationRefused(f"HAProxy refuses the configuration: {PARSING.sub('', said).strip(' :')}", lines)


def most_files() -> int:
    """How many files a child may have open. The limit is raised first, where that is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < ENOUGH_FILES:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, ENOUGH_FILES))
            return ENOUGH_FILES
    return ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_FILES)


def digest(text: str) -> str:
    """A short stand-in for a long text."""
    return hashlib.sha256(text.encode()).hexdigest()


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    temporary.replace(path)


async def _readable(descriptor: int, timeout_s: float) -> bool:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        async with asyncio.timeout(timeout_s):
            await ready.wait()
    except TimeoutError:
        return False
    else:
        return True
    finally:
        loop.remove_reader(descriptor)
