"""Instances by service and health, so that a few of many can be drawn at random without looking at the others.

A view of the store that is kept with every commit: a change of an instance costs the same however many there are, and
so does a draw.
"""

from longshore.domain.clock import Ids
from longshore.domain.names.naming import ServiceInstance
from longshore.domain.record import Key, Record
from longshore.store.store import Change, Reader, Store


class _Pool:
    """Keys in no order that matters; any of them is taken out as quickly as put in."""

    __slots__ = ("keys", "places")

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self.places: dict[Key, int] = {}

    def add(self, key: Key) -> None:
        self.places[key] = len(self.keys)
        self.keys.append(key)

    def remove(self, key: Key) -> None:
        """The last one takes its place."""
        place, last = self.places.pop(key), self.keys.pop()
        if last != key:
            self.keys[place] = last
            self.places[last] = place


class Pools:
    """The instances of all services of a store."""

    def __init__(self, store: Store) -> None:
        self._store: Reader = store
        self._pools: dict[Key, _Pool] = {}
        for instance in store.all(ServiceInstance):
            self._add(instance)
        store.watch(self._changed, ServiceInstance)

    def draw(self, service: Key, health: str, most: int, ids: Ids) -> list[ServiceInstance]:
        """At most so many instances of a service with this health, each as likely as any other. `service`: its key."""
        pool = self._pools.get((*service, health))
        if pool is None:
            return []
        keys, size = pool.keys, len(pool.keys)
        if size <= most:
            chosen = keys
        else:
            # A shuffle's beginning, without the list: who was swapped to which place is in `moved`.
            moved: dict[int, int] = {}
            chosen = []
            for place in range(most):
                other = place + ids.choice(size - place)
                chosen.append(keys[moved.get(other, other)])
                moved[other] = moved.get(place, place)
        found = (self._store.get(ServiceInstance, key) for key in chosen)
        return [instance for instance in found if instance is not None]

    def _changed(self, change: Change) -> None:
        if change.kind != ServiceInstance.kind:
            return
        before, after = change.before, change.after
        if _pool_of(before) == _pool_of(after):
            return
        if isinstance(before, ServiceInstance):
            self._remove(before)
        if isinstance(after, ServiceInstance):
            self._add(after)

    def _add(self, instance: ServiceInstance) -> None:
        self._pools.setdefault(_name_of(instance), _Pool()).add(instance.key)

    def _remove(self, instance: ServiceInstance) -> None:
        name = _name_of(instance)
        self._pools[name].remove(instance.key)
        if not self._pools[name].keys:
            del self._pools[name]


def _name_of(instance: ServiceInstance) -> Key:
    return (*instance.scope, instance.service_id, instance.health)


def _pool_of(record: Record | None) -> Key | None:
    return _name_of(record) if isinstance(record, ServiceInstance) else None
