"""The Docker engine after a restart of Longshore, an outage of Docker, and beside another Longshore."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from longshore.domain.ecs.launch import Dependency, Mount, Volume
from longshore.drivers.docker.names import PAUSE
from longshore.drivers.ports import Permanent, Retryable
from tests.support import engine as docker
from tests.support.cable import Cable
from tests.support.docker_rig import LISTENS, SLEEP, RecordingSink, Rig, container, make_rig, network, sh, task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from longshore.domain.ecs.launch import TaskLaunch

    MakeRig = Callable[..., Awaitable[Rig]]

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("busybox_image")]


@pytest.fixture
async def make(docker_instance: str, docker_url: str) -> AsyncIterator[MakeRig]:
    """Makes engines, of one instance unless told otherwise; purges and closes them."""
    rigs: list[Rig] = []

    async def one(instance: str = docker_instance, url: str = docker_url) -> Rig:
        rigs.append(await make_rig(instance, url, RecordingSink()))
        return rigs[-1]

    yield one
    for rig in reversed(rigs):
        if rig.engine._answers.is_set():
            await rig.engine.purge()
        await rig.close()


async def test_running_task_is_adopted_after_a_kill_and_not_doubled(
    make: MakeRig, free_cidr: Callable[[int], str], docker_url: str, docker_instance: str
) -> None:
    first = await make()
    launch = task(sh("app", LISTENS), sh("side", LISTENS), network_mode="awsvpc", network=network(free_cidr(24)))
    before = await first.run(launch)
    for name in ("app", "side"):
        await first.sink.until(name, "up")
    first.abandon()
    second = await make()
    assert await second.engine.adopt([launch]) == {launch.task_id}
    await second.engine.start(launch)
    after = await second.running(launch.task_id)
    assert [c.runtime_id for c in after.containers] == [c.runtime_id for c in before.containers]
    assert after.sequence > before.sequence
    ours = [t for t in docker.labelled(docker_url, "longshore.instance") if t.instance == docker_instance]
    assert sum(t.kind == "containers" for t in ours) == 3
    seen = await second.stop(launch.task_id)
    assert [c.exit_code for c in seen.containers] == [0, 0]


async def test_adopted_task_goes_on_with_what_was_not_started(make: MakeRig) -> None:
    first = await make()
    launch = task(
        sh("app", SLEEP, depends_on=(Dependency(container="first", condition="SUCCESS"),)),
        sh("first", "sleep 1.5", essential=False),
    )
    await first.engine.start(launch)
    await first.running(launch.task_id, "first")
    first.abandon()
    second = await make()
    await second.engine.adopt([launch])
    seen = await second.running(launch.task_id, "app")
    assert container(seen, "first").exit_code == 0


async def test_task_that_ended_meanwhile_is_reported_as_ended(make: MakeRig, free_cidr: Callable[[int], str]) -> None:
    first = await make()
    launch = task(sh("app", "sleep 1; exit 6"), network_mode="awsvpc", network=network(free_cidr(24)))
    seen = await first.run(launch)
    first.abandon()
    await first.engine._client.post(f"/containers/{container(seen, 'app').runtime_id}/wait", endless=True)
    second = await make()
    await second.engine.adopt([launch])
    seen = await second.ended(launch.task_id)
    assert (container(seen, "app").exit_code, seen.failure) == (6, "")


async def test_sequence_rises_over_a_clock_set_back(make: MakeRig) -> None:
    rig = await make()
    ahead = 10**18
    launch = task(sh("app", "true"), observed=ahead)
    seen = await rig.run_to_end(launch)
    assert seen.sequence > ahead


async def test_stop_of_a_task_that_vanished_is_news_over_a_clock_set_back(make: MakeRig) -> None:
    rig = await make()
    ahead = 10**18
    launch = task(sh("app", "true"), observed=ahead)
    await rig.engine.adopt([launch])
    await rig.engine.stop(launch.task_id)
    seen = await rig.ended(launch.task_id)
    assert seen.sequence > ahead


async def test_orphans_are_removed_with_networks_volumes_and_cgroups(
    make: MakeRig, free_cidr: Callable[[int], str], docker_url: str, docker_instance: str
) -> None:
    first = await make()
    app = sh("app", SLEEP, mounts=(Mount(volume="v", path="/v"),))
    launch = task(
        app, network_mode="awsvpc", network=network(free_cidr(24)), memory_mib=64, volumes=(Volume(name="v"),)
    )
    await first.run(launch)
    first.abandon()
    second = await make()
    assert await second.engine.adopt([]) == frozenset()
    assert not [t for t in docker.labelled(docker_url, "longshore.instance") if t.instance == docker_instance]
    assert not second.engine._cgroups.known()


@pytest.mark.parametrize("adopted", [False, True])
async def test_pause_container_whose_address_docker_forgot_is_made_anew(
    make: MakeRig, free_cidr: Callable[[int], str], docker_url: str, adopted: bool
) -> None:
    """As after a dockerd that was killed while it created the container."""
    rig = await make()
    cidr = free_cidr(24)
    await rig.run(task(sh("other", SLEEP), network_mode="awsvpc", network=network(cidr, 20), task_id="2" * 32))
    launch = task(sh("app", SLEEP), network_mode="awsvpc", network=network(cidr, 10))
    assert launch.network is not None
    names = rig.engine._names
    vpc, pause = names.vpc_network(launch.network.vpc_id), names.container(launch.task_id, PAUSE)
    body = {
        "Image": (await rig.engine._facts()).pause_image,
        "Labels": names.container_labels(launch, PAUSE),
        "HostConfig": {"NetworkMode": vpc},
    }
    with docker.client(docker_url) as http:
        http.post("/containers/create", params={"name": pause}, json=body).raise_for_status()
        if adopted:
            await rig.engine._adopt(launch, [http.get(f"/containers/{pause}/json").json()])
        await rig.run(launch)
        found = http.get(f"/containers/{pause}/json").json()
    assert found["NetworkSettings"]["Networks"][vpc]["IPAddress"] == launch.network.address
    for task_id in (launch.task_id, "2" * 32):
        await rig.stop(task_id)
        await rig.engine.remove(task_id)


async def test_cpu_limit_holds_from_the_first_start_on_and_after_a_crash_before_it(make: MakeRig) -> None:
    first = await make()
    launch = task(sh("app", SLEEP), sh("other", SLEEP), cpu_units=512, memory_mib=64)
    await first.run(launch)
    if not first.engine._cgroups.known():
        pytest.skip("tasks have no cgroups of their own here")
    assert cpu_share(first, launch) == 0.5
    for root in first.engine._cgroups._roots():
        for limit, none in (("cpu.cfs_quota_us", "-1"), ("cpu.max", "max 100000")):
            if (root / launch.task_id / limit).exists():
                (root / launch.task_id / limit).write_text(none)
    first.abandon()
    second = await make()
    assert await second.engine.adopt([launch]) == {launch.task_id}
    assert cpu_share(second, launch) == 0.5


def cpu_share(rig: Rig, launch: TaskLaunch) -> float:
    """How much of a CPU the task's cgroup lets it have."""
    for root in rig.engine._cgroups._roots():
        folder = root / launch.task_id
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
            return int(quota) / int(period)
        if (folder / "cpu.cfs_quota_us").exists():
            quota, period = ((folder / name).read_text() for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
            return int(quota) / int(period)
    raise AssertionError("it has no limit of the CPU")


async def test_process_that_docker_forgot_ends_with_its_task(make: MakeRig) -> None:
    """As after a dockerd that was killed while it started a container: the process has the task's cgroup alone."""
    rig = await make()
    launch = task(sh("app", SLEEP), memory_mib=64)
    await rig.run(launch)
    if not rig.engine._cgroups.known():
        pytest.skip("tasks have no cgroups of their own here")
    root = next(root for root in rig.engine._cgroups._roots() if (root / launch.task_id / "cgroup.procs").exists())
    below = root / launch.task_id / "container"
    below.mkdir()
    forgotten = await asyncio.create_subprocess_exec("sleep", "1000")
    (below / "cgroup.procs").write_text(str(forgotten.pid))
    await rig.stop(launch.task_id)
    await rig.engine.remove(launch.task_id)
    assert await asyncio.wait_for(forgotten.wait(), 10) == -signal.SIGKILL
    assert not rig.engine._cgroups.known()


async def test_another_instances_tasks_are_never_touched(
    make: MakeRig, own_instances: set[str], docker_instance: str, free_cidr: Callable[[int], str]
) -> None:
    other_instance = f"{docker_instance}-b"
    own_instances.add(other_instance)
    mine, other = await make(), await make(other_instance)
    for rig in (mine, other):  # the same task id in both, to make it hard
        await rig.run(task(sh("app", SLEEP), network_mode="awsvpc", network=network(free_cidr(24))))
    await mine.engine.adopt([])
    await mine.engine.purge()
    await mine.stop("1" * 32)
    await mine.engine.remove("1" * 32)
    assert other.engine._runners["1" * 32].runtime_ids()
    await other.engine._runners["1" * 32].resync()
    assert container(other.reports["1" * 32][-1], "app").status == "RUNNING"
    await other.stop("1" * 32)


async def noticed(rig: Rig, *, answers: bool) -> None:
    while rig.engine._answers.is_set() != answers:  # noqa: ASYNC110  there is no event for becoming unreachable
        await asyncio.sleep(0.01)


async def test_what_happened_during_an_outage_is_reported_after_it(
    make: MakeRig, docker_instance: str, docker_url: str, tmp_path: Path
) -> None:
    if not docker_url.startswith("unix://"):
        pytest.skip("the cable that this test cuts is a Unix socket")
    cable = Cable(docker_url, tmp_path / "docker.sock")
    await cable.plug()
    rig = await make(docker_instance, cable.url)
    with_end, without = task(sh("app", "read x")), task(sh("stays", f"{LISTENS}; echo down"), task_id="2" * 32)
    app = (await rig.run(task(sh("app", SLEEP)))).containers[0]
    stays = (await rig.run(without)).containers[0]
    await rig.sink.until("stays", "up")
    await cable.cut()
    await asyncio.wait_for(noticed(rig, answers=False), 10)
    for call in (rig.engine.start(task(sh("x", "true"), task_id="3" * 32)), rig.engine.stop("1" * 32)):
        with pytest.raises(Retryable, match="does not answer"):
            await call
    with docker.client(docker_url) as http:
        http.delete(f"/containers/{app.runtime_id}", params={"force": "true"})
    await cable.plug()
    seen = await rig.ended(with_end.task_id)
    assert container(seen, "app").status == "STOPPED"
    await asyncio.wait_for(noticed(rig, answers=True), 10)
    seen = await rig.stop(without.task_id)
    assert (seen.containers[0].runtime_id, seen.containers[0].exit_code) == (stays.runtime_id, 0)
    await rig.engine.remove(without.task_id)
    await rig.engine.remove(with_end.task_id)
    assert rig.sink.lines("stays") == ["up"]
    await rig.engine.purge()
    await cable.cut()
    await asyncio.wait_for(noticed(rig, answers=False), 10)


async def test_no_engine_is_refused_with_what_to_do(docker_instance: str) -> None:
    with pytest.raises(Permanent, match="Start Docker"):
        await make_rig(docker_instance, "unix:///no/such/docker.sock", RecordingSink())
