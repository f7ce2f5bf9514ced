"""The Docker engine's network modes, volumes and isolation, seen from inside containers and from the host."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import httpx
import pytest

from longshore.domain.ecs.launch import Mount, PortMapping, Volume
from longshore.drivers.docker.linklocal import open_sockets
from longshore.drivers.ports import Permanent
from tests.support.docker_rig import SLEEP, RecordingSink, Rig, container, make_rig, network, sh, task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("busybox_image")]

SERVE = "mkdir -p /tmp/www; echo $WHO >/tmp/www/index.html; exec httpd -f -p 80 -h /tmp/www"


@pytest.fixture
async def rig(docker_instance: str, docker_url: str) -> AsyncIterator[Rig]:
    rig = await make_rig(docker_instance, docker_url, RecordingSink(), {"FROM_LONGSHORE": "yes", "BOTH": "longshore"})
    yield rig
    await rig.engine.purge()
    await rig.close()


async def body(url: str) -> str:
    """The answer of a server that is about to listen."""
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=8), trust_env=False) as http:
        return (await http.get(url, timeout=20)).text.strip()


async def test_two_awsvpc_tasks_answer_on_port_80_of_their_own_addresses(
    rig: Rig, free_cidr: Callable[[int], str]
) -> None:
    cidr = free_cidr(24)
    for number in (10, 11):
        app = sh("app", SERVE, environment={"WHO": f"task {number}"})
        await rig.run(task(app, task_id=f"{number:032x}", network_mode="awsvpc", network=network(cidr, number)))
    assert await body(f"http://{network(cidr, 10).address}/") == "task 10"
    assert await body(f"http://{network(cidr, 11).address}/") == "task 11"
    ask = sh("ask", f"http-get {network(cidr, 10).address} 80; ip link show eth0 | grep ether; hostname")
    launch = task(ask, task_id="c" * 32, network_mode="awsvpc", network=network(cidr, 12))
    await rig.run_to_end(launch)
    await rig.engine.remove(launch.task_id)
    lines = rig.sink.lines("ask")
    assert lines[0] == "task 10"
    assert "0a:00:00:00:00:0c" in lines[1]
    assert lines[2].startswith("ip-10-")


async def test_containers_of_an_awsvpc_task_share_localhost(rig: Rig, free_cidr: Callable[[int], str]) -> None:
    ask = sh("ask", "until http-get 127.0.0.1 80; do sleep 0.1; done", essential=False)
    launch = task(
        sh("app", SERVE, environment={"WHO": "neighbour"}), ask, network_mode="awsvpc", network=network(free_cidr(24))
    )
    await rig.engine.start(launch)
    await rig.sink.until("ask", "neighbour")


async def test_bridge_mode_has_static_and_dynamic_ports_and_links(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        static = free.getsockname()[1]
    web = sh(
        "web",
        SERVE,
        environment={"WHO": "web"},
        ports=(PortMapping(container_port=80, host_port=static), PortMapping(container_port=81)),
    )
    ask = sh("ask", "until http-get site 80; do sleep 0.1; done", links=("web:site",), essential=False)
    dynamic = sh("dynamic", SERVE, environment={"WHO": "dynamic"}, ports=(PortMapping(container_port=80),))
    await rig.engine.start(task(web, ask, dynamic, network_mode="bridge"))
    seen = await rig.running("1" * 32, "web", "dynamic")
    seen = await rig.until("1" * 32, lambda s: all(container(s, n).network_bindings for n in ("web", "dynamic")))
    bound = {b.container_port: b.host_port for b in container(seen, "web").network_bindings}
    assert bound[80] == static
    assert bound[81] > 0
    (binding,) = container(seen, "dynamic").network_bindings
    assert (binding.bind_ip, binding.protocol, binding.container_port) == ("0.0.0.0", "tcp", 80)  # noqa: S104  what ECS reports
    assert await body(f"http://127.0.0.1:{static}/") == "web"
    assert await body(f"http://127.0.0.1:{binding.host_port}/") == "dynamic"
    await rig.sink.until("ask", "web")


async def test_static_port_that_is_taken_cannot_start(rig: Rig) -> None:
    with socket.create_server(("", 0)) as taken:
        port = PortMapping(container_port=80, host_port=taken.getsockname()[1])
        seen = await rig.run_to_end(task(sh("web", SERVE, ports=(port,)), network_mode="bridge"))
    assert container(seen, "web").reason.startswith("CannotStartContainerError: ")
    assert "address already in use" in seen.failure


async def test_host_mode_shares_the_hosts_network_and_reports_its_ports(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = SERVE.replace("-p 80", f"-p {port}")
    app = sh("app", serve, environment={"WHO": "host"}, ports=(PortMapping(container_port=port, host_port=port),))
    await rig.engine.start(task(app, network_mode="host"))
    seen = await rig.until("1" * 32, lambda s: bool(container(s, "app").network_bindings))
    assert container(seen, "app").network_bindings[0].host_port == port
    assert await body(f"http://127.0.0.1:{port}/") == "host"


async def test_task_volume_is_shared_and_goes_with_the_task(rig: Rig, tmp_path: Path) -> None:
    mounts = (Mount(volume="both", path="/data"), Mount(volume="of-host", path="/host", read_only=True))
    (tmp_path / "greeting").write_text("hello\n")
    writer = sh("writer", f"cp /host/greeting /data/; touch /host/x || echo refused; {SLEEP}", mounts=mounts)
    reader = sh(
        "reader", "until cat /data/greeting; do sleep 0.1; done 2>/dev/null", volumes_from=(("writer", True),),
        essential=False,
    )  # fmt: skip
    volumes = (Volume(name="both"), Volume(name="of-host", type="host", host_path=str(tmp_path)))
    await rig.engine.start(task(writer, reader, volumes=volumes))
    await rig.sink.until("reader", "hello")
    await rig.sink.until("writer", "refused")
    await rig.stop("1" * 32)
    await rig.engine.remove("1" * 32)
    found = await rig.engine._client.get("/volumes", filters=rig.engine._names.instance_filter())
    assert not found["Volumes"]


async def test_docker_volume_that_is_not_provisioned_fails_the_task(rig: Rig, docker_instance: str) -> None:
    volume = Volume(name=f"{docker_instance}-none", type="docker", docker_scope="shared")
    app = sh("app", "true", mounts=(Mount(volume=volume.name, path="/data"),))
    seen = await rig.run_to_end(task(app, volumes=(volume,)))
    assert "does not exist and autoprovision is false" in seen.failure
    found = await rig.engine._client.get("/volumes", filters={"name": [volume.name]})
    assert not found["Volumes"]


async def test_container_settings_hold_inside(rig: Rig) -> None:
    script = (
        "id -u; pwd; ulimit -n; touch /x 2>/dev/null || echo read-only; touch /scratch/x && echo tmpfs; "
        "echo $BOTH $FROM_LONGSHORE; cat /proc/1/comm; cat /proc/sys/net/ipv4/ip_unprivileged_port_start"
    )
    app = sh(
        "app",
        script,
        user="1000",
        working_directory="/home/app",
        ulimits=(("nofile", 512, 1024),),
        read_only_root=True,
        tmpfs=(("/scratch", 1, ("mode=1777",)),),
        environment={"BOTH": "definition"},
        init_process=True,
        system_controls={"net.ipv4.ip_unprivileged_port_start": "77"},
    )
    await rig.run_to_end(task(app))
    await rig.engine.remove("1" * 32)
    expected = ["1000", "/home/app", "512", "read-only", "tmpfs", "definition yes", "docker-init", "77"]
    assert rig.sink.lines("app") == expected


async def test_pid_and_ipc_namespaces_can_be_the_tasks(rig: Rig) -> None:
    look = sh("look", "until ps | grep -q 'sleep 4321$'; do sleep 0.1; done; echo seen", essential=False)
    await rig.engine.start(task(sh("app", "sleep 4321"), look, pid_mode="task", ipc_mode="task"))
    await rig.sink.until("look", "seen")


async def test_free_range_avoids_docker_networks_and_routes(rig: Rig, free_cidr: Callable[[int], str]) -> None:
    networks = await rig.engine._client.get("/networks")
    taken = next(n["IPAM"]["Config"][0]["Subnet"] for n in networks if n["Name"] == "bridge")
    free = free_cidr(24)
    assert await rig.engine.free_vpc_cidr([taken, free]) == free
    with pytest.raises(Permanent, match="free on this machine"):
        await rig.engine.free_vpc_cidr([taken])


async def test_two_instances_each_serve_their_own_bridges_at_one_address_and_port(
    docker_url: str, free_cidr: Callable[[int], str], own_instances: set[str], docker_instance: str
) -> None:
    """A container asks 169.254.170.2 and gets the answer of the Longshore that started it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    other = f"{docker_instance}-b"
    own_instances.add(other)
    servers: list[asyncio.Server] = []
    rigs: list[Rig] = []
    for instance in (docker_instance, other):

        async def serve(device: str, _vpc_id: str | None, instance: str = instance) -> None:
            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(f"HTTP/1.0 200 OK\r\n\r\n{instance}\n".encode())
                await writer.drain()
                writer.close()

            (listener,) = await open_sockets([device], port)
            servers.append(await asyncio.start_server(answer, sock=listener))

        rigs.append(await make_rig(instance, docker_url, RecordingSink(), bridge_ready=serve))
    try:
        for rig in rigs:
            ask = sh("ask", f"http-get 169.254.170.2 {port}")
            await rig.run_to_end(task(ask, network_mode="awsvpc", network=network(free_cidr(24))))
            await rig.run_to_end(task(ask, network_mode="bridge", task_id="2" * 32))
            for task_id in ("1" * 32, "2" * 32):
                await rig.engine.remove(task_id)
        assert rigs[0].sink.lines("ask") == [docker_instance] * 2
        assert rigs[1].sink.lines("ask") == [other] * 2
    finally:
        for server in servers:
            server.close()
        for rig in rigs:
            await rig.engine.purge()
            await rig.close()
