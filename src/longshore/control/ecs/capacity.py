"""Says what the engine's machine can carry: the only writer of the `Host` record."""

from longshore.domain.ecs.cluster import Host
from longshore.drivers.ports import TaskEngine
from longshore.store.store import Store

SYSTEM_SHARE = 0.05
SYSTEM_FLOOR_MIB = 256
"""Memory kept for the system and for Longshore: a twentieth, at least this."""


async def measure(store: Store, engine: TaskEngine, *, cpu_overcommit: float, memory_overcommit: float) -> Host:
    """Ask the engine and write the record."""
    seen = await engine.capacity()
    networks = await engine.networks()
    reserve = max(SYSTEM_FLOOR_MIB, int(seen.memory_mib * SYSTEM_SHARE))
    host = Host(
        account="",
        region="",
        cpu_units=int(seen.cpu_units * cpu_overcommit),
        memory_mib=int(max(0, seen.memory_mib - reserve) * memory_overcommit),
        architecture=seen.architecture,
        networks=None if networks is None else tuple(networks),
    )
    with store.transaction() as tx:
        tx.put(host)
    return host
