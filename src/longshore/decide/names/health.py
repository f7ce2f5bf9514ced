"""Health checks of Cloud Map's instances: what to ask, and what a run of answers says.

Pure. Called by `control/names/health.py`.
"""

from typing import NamedTuple

from longshore.domain.names.naming import (
    IPV4,
    IPV6,
    PORT,
    DiscoveryService,
    EndpointCheck,
    InstanceHealth,
    ServiceInstance,
)

INTERVAL_S = 30.0
"""Between two checks of an instance, as Route 53 does it."""
_PORTS = {"HTTP": 80, "HTTPS": 443, "TCP": 80}


class Run(NamedTuple):
    """How often in a row a check came out otherwise than the instance's health says."""

    against: int = 0


def check_of(service: DiscoveryService, instance: ServiceInstance) -> EndpointCheck | None:
    """How to check an instance; None where its service has no check, or it has no address."""
    config = service.health_check
    address = instance.attributes.get(IPV4) or instance.attributes.get(IPV6)
    if config is None or address is None:
        return None
    port = int(instance.attributes.get(PORT, _PORTS[config.type]))
    return EndpointCheck(config.type, address, port, config.path)


def judged(service: DiscoveryService, health: InstanceHealth, run: Run, *, passed: bool) -> tuple[InstanceHealth, Run]:
    """The health after one more check: it changes when FailureThreshold checks in a row say otherwise."""
    if passed == (health == "HEALTHY"):
        return health, Run()
    against = run.against + 1
    if against < (service.health_check.failure_threshold if service.health_check else 1):
        return health, Run(against)
    return ("HEALTHY" if passed else "UNHEALTHY"), Run()
