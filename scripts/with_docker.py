"""Run a command with a Docker Engine: the one that answers already, else a private one for as long as it is needed.

Called by the Makefile through scripts/with-docker. An Engine that answers at $DOCKER_HOST or at the default socket is
used and left alone. Otherwise a private dockerd is started, with a socket and folders of its own; commands that run at
the same time share it, and the last one stops it and everything in it (images stay, so that the next start is quick).
DOCKER_ENGINE_OF_TESTS=private starts a private one even if another answers. Standard library only: the system's
python3 runs it.

Two Engines in one network namespace fight over docker0 and iptables. So where another dockerd runs that we are not to
use, ours gets a network namespace of its own, and so does the command: it still reaches every container.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".cache" / "docker"
# Sockets live under /run and not in the checkout: a socket's path may have 107 bytes, a checkout's may be longer.
RUN = Path("/run") / f"longshore-docker-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"
SOCKET = RUN / "docker.sock"
PIDFILE = RUN / "dockerd.pid"
LOG = STATE / "dockerd.log"
HOST_STATE = RUN / "host.json"
DEFAULT_SOCKET = "unix:///var/run/docker.sock"
START_S, STOP_S = 90.0, 30.0


def say(text: str) -> None:
    """Tell the user, on stderr: stdout is the command's."""
    print(f"docker: {text}", file=sys.stderr, flush=True)


def give_up(text: str) -> NoReturn:
    """Say why and end."""
    say(text)
    raise SystemExit(69)  # EX_UNAVAILABLE: not to be mistaken for the command's own exit code


# ---------------------------------------------------------------------------------------------- talking to an Engine


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout_s: float) -> None:
        super().__init__("docker", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def request(url: str, method: str, path: str, timeout_s: float = 60.0) -> Any:
    """One request to the Engine at `url`; its JSON if there is any. OSError if it does not answer or refuses."""
    connection: http.client.HTTPConnection
    if url.startswith("unix://"):
        connection = UnixConnection(url.removeprefix("unix://"), timeout_s)
    else:
        connection = http.client.HTTPConnection(url.split("://", 1)[-1], timeout=timeout_s)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
    if answer.status >= 400:
        raise OSError(f"{method} {path} answered {answer.status}: {body.decode(errors='replace').strip()}")
    return json.loads(body) if body[:1] in {b"{", b"["} else None


def answers(url: str) -> bool:
    """Whether an Engine answers at `url`; /info and not /_ping, since only /info says that its storage is up."""
    try:
        return bool(request(url, "GET", "/info", timeout_s=10.0))
    except OSError:
        return False


# ------------------------------------------------------------------------------------------------------- processes


def processes() -> Iterator[tuple[int, list[str]]]:
    """(pid, command line) of every process alive; zombies have no command line and do not count."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if words[0]:
                    yield int(folder.name), words


def engine_processes(run: Path) -> list[int]:
    """Pids of a dockerd, its containerd and shims: those whose command line names its folder under /run."""
    names = ("dockerd", "containerd", "containerd-shim-runc-v2", "containerd-shim", "docker-proxy")
    return [
        pid
        for pid, words in processes()
        if Path(words[0]).name in names and any(w == str(run) or f"{run}/" in w for w in words[1:])
    ]


def ours() -> list[int]:
    """Those of our own Engine."""
    return engine_processes(RUN)


def engine_pid() -> int | None:
    """The pid of our dockerd, if it runs: the pid file alone may name a process that came later."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(PIDFILE.read_text())
        return pid if pid in ours() else None
    return None


def network_namespace(pid: int | str) -> str:
    """The identity of a process's network namespace, empty if the process is gone."""
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""


def other_engine_here() -> bool:
    """Whether a dockerd that is not ours runs in our network namespace."""
    mine, here = set(ours()), network_namespace("self")
    engines = [pid for pid, words in processes() if Path(words[0]).name == "dockerd" and pid not in mine]
    return any(network_namespace(pid) == here for pid in engines)


def wait_for(condition: Callable[[], bool], limit_s: float) -> bool:
    """Wait until it holds; False if it does not within the limit."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


# --------------------------------------------------------------------------------------- the host's network, put back


def host_network() -> dict[str, Any]:
    """What dockerd changes on its host and never puts back, as it is before the start."""
    return {
        "docker0": has_interface("docker0"),
        "ip_forward": Path("/proc/sys/net/ipv4/ip_forward").read_text().strip(),
        "tables": {t: _rules(t) for t in ("iptables", "ip6tables")},
    }


def has_interface(name: str) -> bool:
    """Whether our network namespace has it; /sys may still show another namespace's."""
    return name in {found for _, found in socket.if_nameindex()}


def restore_host_network(before: dict[str, Any]) -> None:
    """Undo Docker's rules, docker0 and forwarding, each only where it was not there before we started."""
    if not before["docker0"] and has_interface("docker0"):
        _run("ip", "link", "delete", "docker0")
    for table, saved in before["tables"].items():
        now = _rules(table)
        if "DOCKER" in now and "DOCKER" not in saved:
            policy = next((line for line in saved.splitlines() if line.startswith(":FORWARD")), ":FORWARD ACCEPT [0:0]")
            kept = [
                policy if line.startswith(":FORWARD DROP") else line
                for line in now.splitlines()
                if "DOCKER" not in line and "docker0" not in line
            ]
            _run(f"{table}-restore", stdin="\n".join(kept) + "\n")
    if before["ip_forward"] == "0":
        Path("/proc/sys/net/ipv4/ip_forward").write_text("0\n")


def _rules(table: str) -> str:
    found = shutil.which(f"{table}-save")
    return subprocess.run([found], capture_output=True, text=True, check=False).stdout if found else ""


def _run(*words: str, stdin: str | None = None) -> None:
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"`{' '.join(words)}` failed while putting the network back: {done.stderr.strip()}")


# ------------------------------------------------------------------------------------------------- the private Engine


def start() -> None:
    """Start our dockerd and return when it is ready. The caller holds the start lock."""
    dockerd = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if dockerd is None:
        give_up("No Docker Engine answers and there is no dockerd. Run scripts/setup, or install Debian's docker.io.")
    for pid in ours():  # what a killed run left; its sockets are in our way
        kill(pid)
    alone = other_engine_here()
    data = STATE / "data"
    data.mkdir(parents=True, exist_ok=True)
    config = RUN / "daemon.json"  # the machine's own /etc/docker/daemon.json may name other sockets and folders
    config.write_text("{}")
    command = [dockerd, "--data-root", str(data), "--exec-root", str(RUN / "exec"), "--pidfile", str(PIDFILE)]
    command += ["-H", f"unix://{SOCKET}", "--storage-driver", storage_driver(data), "--config-file", str(config)]
    if alone:
        command = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]
    else:
        HOST_STATE.write_text(json.dumps(host_network()))
    where = " in a network namespace of its own, because another Engine runs here" if alone else ""
    say(f"no Engine to use; starting a private one{where} (log: {LOG.relative_to(ROOT)})")
    PIDFILE.unlink(missing_ok=True)
    began = time.monotonic()
    with LOG.open("w") as log:
        # A session of its own: Ctrl-C is for the command; the Engine goes last, after its containers.
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    url = f"unix://{SOCKET}"
    while not answers(url):
        if child.poll() is not None or time.monotonic() - began > START_S:
            tail = "\n".join(LOG.read_text(errors="replace").splitlines()[-15:])
            stop()
            give_up(f"dockerd did not become ready; the end of its log:\n{tail}")
        time.sleep(0.2)
    say(f"ready after {time.monotonic() - began:.1f} s")


def storage_driver(data: Path) -> str:
    """overlay2, except on overlayfs itself (a checkout inside a container): that cannot be stacked, so vfs copies."""
    stat = subprocess.run(["stat", "-f", "-c", "%T", str(data)], capture_output=True, text=True, check=True)
    return "vfs" if stat.stdout.strip() in {"overlayfs", "nfs", "fuseblk", "9p", "v9fs"} else "overlay2"


def empty(url: str) -> None:
    """Remove all containers, networks and volumes of our Engine, so that no shim and no bridge outlives it."""
    for container in request(url, "GET", "/containers/json?all=true"):
        request(url, "DELETE", f"/containers/{container['Id']}?force=true&v=true")
    for kind in ("networks", "volumes"):
        request(url, "POST", f"/{kind}/prune")


def stop() -> None:
    """Stop our Engine with all it started, and put the host's network back. The caller holds the start lock."""
    url, pid = f"unix://{SOCKET}", engine_pid()
    if pid is not None and answers(url):
        try:
            empty(url)
        except OSError as error:
            say(f"could not remove all containers before the Engine's end: {error}")
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        if not wait_for(lambda: not alive(pid), STOP_S):
            say(f"dockerd ({pid}) did not stop within {STOP_S:.0f} s and is killed")
    for left in ours():
        kill(left)
    unmount(RUN, STATE)
    shutil.rmtree(RUN / "exec", ignore_errors=True)
    if HOST_STATE.exists():
        restore_host_network(json.loads(HOST_STATE.read_text()))
        HOST_STATE.unlink()
    for path in (SOCKET, PIDFILE):
        path.unlink(missing_ok=True)


def unmount(*folders: Path) -> None:
    """Unmount what dockerd leaves mounted: its network namespace, which would live on; after a kill also containers."""
    points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for point in reversed([p for p in points if any(Path(p).is_relative_to(folder) for folder in folders)]):
        subprocess.run(["umount", "--lazy", point], check=False, stdin=subprocess.DEVNULL)


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # ours if we started it; reap it, else it stays a zombie
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def kill(pid: int) -> None:
    """TERM, then KILL after five seconds."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if wait_for(lambda: not alive(pid), 5.0):
            return


# ----------------------------------------------------------------------------------------------------------- sharing


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file's lock alone."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def private_engine() -> Iterator[str]:
    """Our Engine's URL, for as long as it is needed.

    Every user holds a shared lock on one file; who can have it alone at its end is the last, and stops the Engine.
    The kernel drops a lock with its process, so a killed run cannot keep the Engine alive past the next run.
    """
    if os.geteuid() != 0:
        give_up("No Docker Engine answers, and only root can start one. Run this with sudo, or start Docker first.")
    for folder in (STATE, RUN):
        folder.mkdir(parents=True, exist_ok=True)
    with (RUN / "users.lock").open("w") as users:
        with locked(RUN / "start.lock"):
            if engine_pid() is not None and answers(f"unix://{SOCKET}"):
                say("sharing the private Engine that runs already")
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    empty(f"unix://{SOCKET}")  # nobody uses it: what is in it was left by a run that got killed
            else:
                start()
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield f"unix://{SOCKET}"
        finally:
            with locked(RUN / "start.lock"):
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass  # someone else still works with it
                else:
                    stop()


def run(command: list[str], environment: dict[str, str]) -> int:
    """Run the command, pass signals on to it, and return its exit code as a shell would."""
    child: subprocess.Popen[bytes] | None = None

    def forward(number: int, _frame: FrameType | None) -> None:
        # A terminal's Ctrl-C reaches the child by itself; anything else was sent to us alone.
        if child is not None and child.poll() is None and not (number == signal.SIGINT and sys.stdin.isatty()):
            child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    try:
        child = subprocess.Popen(command, env=environment)
    except FileNotFoundError:
        say(f"no such command: {command[0]}")
        return 127
    code = child.wait()
    return 128 - code if code < 0 else code


def main(command: list[str]) -> int:
    """Find or start an Engine, run the command with it."""
    if not command:
        give_up("usage: scripts/with-docker COMMAND [ARGUMENT…]")
    environment = dict(os.environ)
    if environment.get("DOCKER_ENGINE_OF_TESTS") != "private":
        given = environment.get("DOCKER_HOST")
        for url in filter(None, (given, DEFAULT_SOCKET)):
            if answers(url):
                return run(command, {**environment, "DOCKER_HOST": url})
        if given:
            say(f"nothing answers at DOCKER_HOST={given}")
    with private_engine() as url:
        pid = engine_pid()
        if pid is not None and network_namespace(pid) != network_namespace("self"):
            command = ["nsenter", f"--net=/proc/{pid}/ns/net", "--", *command]
        return run(command, {**environment, "DOCKER_HOST": url, "DOCKER_ENGINE_OF_TESTS": "private"})


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
