"""Whatever comes and goes: pools hold exactly the instances of the store, and draw without repeating."""

from __future__ import annotations

import random

import pytest

from longshore.control.names.pools import Pools
from longshore.domain.kinds import KINDS
from longshore.domain.names.naming import ServiceInstance
from longshore.store.open import open_store
from tests.support.api import SCOPE
from tests.support.names import instance
from tests.support.world import SeededIds


@pytest.mark.parametrize("seed", range(30))
def test_pools_hold_what_the_store_holds(seed: int) -> None:
    chance, ids = random.Random(seed), SeededIds(seed)
    store = open_store(None, KINDS)
    pools = Pools(store)
    for step in range(60):
        with store.transaction() as tx:
            for _ in range(chance.randint(1, 5)):
                one = instance(f"i{chance.randrange(12)}", service_id=chance.choice(("srv-1", "srv-2")))
                if chance.random() < 0.4:
                    tx.delete(ServiceInstance, one.key)
                else:
                    tx.put(one.but(health=chance.choice(("HEALTHY", "UNHEALTHY")), registered_at=float(step)))
        for service_id in ("srv-1", "srv-2"):
            for health in ("HEALTHY", "UNHEALTHY"):
                there = store.select(ServiceInstance, "health", (*SCOPE, service_id, health))
                most = chance.randint(1, 9)
                drawn = pools.draw((*SCOPE, service_id), health, most, ids)
                assert len({each.key for each in drawn}) == len(drawn) == min(most, len(there))
                assert all(each in there for each in drawn)
