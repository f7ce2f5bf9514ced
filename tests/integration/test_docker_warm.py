"""Namespaces kept warm: taken by the tasks they were made for, in nobody's way, and never left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from longshore.domain.ecs.launch import WarmNetwork
from longshore.drivers.docker.containers import create_container
from longshore.drivers.docker.translate import container_payload
from tests.support import engine as docker
from tests.support.docker_rig import LISTENS, RecordingSink, Rig, container, make_rig, network, sh, task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from longshore.domain.ecs.launch import TaskNetwork

    MakeRig = Callable[[], Awaitable[Rig]]

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("busybox_image")]


@pytest.fixture
async def make(docker_instance: str, docker_url: str) -> AsyncIterator[MakeRig]:
    rigs: list[Rig] = []

    async def one() -> Rig:
        rigs.append(await make_rig(docker_instance, docker_url, RecordingSink()))
        return rigs[-1]

    yield one
    for rig in reversed(rigs):
        if not rig.engine._closed:
            await rig.engine.purge()
            await rig.close()


@pytest.fixture
def places(free_cidr: Callable[[int], str]) -> list[TaskNetwork]:
    """Addresses of one VPC."""
    cidr = free_cidr(24)
    return [network(cidr, number) for number in (10, 11, 12)]


async def warmed(rig: Rig, *places: TaskNetwork) -> list[str]:
    """The ids of the containers that hold these addresses, once they do."""
    await rig.engine.prepare([WarmNetwork(region="eu-west-1", network=place) for place in places])
    ids = [await rig.engine._warm._kept[place.vpc_id, place.address] for place in places]
    assert all(ids)
    return ids


def pause_of(rig: Rig, task_id: str = "1" * 32) -> str:
    return rig.engine._runners[task_id]._namespace.container_id


async def exists(rig: Rig, container_id: str) -> bool:
    listed = await rig.engine._client.get("/containers/json", all=True)
    return any(each["Id"] == container_id for each in listed)


async def test_task_takes_the_namespace_of_its_address(
    make: MakeRig, places: list[TaskNetwork], docker_url: str, docker_instance: str
) -> None:
    rig = await make()
    warm, other = await warmed(rig, *places[:2])
    launch = task(
        sh("app", f"hostname; hostname -i; {LISTENS}"), network_mode="awsvpc", network=places[0], memory_mib=64
    )
    await rig.run(launch)
    assert pause_of(rig) == warm
    await rig.sink.until("app", "up")
    assert rig.sink.lines("app")[:2] == ["ip-" + places[0].address.replace(".", "-"), places[0].address]
    seen = await rig.stop(launch.task_id)
    assert container(seen, "app").exit_code == 0
    await rig.engine.remove(launch.task_id)
    assert not await exists(rig, warm)
    assert await exists(rig, other)
    await rig.close()
    left = [t for t in docker.labelled(docker_url, "longshore.instance") if t.instance == docker_instance]
    assert [t.kind for t in left] == ["networks"]  # for the next start
    await make()  # purges it


async def test_task_in_a_namespace_once_warm_is_adopted_and_the_others_are_removed(
    make: MakeRig, places: list[TaskNetwork]
) -> None:
    first = await make()
    warm, other = await warmed(first, *places[:2])
    launch = task(sh("app", LISTENS), network_mode="awsvpc", network=places[0])
    before = await first.run(launch)
    first.abandon()
    second = await make()
    assert await second.engine.adopt([launch]) == {launch.task_id}
    after = await second.running(launch.task_id)
    assert container(after, "app").runtime_id == container(before, "app").runtime_id
    assert pause_of(second) == warm
    assert not await exists(second, other)
    await second.engine._client.post(f"/containers/{warm}/kill")
    seen = await second.ended(launch.task_id)
    assert seen.failure.startswith("ContainerNetworkingError: the network namespace of the task ended")


async def test_task_that_was_never_adopted_is_removed_with_its_namespace(
    make: MakeRig, places: list[TaskNetwork]
) -> None:
    first = await make()
    (warm,) = await warmed(first, places[0])
    launch = task(sh("app", LISTENS), network_mode="awsvpc", network=places[0])
    await first.run(launch)
    first.abandon()
    second = await make()
    await second.engine.remove(launch.task_id)
    assert not await exists(second, warm)


async def test_task_with_settings_of_its_own_gets_its_own_namespace(make: MakeRig, places: list[TaskNetwork]) -> None:
    rig = await make()
    (warm,) = await warmed(rig, places[0])
    launch = task(sh("app", LISTENS), network_mode="awsvpc", network=places[0], ipc_mode="task")
    await rig.run(launch)
    assert pause_of(rig) != warm
    assert not await exists(rig, warm)


async def test_namespace_that_died_is_not_used(make: MakeRig, places: list[TaskNetwork]) -> None:
    rig = await make()
    (warm,) = await warmed(rig, places[0])
    await rig.engine._client.post(f"/containers/{warm}/kill")
    await rig.run(task(sh("app", LISTENS), network_mode="awsvpc", network=places[0]))
    assert pause_of(rig) != warm


async def test_tasks_start_while_their_namespaces_are_being_made_or_let_go(
    make: MakeRig, places: list[TaskNetwork]
) -> None:
    rig = await make()
    offers = [WarmNetwork(region="eu-west-1", network=place) for place in places]
    launches = [
        task(sh("app", LISTENS), task_id=str(number) * 32, network_mode="awsvpc", network=place)
        for number, place in enumerate(places)
    ]
    await rig.engine.prepare(offers)
    await rig.engine.prepare(offers[1:])
    await asyncio.gather(*(rig.run(launch) for launch in launches))
    await rig.engine.prepare(())
    await asyncio.gather(*(rig.stop(launch.task_id) for launch in launches))
    assert not rig.engine._warm._kept


async def test_after_an_outage_namespaces_are_made_anew(make: MakeRig, places: list[TaskNetwork]) -> None:
    rig = await make()
    (before,) = await warmed(rig, places[0])
    await rig.engine._resync()
    (after,) = await warmed(rig, places[0])
    assert after != before
    assert not await exists(rig, before)


async def test_container_that_was_created_for_a_namespace_that_could_not_be_had_is_created_anew(
    make: MakeRig, places: list[TaskNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = await make()
    (warm,) = await warmed(rig, places[0])
    launch = task(sh("app", LISTENS), network_mode="awsvpc", network=places[0])
    client, name = rig.engine._client, rig.engine._names.container(launch.task_id, "app")
    post, created = client.post, []

    async def late(path: str, body: Any = None, *, endless: bool = False, **params: Any) -> Any:
        if path == f"/containers/{warm}/rename":
            created.append(await until_created(rig, name))
            await client.delete(f"/containers/{warm}", force=True)
        return await post(path, body, endless=endless, **params)

    monkeypatch.setattr(client, "post", late)
    seen = await rig.run(launch)
    assert container(seen, "app").runtime_id not in {"", *created}
    document = await client.get(f"/containers/{name}/json")
    assert document["HostConfig"]["NetworkMode"] == f"container:{pause_of(rig)}"
    assert pause_of(rig) != warm
    assert [await exists(rig, each) for each in created] == [False]


async def until_created(rig: Rig, name: str) -> str:
    """The id of a container, once it is there."""
    async with asyncio.timeout(60):
        while True:
            listed = await rig.engine._client.get("/containers/json", all=True)
            found = [each["Id"] for each in listed if f"/{name}" in each["Names"]]
            if found:
                return str(found[0])
            await asyncio.sleep(0.01)


async def test_after_a_crash_before_its_namespace_was_taken_a_task_starts_in_one_of_its_own(
    make: MakeRig, places: list[TaskNetwork]
) -> None:
    first = await make()
    (warm,) = await warmed(first, places[0])
    launch = task(sh("app", LISTENS), network_mode="awsvpc", network=places[0])
    facts, names = await first.engine._facts(), first.engine._names
    body = container_payload(launch, launch.containers[0], facts, names, environment={}, pause=warm)
    left, _ = await create_container(first.engine._client, names.container(launch.task_id, "app"), body)
    first.abandon()
    second = await make()
    assert await second.engine.adopt([launch]) == {launch.task_id}
    seen = await second.run(launch)
    assert container(seen, "app").runtime_id != left
    assert not await exists(second, warm)
    assert not await exists(second, left)
