"""A few rounds of each fault on real parts; `make soak-docker` does any number. aftermath.py says what must hold."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import engine, images
from tests.support.cable import CableBeside
from tests.support.dockerd import OwnDocker
from tests.support.server import ACCOUNT, REGION, Server, sh, until
from tests.support.soak import OPTIONS
from tests.support.soak.aftermath import Aftermath
from tests.support.soak.user import Run, User
from tests.support.soak.weather import Weather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

pytestmark = pytest.mark.docker

ACTS = 4
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/default"


class Soak:
    """A server, its user, and what must hold of them."""

    def __init__(self, server: Server, seed: int, docker: OwnDocker | None = None) -> None:
        self.server = server
        self.user = User(server, random.Random(seed))
        self.weather = Weather(server, random.Random(seed + 1), docker)
        self.aftermath = Aftermath(server, self.user)
        self.user.prepare()

    def round(self, fault: Callable[[], object]) -> None:
        """The user works while the fault happens; then everything comes right."""
        with ThreadPoolExecutor(1) as working:
            work = working.submit(self.user.work, ACTS)
            fault()
            work.result()
        self.aftermath.settle()


@contextlib.contextmanager
def up(server: Server) -> Iterator[Server]:
    """The server with a cluster and a log group; nothing is left of it afterwards."""
    try:
        server.start()
        server.prepare()
        yield server
    finally:
        server.close()


@pytest.fixture
def root(request: pytest.FixtureRequest) -> None:
    """What only root may do: start a dockerd, mount."""
    if os.geteuid() == 0:
        return
    if request.config.getoption("--require-docker"):
        pytest.fail("only root can start a dockerd or mount: run this with sudo", pytrace=False)
    pytest.skip("only root can start a dockerd or mount")


def test_server_killed_at_any_moment(launch: Callable[..., Server]) -> None:
    soak = Soak(launch(*OPTIONS), seed=1)
    for _ in range(3):
        soak.round(soak.weather.kill_server)
    soak.aftermath.all_acknowledged()


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("live_restore", [False, True], ids=["containers-end", "live-restore"])
def test_dockerd_killed(tmp_path: Path, live_restore: bool) -> None:
    with OwnDocker(tmp_path, live_restore=live_restore) as docker:
        made = Server(tmp_path, engine.free_cidr(docker.url, 16), *OPTIONS, docker_url=docker.url)
        with up(made) as server:
            soak = Soak(server, seed=4, docker=docker)

            def kill() -> None:
                soak.weather.kill_engine()
                soak.aftermath.excuse()

            soak.round(kill)
            soak.aftermath.all_acknowledged()


@contextlib.contextmanager
def container_too_many(server: Server) -> Iterator[None]:
    """A container of the server's that it did not make: shows that the aftermath would see one."""
    body = {"Image": images.BUSYBOX, "Labels": {"longshore.instance": server.instance}}
    with engine.client(server.docker_url) as http:
        made = http.post("/containers/create", json=body).raise_for_status().json()["Id"]
        try:
            yield
        finally:
            http.delete(f"/containers/{made}").raise_for_status()


def test_socket_of_docker_gone_for_a_while(tmp_path: Path, docker_url: str, busybox_image: str) -> None:
    assert busybox_image
    if not docker_url.startswith("unix://"):
        pytest.skip("the cable that this test cuts is a Unix socket")
    with (
        CableBeside(docker_url, tmp_path / "docker.sock") as cable,
        up(Server(tmp_path, engine.free_cidr(docker_url, 16), *OPTIONS, docker_url=cable.url)) as server,
    ):
        server.docker_url = docker_url  # the aftermath looks at the Engine itself
        soak = Soak(server, seed=6)
        soak.user.work(ACTS)
        cable.cut()
        soak.user.work(ACTS)  # everything is answered meanwhile
        cable.plug()
        soak.aftermath.settle()
        soak.aftermath.all_acknowledged()
        with container_too_many(server):
            assert any("the containers of no task are" in text for text in soak.aftermath.complaints())


@pytest.fixture
def small_disk(root: None, tmp_path: Path) -> Iterator[Path]:
    """A folder with 48 MiB of its own."""
    assert root is None
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "longshore-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    """Fill it up to the last byte; the file to delete."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return ballast


def refused(server: Server) -> bool:
    """Whether a write is refused as AWS says that something cannot be done at the moment."""
    try:
        server.ecs.tag_resource(resourceArn=CLUSTER, tags=[{"key": "k", "value": os.urandom(8).hex()}])
    except server.ecs.exceptions.ClientError as refusal:
        answer = refusal.response
        assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("ServiceUnavailable", 503)
        return True
    return False


WAITS = "until [ -e /end ]; do sleep 0.1; done; echo done; exit 5"


def test_disk_full_for_a_while(small_disk: Path, tmp_path: Path, docker_url: str, busybox_image: str) -> None:
    assert busybox_image
    made = Server(tmp_path, engine.free_cidr(docker_url, 16), *OPTIONS)
    made.state = small_disk / "state"
    with up(made) as server:
        soak = Soak(server, seed=8)
        waits = server.running(server.run(server.define("waits", sh("app", WAITS))))
        soak.user.runs.append(Run(waits["taskArn"], exit_code=5))

        def full_for_a_while() -> None:
            ballast = fill(small_disk)
            until(lambda: refused(server), "a write to be refused")
            # It ends while nothing can be written: its exit code must not be lost, nor what it printed.
            server.execute(waits, "touch", "/end")
            until(lambda: not running(server, waits), "the container's end")
            assert server.task(waits["taskArn"])["lastStatus"] == "RUNNING"  # reads go on
            ballast.unlink()

        soak.round(full_for_a_while)
        soak.aftermath.all_acknowledged()
        assert server.process is not None
        assert server.process.poll() is None  # it went on by itself


def running(server: Server, task: Mapping[str, Any]) -> bool:
    """Whether the Engine runs a task's container."""
    return task["containers"][0]["runtimeId"] in {container["Id"] for container in server.containers(every=False)}


@pytest.fixture
def clock(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """A file that says by how much a process's clock is wrong, and the variables that make a process follow it."""
    if shutil.which("faketime") is None:
        why = "there is no faketime: run scripts/setup, or install Debian's faketime"
        if request.config.getoption("--require-docker"):
            pytest.fail(why, pytrace=False)
        pytest.skip(why)
    library = subprocess.run(
        ["faketime", "-m", "-f", "+0", "printenv", "LD_PRELOAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    offset = tmp_path / "offset"
    offset.write_text("+0\n")
    variables = {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1",  # so often does it read the file
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # a clock that is set back does not set that one back
    }
    yield offset, variables
    for left in Path("/dev/shm").glob("*faketime_*"):  # noqa: S108  what it leaves of a process that is killed
        if not Path("/proc", left.name.rpartition("_")[2]).exists():
            left.unlink(missing_ok=True)


def time_of(server: Server) -> datetime:
    """What the server takes for the time."""
    headers = server.ecs.list_clusters()["ResponseMetadata"]["HTTPHeaders"]
    return parsedate_to_datetime(headers["date"])


def test_clock_set_back_an_hour(
    clock: tuple[Path, dict[str, str]], tmp_path: Path, docker_url: str, busybox_image: str
) -> None:
    assert busybox_image
    # The library that makes up the time may hang in a process that forks while another of its threads asks for it, so
    # that this test starts no `nft`, which each change of a task would.
    made = Server(tmp_path, engine.free_cidr(docker_url, 16), *OPTIONS, "--security-groups", "off")
    offset, made.variables = clock
    with up(made) as server:
        soak = Soak(server, seed=10)
        soak.user.run_task_that_stays()
        before = time_of(server)

        def set_back() -> None:
            offset.write_text("-1h\n")
            until(lambda: time_of(server) < before - timedelta(minutes=50), "the server's clock to go back")

        soak.round(set_back)
        soak.user.run_task_that_stays()
        first, *_, last = (server.task(run.arn)["createdAt"] for run in soak.user.runs)
        assert first > last
        soak.round(lambda: server.restart(kill=True))
        soak.aftermath.all_acknowledged()
