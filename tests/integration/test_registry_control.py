"""The loop that makes the registry's files follow the records, on a real registry: what goes, comes and stays."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from longshore.api import ecr
from longshore.control.ecr.registry import COLLECT, RegistryController
from longshore.domain.ecr.repository import Image, Repository
from longshore.drivers.ports import RegistryRequest
from longshore.drivers.registry import files
from longshore.drivers.registry.driver import GARBAGE, MISSING_S, DockerRegistry
from tests.support.api import SCOPE, Api
from tests.support.clock import HandClock
from tests.support.ecr import digest, manifest, pushed

pytestmark = pytest.mark.registry

APP = {"repositoryName": "app"}
SECRET = "of uploads"  # noqa: S105  no password: it signs the registry's own URLs


class House:
    """Records, a registry and the loop between them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = HandClock()
        self.api = Api(ecr.SERVICE.operations, service="ecr")
        self.api("CreateRepository", **APP)
        self.registry = DockerRegistry(folder / "run", folder / "files", self.clock, secret=SECRET)
        self.control = RegistryController(self.api.store, self.registry, self.clock)

    @property
    def repository_id(self) -> str:
        found = self.api.store.get(Repository, (*SCOPE, "app"))
        assert found is not None
        return found.repository_id

    async def blob(self, text: str) -> None:
        """Push a layer."""
        path = f"/v2/{self.repository_id}/blobs/uploads/"
        async with self.registry.exchange(RegistryRequest("POST", path, "", {})) as answer:
            location, _, query = answer.headers["location"].partition("?")
        content = {"content-type": "application/octet-stream"}
        query = f"{query}&digest={digest(text)}"
        async with self.registry.exchange(RegistryRequest("PUT", location, query, content, text.encode())) as answer:
            assert answer.status == 201

    async def push(self, word: str, *tags: str) -> str:
        """Push an image whose layers are there, as far as the records; its digest."""
        await self.blob(f"config {word}")
        await self.blob("layer base")
        return pushed(self.api, "app", manifest(word), *tags)

    async def settle(self) -> None:
        """Look at everything until nothing is to be done; a collection waits for quiet."""
        await self.control.resume()
        while not self.control.loop._due.empty():
            key = self.control.loop._due.get_nowait()
            self.control.loop._waiting.discard(key)
            if key != COLLECT:
                await self.control._reconcile(key)

    async def collect(self) -> float | None:
        """Collect, a minute later; the seconds after which to try again."""
        self.clock.time += 61
        return await self.tried()

    async def tried(self) -> float | None:
        at = await self.control._reconcile(COLLECT)
        return None if at is None else at - self.clock.time

    def blobs(self) -> set[str]:
        """The digests of all that takes room."""
        return {f"sha256:{path.parent.name}" for path in (self.folder / "files" / files.ROOT / "blobs").rglob("data")}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path)
    yield made
    await made.registry.close()


async def test_a_manifest_that_only_a_record_has_is_put(house: House) -> None:
    one = await house.push("one", "v1")
    assert await house.registry.manifests(house.repository_id) == frozenset()
    await house.settle()
    assert await house.registry.manifests(house.repository_id) == {one}
    bare = json.dumps({**json.loads(manifest("one")), "layers": []})
    house.api("PutImage", **APP, imageManifest=bare, imageTag="bare")
    await house.settle()
    assert await house.registry.manifests(house.repository_id) == {one, digest(bare)}


async def test_what_no_image_has_any_more_takes_no_room(house: House) -> None:
    one, two = await house.push("one", "v1"), await house.push("two", "v2")
    await house.settle()
    house.api("BatchDeleteImage", **APP, imageIds=[{"imageTag": "v1"}])
    await house.settle()
    assert await house.registry.manifests(house.repository_id) == {two}
    assert one in house.blobs()
    assert await house.collect() is None
    assert house.blobs() == {two, digest("config two"), digest("layer base")}
    assert not (house.folder / "files" / GARBAGE).exists()


async def test_a_deleted_repository_leaves_nothing(house: House) -> None:
    await house.push("one", "v1")
    await house.settle()
    before = house.repository_id
    house.api("DeleteRepository", **APP, force=True)
    house.api("CreateRepository", **APP)
    await house.settle()
    assert before not in await house.registry.repositories()
    await house.collect()
    assert house.blobs() == set()


async def test_a_push_that_was_never_acknowledged_is_taken_away(house: House) -> None:
    one = await house.push("one", "v1")
    await house.settle()
    with house.api.transaction() as tx:  # as if the record had not reached the disk
        tx.delete(Image, (*SCOPE, house.repository_id, one))
    assert await house.registry.manifests(house.repository_id) == {one}
    await house.settle()
    assert await house.registry.manifests(house.repository_id) == frozenset()


async def test_nothing_is_collected_while_something_is_pushed(house: House) -> None:
    await house.push("one", "v1")
    await house.settle()
    house.api("BatchDeleteImage", **APP, imageIds=[{"imageTag": "v1"}])
    await house.settle()
    assert await house.tried() == pytest.approx(60)
    house.clock.time += 61
    await house.blob("layer of the next")
    assert await house.tried() == pytest.approx(60)
    assert digest("layer of the next") in house.blobs()


async def test_nothing_is_collected_while_a_manifest_is_missing(house: House) -> None:
    await house.push("one", "v1")
    await house.settle()
    house.api("BatchDeleteImage", **APP, imageIds=[{"imageTag": "v1"}])
    await house.settle()
    two = await house.push("two", "v2")  # and its manifest is not put yet
    assert await house.collect() == pytest.approx(MISSING_S)
    await house.settle()
    assert await house.collect() is None
    assert house.blobs() == {two, digest("config two"), digest("layer base")}


async def test_a_push_waits_for_a_collection_and_a_pull_does_not(house: House) -> None:
    await house.blob("layer")
    get = RegistryRequest("GET", f"/v2/{house.repository_id}/blobs/{digest('layer')}", "", {})
    house.clock.time += 61
    with house.registry._gate.collecting():
        waiting = asyncio.create_task(house.blob("later"))
        async with house.registry.exchange(get) as answer:
            assert answer.status == 200
        assert not waiting.done()
    await waiting


async def test_a_push_that_takes_long_holds_a_collection_off(house: House) -> None:
    await house.blob("layer")
    await house.registry.delete_manifest(house.repository_id, digest("none"))
    async with house.registry._gate.pushing():
        house.clock.time += 1000
        assert await house.tried() == pytest.approx(1)
    house.clock.time -= 5000  # set back
    assert await house.tried() == pytest.approx(61)


async def test_an_image_whose_layers_are_lost_is_told_and_tried_again(house: House) -> None:
    pushed(house.api, "app", manifest("lost"), "v1")
    again = await house.control._reconcile(house.repository_id)
    assert again is not None
    assert again > house.clock.time
    assert await house.registry.manifests(house.repository_id) == frozenset()


async def test_an_upload_that_nobody_ended_does_not_hinder_a_collection(house: House) -> None:
    path = f"/v2/{house.repository_id}/blobs/uploads/"
    async with house.registry.exchange(RegistryRequest("POST", path, "", {})) as answer:
        assert answer.status == 202
    await house.blob("layer")
    await house.registry.delete_manifest(house.repository_id, digest("none"))
    await house.collect()
    assert house.blobs() == set()


async def test_a_registry_that_is_not_used_is_not_started(house: House) -> None:
    await house.settle()
    await house.collect()
    assert house.registry.pid is None
    assert not (house.folder / "files").exists()


async def test_a_push_waits_for_a_collector_of_an_earlier_life(house: House, tmp_path: Path) -> None:
    """Longshore was killed while it collected: the collector has not seen what is pushed now, and would take it."""
    lock = tmp_path / "files" / "collecting"
    lock.parent.mkdir()
    lock.touch()
    script = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+b'); fcntl.flock(f, fcntl.LOCK_EX); print(1); sys.stdin.read()"
    )
    collector = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(lock), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert collector.stdout is not None
    await collector.stdout.read(1)
    pushing = asyncio.create_task(house.blob("layer"))
    await asyncio.sleep(0.3)
    assert not pushing.done()
    assert house.registry.pid is None
    await collector.communicate(b"")
    await pushing
    assert digest("layer") in house.blobs()
