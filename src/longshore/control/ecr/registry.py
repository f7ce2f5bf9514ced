"""Makes the registry hold the manifests of the images that there are, and no others; then its files are collected.

A deleted image or repository is one whose record is gone. A manifest without a record is one whose push was never
acknowledged, or deleted; a record without a manifest was put by PutImage, or pushed while its manifest was removed.
"""

import structlog

from longshore.control.loop import Loop
from longshore.domain.clock import Clock
from longshore.domain.ecr.repository import Image, Repository
from longshore.drivers.ports import Permanent, RegistryDriver
from longshore.store.store import Change, Store

log = structlog.get_logger(__name__)

COLLECT = ""
"""The key under which files are collected; all others are ids of repositories."""
REFUSED_S = 60.0
"""How soon to try again what the registry refused, or a machine without one."""


class RegistryController:
    """The registry of one Longshore."""

    def __init__(self, store: Store, driver: RegistryDriver, clock: Clock) -> None:
        self._store = store
        self._driver = driver
        self._clock = clock
        self.loop: Loop[str] = Loop("registry", self._reconcile, clock, workers=4)
        store.watch(self._changed)

    async def resume(self) -> None:
        """At a start: a look at every repository, of the records and of the registry."""
        known = {repository.repository_id for repository in self._store.all(Repository)}
        for repository_id in sorted(known | await self._driver.repositories()):
            self.loop.enqueue(repository_id)

    def _changed(self, change: Change) -> None:
        record = change.after or change.before
        if change.before is not None and change.after is not None:
            return
        if isinstance(record, Image | Repository):
            self.loop.enqueue(record.repository_id)

    async def _reconcile(self, key: str) -> float | None:
        await self._store.durable()
        if key == COLLECT:
            wait_s = await self._driver.collect(self._wanted)
            return None if wait_s is None else self._clock.now() + wait_s
        there = await self._driver.manifests(key)
        if not self._store.count(Repository, "id", (key,)):
            if key in await self._driver.repositories():
                await self._driver.delete_repository(key)
            self.loop.enqueue(COLLECT)
            return None
        images = {image.digest: image for image in self._store.select(Image, "repository", (key,))}
        refused = False
        # What lists name comes before them.
        for image in sorted(images.values(), key=lambda image: len(image.children)):
            if image.digest not in there:
                refused |= not await self._put(image)
        for digest in sorted(there - set(images)):
            await self._driver.delete_manifest(key, digest)
        self.loop.enqueue(COLLECT)
        return self._clock.now() + REFUSED_S if refused else None

    async def _put(self, image: Image) -> bool:
        """Put an image's manifest into the registry; False where it is refused: layers of it are lost, say."""
        manifest = image.manifest.encode()
        try:
            await self._driver.put_manifest(image.repository_id, image.digest, image.media_type, manifest)
        except Permanent as error:
            log.warning("an image can't be pulled", digest=image.digest, reason=error.reason)
            return False
        return True

    def _wanted(self) -> dict[str, frozenset[str]]:
        """The manifests that must be there before anything is collected, by repository."""
        wanted: dict[str, set[str]] = {}
        for image in self._store.all(Image):
            wanted.setdefault(image.repository_id, set()).add(image.digest)
        return {repository_id: frozenset(digests) for repository_id, digests in wanted.items()}
