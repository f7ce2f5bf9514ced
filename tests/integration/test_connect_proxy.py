"""A task's proxy with a real HAProxy in a network namespace of its own (root)."""

# ruff: noqa: ASYNC110, ASYNC220, ASYNC222, ASYNC240  processes are what is tested; its driver is looked into

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from longshore.domain.log import LogTarget
from longshore.domain.names.connect import ConnectIngress, ConnectPlan, ConnectRoute, Endpoint, ProxyLog
from longshore.drivers.connect.driver import HaproxyConnect
from longshore.drivers.ports import Permanent
from longshore.system import SystemClock
from tests.support.docker_rig import RecordingSink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

    Make = Callable[[], Coroutine[Any, Any, HaproxyConnect]]

pytestmark = pytest.mark.skipif(
    os.getuid() != 0 or not shutil.which("iptables-restore", path="/usr/sbin:/sbin:/usr/bin"),
    reason="needs root and iptables",
)
ROOT = Path(__file__).parents[2]
TASK = "f" * 32
WEB = ConnectRoute(
    dns_name="web",
    port=8080,
    address="127.255.0.7",
    listen_port=61007,
    discovery_name="web",
    protocol="http",
    idle_timeout_s=300,
    request_timeout_s=15,
)
CACHE = ConnectRoute(dns_name="cache", port=6379, address="127.255.0.8", listen_port=61008, discovery_name="cache")


TARGET = LogTarget(group="g", stream="proxy", region="us-east-1")
ROUTES = {protocol: replace(WEB, protocol=protocol) for protocol in ("http2", "grpc")}


class Namespace:
    """A network namespace held by a process that sleeps, with loopback up."""

    def __init__(self) -> None:
        self.held = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
        while Path(f"/proc/{self.held.pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
            os.sched_yield()
        self.enter = ["nsenter", f"--net=/proc/{self.held.pid}/ns/net"]
        subprocess.run([*self.enter, "ip", "link", "set", "lo", "up"], check=True)
        self.servers: list[subprocess.Popen[bytes]] = []

    def serve(self, script: str) -> None:
        """Run a Python program in it, until it says that it is ready."""
        server = subprocess.Popen([*self.enter, sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT)
        assert server.stdout is not None
        server.stdout.readline()
        self.servers.append(server)

    async def get(self, url: str, *headers: str) -> str:
        """The answer to one request from inside; curl's exit code where there is none."""
        given = [word for header in headers for word in ("-H", header)]
        return await self._run("curl", "-s", "--max-time", "10", "-w", "%{http_code}", *given, url)

    async def call(self, url: str, *headers: str) -> list[str]:
        """A gRPC call from inside over one HTTP/2 connection: its protocol and status, and its `grpc-status`."""
        given = (
            word for header in ("content-type: application/grpc", "te: trailers", *headers) for word in ("-H", header)
        )
        asked = ("-s", "--http2-prior-knowledge", *given)
        said = await self._run("curl", *asked, "--max-time", "10", "-d", "00000", "-o", "/dev/null", "-D", "-", url)
        lines = [line.strip() for line in said.splitlines()]
        return [line for line in lines if line.startswith(("HTTP", "grpc-status"))]

    async def _run(self, *command: str) -> str:
        child = await asyncio.create_subprocess_exec(*self.enter, *command, stdout=asyncio.subprocess.PIPE)
        said, _ = await child.communicate()
        return said.decode()

    def end(self) -> None:
        for process in (*self.servers, self.held):
            process.kill()
            process.wait()


CLIENT = """
import socket
connection = socket.create_connection(("127.255.0.8", 6379))
connection.send(b"x")
print("ready", flush=True)
input()
"""
HTTP = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = {body!r}.encode()
        self.send_response({status}); self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
    def handle(self):
        try: super().handle()
        except ConnectionError: pass
server = http.server.ThreadingHTTPServer(("{host}", {port}), Handler)
print("ready", flush=True)
server.serve_forever()
"""


GRPC = """
import asyncio
from tests.support.h2_target import H2Target
async def serve():
    async with H2Target("127.0.0.1", {port}, status={status}).serving():
        print("ready", flush=True)
        await asyncio.Event().wait()
asyncio.run(serve())
"""


def http(body: str, *, host: str = "127.0.0.1", port: int, status: int = 200) -> str:
    return HTTP.format(body=body, host=host, port=port, status=status)


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    made = Namespace()
    yield made
    made.end()


@pytest.fixture
def sink() -> RecordingSink:
    return RecordingSink()


@pytest.fixture
async def drivers(sink: RecordingSink) -> AsyncIterator[Make]:
    folder = Path(tempfile.mkdtemp(prefix="lc", dir="/tmp"))
    made: list[HaproxyConnect] = []

    async def make() -> HaproxyConnect:
        """Another life of the driver."""
        for driver in made:
            await driver.close()
        made.append(HaproxyConnect(folder, sink, SystemClock()))
        return made[-1]

    yield make
    if made:
        await made[-1].keep(())
    shutil.rmtree(folder)


def plan(*endpoints: Endpoint, cache: tuple[Endpoint, ...] | None = None, **more: Any) -> ConnectPlan:

    routes = [replace(WEB, endpoints=endpoints)]
    if cache is not None:
        routes.append(replace(CACHE, endpoints=cache))
    return ConnectPlan(routes=tuple(routes), **more)


ONE, TWO = Endpoint("127.0.0.1", 7001), Endpoint("127.0.0.1", 7002)


async def test_a_name_leads_to_all_endpoints_though_a_container_has_the_same_port(
    namespace: Namespace, drivers: Make
) -> None:
    driver = await drivers()
    namespace.serve(http("one", port=7001))
    namespace.serve(http("two", port=7002))
    await driver.begin(TASK, namespace.held.pid, plan(ONE, TWO))
    namespace.serve(http("own", host="0.0.0.0", port=8080))  # noqa: S104  as containers do
    said = {await namespace.get("http://127.255.0.7:8080/") for _ in range(4)}
    assert said == {"one200", "two200"}
    assert await namespace.get("http://127.0.0.1:8080/") == "own200"


async def test_endpoints_change_without_a_reload_and_routes_with_one(namespace: Namespace, drivers: Make) -> None:
    driver = await drivers()
    await driver.begin(TASK, namespace.held.pid, plan())
    proxy = driver._proxies[TASK]
    namespace.serve(http("one", port=7001))
    namespace.serve(http("two", port=7002))
    assert (await namespace.get("http://127.255.0.7:8080/")).endswith("503")
    await driver.apply(TASK, plan(ONE))
    assert await namespace.get("http://127.255.0.7:8080/") == "one200"
    await driver.apply(TASK, plan(TWO))
    assert {await namespace.get("http://127.255.0.7:8080/") for _ in range(3)} == {"two200"}
    assert (await proxy.process.runtime.processes()).reloads == 0
    await driver.apply(TASK, plan(TWO, cache=(ONE,)))
    assert await namespace.get("http://127.255.0.8:6379/") == "one200"
    assert (await proxy.process.runtime.processes()).reloads == 1


async def test_headers_and_urls_may_be_as_long_as_envoy_takes_them(namespace: Namespace, drivers: Make) -> None:
    driver = await drivers()
    namespace.serve(http("one", port=7001))
    await driver.begin(TASK, namespace.held.pid, plan(ONE))
    url, header, cookies = "http://127.255.0.7:8080/", "h: " + "x" * 50_000, [f"c{n}: {'x' * 600}" for n in range(90)]
    assert await namespace.get(url, header) == "one200"
    assert await namespace.get(url, *cookies) == "one200"
    assert await namespace.get(url + "x" * 50_000) == "one200"
    assert (await namespace.get(url, header, "more: " + "x" * 20_000)).endswith("400")


async def test_an_endpoint_that_is_not_there_costs_no_request(namespace: Namespace, drivers: Make) -> None:
    driver = await drivers()
    namespace.serve(http("two", port=7002))
    await driver.begin(TASK, namespace.held.pid, plan(ONE, TWO, cache=(TWO, ONE)))
    said = [await namespace.get(f"http://{at}/") for _ in range(6) for at in ("127.255.0.7:8080", "127.255.0.8:6379")]
    assert set(said) == {"two200"}


async def test_an_endpoint_that_fails_is_ejected(namespace: Namespace, drivers: Make) -> None:
    driver = await drivers()
    namespace.serve(http("bad", port=7001, status=500))
    namespace.serve(http("two", port=7002))
    await driver.begin(TASK, namespace.held.pid, plan(ONE, TWO))
    first = [await namespace.get("http://127.255.0.7:8080/") for _ in range(12)]
    assert first.count("bad500") == 5
    assert {await namespace.get("http://127.255.0.7:8080/") for _ in range(8)} == {"two200"}


async def test_requests_and_ejections_are_logged(namespace: Namespace, drivers: Make, sink: RecordingSink) -> None:
    log = ProxyLog(account="1", target=TARGET, requests="JSON")
    logged = plan(ONE, TWO, cache=(TWO,), log=log)
    driver = await drivers()
    namespace.serve(http("bad", port=7001, status=500))
    namespace.serve(http("two", port=7002))
    await driver.begin(TASK, namespace.held.pid, logged)
    for _ in range(12):
        await namespace.get("http://127.255.0.7:8080/a%20b?secret=1")
    await namespace.get("http://127.255.0.8:6379/")
    while len([event for event in sink.streams["proxy"] if event.message.startswith("{")]) < 13:
        await asyncio.sleep(0.05)
    lines = sink.lines("proxy")
    assert any("Server c-61007/s1 is DOWN" in line for line in lines)
    found = [json.loads(line) for line in lines if line.startswith("{")]
    assert {(each["response_code"], each["upstream_host"]) for each in found if each["method"]} == {
        (500, "127.0.0.1:7001"),
        (200, "127.0.0.1:7002"),
    }
    assert {each["path"] for each in found if each["method"]} == {"/a%20b"}
    [other] = [each for each in found if each["method"] is None]
    assert (other["discovery_name"], other["upstream_host"]) == ("cache", "127.0.0.1:7002")
    await (driver := await drivers()).begin(TASK, namespace.held.pid, logged)  # another life goes on
    await namespace.get("http://127.255.0.7:8080/later")
    await sink.until("proxy", "/later")
    sink.missing_groups.add("g")  # what runs goes on, in the next life too
    await (driver := await drivers()).begin(TASK, namespace.held.pid, logged)
    await namespace.get("http://127.255.0.7:8080/last")
    await sink.until("proxy", "/last")
    await driver.end(TASK)
    with pytest.raises(Permanent, match="logger args"):
        await driver.begin(TASK, namespace.held.pid, logged)


async def test_when_more_than_half_fail_all_get_requests(namespace: Namespace, drivers: Make) -> None:
    driver = await drivers()
    namespace.serve(http("bad", port=7001, status=500))
    await driver.begin(TASK, namespace.held.pid, plan(ONE))
    assert {await namespace.get("http://127.255.0.7:8080/") for _ in range(8)} == {"bad500"}


async def test_a_withdrawn_endpoint_is_busy_until_its_connection_ends(namespace: Namespace, drivers: Make) -> None:
    driver = await drivers()
    await driver.begin(TASK, namespace.held.pid, plan(cache=(ONE,)))
    namespace.serve(
        "import socket\ns=socket.create_server(('127.0.0.1',7001))\nprint('r',flush=True)\n"
        "while True:\n a,_=s.accept()\n while a.recv(9): pass\n a.close()"
    )
    client = subprocess.Popen(
        [*namespace.enter, "python3", "-c", CLIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert client.stdout is not None
    client.stdout.readline()
    await driver.apply(TASK, plan(cache=()))
    while ONE not in await driver.busy(TASK):  # accepted by the kernel a moment before the proxy has it
        await driver.apply(TASK, plan(cache=()))
    client.kill()
    client.wait()
    async with asyncio.timeout(20):
        while await driver.busy(TASK):
            await asyncio.sleep(0.01)


async def test_a_proxy_outlives_its_driver_and_is_adopted_as_it_is(namespace: Namespace, drivers: Make) -> None:
    driver = await drivers()
    namespace.serve(http("one", port=7001))
    namespace.serve(http("two", port=7002))
    await driver.begin(TASK, namespace.held.pid, plan(ONE))
    pid = (driver._folder / TASK / "haproxy.pid").read_text()
    driver = await drivers()
    assert await namespace.get("http://127.255.0.7:8080/") == "one200"
    await driver.begin(TASK, namespace.held.pid, plan(TWO))
    assert await namespace.get("http://127.255.0.7:8080/") == "one200"  # until control has spoken
    await driver.apply(TASK, plan(TWO))
    assert {await namespace.get("http://127.255.0.7:8080/") for _ in range(3)} == {"two200"}
    assert (driver._folder / TASK / "haproxy.pid").read_text() == pid
    assert (await driver._proxies[TASK].process.runtime.processes()).reloads == 0


async def test_a_proxy_that_dies_comes_back(namespace: Namespace, drivers: Make) -> None:
    driver = await drivers()
    namespace.serve(http("one", port=7001))
    await driver.begin(TASK, namespace.held.pid, plan(ONE))
    pidfile = driver._folder / TASK / "haproxy.pid"
    killed = int(pidfile.read_text())
    os.kill(killed, signal.SIGKILL)
    async with asyncio.timeout(20):
        while await namespace.get("http://127.255.0.7:8080/") != "one200" or int(pidfile.read_text()) == killed:
            await asyncio.sleep(0.05)


async def test_what_nobody_keeps_is_ended_with_its_folder(namespace: Namespace, drivers: Make) -> None:
    driver = await drivers()
    await driver.begin(TASK, namespace.held.pid, plan(ONE))
    pid = int((driver._folder / TASK / "haproxy.pid").read_text())
    driver = await drivers()
    await driver.keep(())
    assert list(driver._folder.iterdir()) == []
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    assert not Path(f"/proc/{pid}").exists()


async def test_without_a_haproxy_a_proxy_says_so_and_ends_without_trouble(
    namespace: Namespace, drivers: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = await drivers()
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, **more: None if name == "haproxy" else which(name, **more))
    with pytest.raises(Permanent, match="install the package haproxy"):
        await driver.begin(TASK, namespace.held.pid, plan(ONE))
    await driver.end(TASK)
    assert not (driver._folder / TASK).exists()


async def test_ingress_leads_to_the_container(namespace: Namespace, drivers: Make) -> None:
    driver = await drivers()
    await driver.begin(TASK, namespace.held.pid, plan(ingresses=(ConnectIngress(port=9000, container_port=7001),)))
    namespace.serve(http("one", port=7001))
    assert await namespace.get("http://127.0.0.1:9000/") == "one200"


@pytest.mark.parametrize("protocol", ["http2", "grpc"])
async def test_http2_goes_through_to_all_endpoints_with_its_trailers(
    namespace: Namespace, drivers: Make, protocol: str
) -> None:
    driver = await drivers()
    for port, status in ((7001, 0), (7002, 7)):
        namespace.serve(GRPC.format(port=port, status=status))
    await driver.begin(TASK, namespace.held.pid, ConnectPlan(routes=(replace(ROUTES[protocol], endpoints=(ONE, TWO)),)))
    said = [await namespace.call("http://127.255.0.7:8080/shop.Cart/Add") for _ in range(4)]
    assert {tuple(answer) for answer in said} == {("HTTP/2 200", "grpc-status: 0"), ("HTTP/2 200", "grpc-status: 7")}
    await driver.apply(TASK, ConnectPlan(routes=(replace(ROUTES[protocol], endpoints=(TWO,)),)))
    assert await namespace.call("http://127.255.0.7:8080/shop.Cart/Add") == ["HTTP/2 200", "grpc-status: 7"]


async def test_headers_of_http2_may_be_as_long(namespace: Namespace, drivers: Make) -> None:
    driver = await drivers()
    namespace.serve(GRPC.format(port=7001, status=0))
    await driver.begin(TASK, namespace.held.pid, ConnectPlan(routes=(replace(ROUTES["grpc"], endpoints=(ONE,)),)))
    said = await namespace.call("http://127.255.0.7:8080/shop.Cart/Add", "h: " + "x" * 50_000)
    assert said == ["HTTP/2 200", "grpc-status: 0"]


async def test_http2_to_an_endpoint_that_is_not_there_costs_no_call(namespace: Namespace, drivers: Make) -> None:
    driver = await drivers()
    namespace.serve(GRPC.format(port=7001, status=0))
    route = replace(ROUTES["grpc"], endpoints=(ONE, TWO))
    await driver.begin(TASK, namespace.held.pid, ConnectPlan(routes=(route,)))
    said = [await namespace.call("http://127.255.0.7:8080/shop.Cart/Add") for _ in range(6)]
    assert said == [["HTTP/2 200", "grpc-status: 0"]] * 6
