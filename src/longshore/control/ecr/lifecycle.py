"""Carries out the lifecycle policies of repositories: images that a policy expires are deleted.

Woken by changes of a repository, and when its next image is due.
"""

import structlog

from longshore.control.loop import Loop
from longshore.decide.ecr.lifecycle import expiry
from longshore.decide.ecr.lifecycle_policy import PolicyRefusedError, read_policy
from longshore.domain.clock import Clock
from longshore.domain.ecr.repository import Image, ImageTag, Repository
from longshore.domain.record import Key
from longshore.store.store import Change, Reader, Store

log = structlog.get_logger(__name__)

SETTLE_S = 60.0
"""How long an image is left alone after its push; AWS carries policies out within a day."""


class LifecycleController:
    """The policies of all repositories."""

    def __init__(self, store: Store, clock: Clock, *, settle_s: float = SETTLE_S) -> None:
        self._store = store
        self._clock = clock
        self._settle_s = settle_s
        self.loop: Loop[Key] = Loop("lifecycle policies", self._reconcile, clock, workers=1)
        store.watch(self._changed)

    def resume(self) -> None:
        """At a start: a look at every repository with a policy."""
        for repository in self._store.all(Repository):
            if repository.lifecycle_policy:
                self.loop.enqueue(repository.key)

    def _changed(self, change: Change) -> None:
        record = change.after or change.before
        if isinstance(record, Repository):
            if record.lifecycle_policy and record.lifecycle_evaluated_at is None:
                self.loop.enqueue(record.key)
        elif isinstance(record, Image | ImageTag):
            for repository in self._store.select(Repository, "id", (record.repository_id,)):
                if repository.lifecycle_policy:
                    self.loop.enqueue(repository.key)

    async def _reconcile(self, key: Key) -> float | None:
        repository = self._store.get(Repository, key)
        if repository is None or not repository.lifecycle_policy:
            return None
        images = self._store.select(Image, "repository", (repository.repository_id,))
        now = self._clock.now()
        try:
            rules = read_policy(repository.lifecycle_policy)
        except PolicyRefusedError as error:  # written by a version that knew more
            log.warning("a lifecycle policy can't be carried out", repository=repository.name, reason=str(error))
            return None
        found = expiry(rules, images, tags_by_digest(self._store, images), now, settle_s=self._settle_s)
        with self._store.transaction() as tx:
            for digest, _ in found.expired:
                tx.delete(Image, (*repository.scope, repository.repository_id, digest))
                for tag in tx.select(ImageTag, "image", (repository.repository_id, digest)):
                    tx.delete(ImageTag, tag.key)
            tx.put(repository.but(lifecycle_evaluated_at=now))
        if found.expired:
            log.info("images expired", repository=repository.name, images=[digest for digest, _ in found.expired])
        return found.next_at


def tags_by_digest(reader: Reader, images: list[Image]) -> dict[str, list[str]]:
    """The tags of each image."""
    return {
        image.digest: [tag.tag for tag in reader.select(ImageTag, "image", (image.repository_id, image.digest))]
        for image in images
    }
