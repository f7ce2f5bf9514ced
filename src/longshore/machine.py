"""What runs tasks, balances, guards and proxies for them: the drivers of one engine, made from the settings.

A part of the composition root: `main` opens and closes them. Only the engine that is asked for is loaded.
"""

import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

from longshore.api.callers.credentials import Credentials
from longshore.api.task_endpoint.app import ADDRESS
from longshore.config import Config
from longshore.control.balancers import Release
from longshore.domain.clock import Clock
from longshore.domain.ecs.launch import TaskLaunch
from longshore.domain.names.naming import EndpointCheck
from longshore.drivers.ports import (
    BalancerDriver,
    ConnectDriver,
    EndpointProbe,
    Firewall,
    HostedImages,
    LogSink,
    TaskEngine,
)
from longshore.state import ACCESS_LOGS, runtime_folder

UNIQUE_BYTES = 4
"""Of chance in the name of an access log: 8 letters and digits, as on AWS."""
BridgeReady = Callable[[str, str | None], Awaitable[None]]
"""Told of a bridge's device and its VPC (None: of the host's own networks) before its first use."""
BridgeGone = Callable[[str], Awaitable[None]]
"""Told of a VPC whose bridge is no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What Longshore has ready for containers."""

    hosted: HostedImages
    task_environment: Callable[[TaskLaunch, str], Mapping[str, str]]
    bridge_ready: BridgeReady
    bridge_gone: BridgeGone


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The drivers of one engine."""

    engine: TaskEngine
    balancer: BalancerDriver
    connect: ConnectDriver
    """Of Service Connect's proxies."""
    firewall: Firewall | None
    why_no_firewall: str = ""
    probe: EndpointProbe
    """What checks Cloud Map's instances."""
    release: Release
    """What lets go of load balancers' addresses."""


def sim_machine(clock: Clock, sink: LogSink) -> Machine:
    """Containers, load balancers and rules that only seem to be there."""
    from longshore.drivers.sim.balancer import SimBalancer, SimForwarder  # noqa: PLC0415
    from longshore.drivers.sim.connect import SimConnect  # noqa: PLC0415
    from longshore.drivers.sim.engine import SimEngine  # noqa: PLC0415
    from longshore.drivers.sim.firewall import SimFirewall  # noqa: PLC0415

    engine = SimEngine(clock, sink)
    return Machine(
        engine=engine,
        balancer=SimBalancer(SimForwarder(engine.machine)),
        connect=SimConnect(),
        firewall=SimFirewall(),
        probe=_passes,
        release=_no_addresses,
    )


def docker_machine(
    config: Config, instance: str, clock: Clock, sink: LogSink, credentials: Credentials, around: Surroundings
) -> Machine:
    """Docker's containers, HAProxy and nftables."""
    from longshore.drivers.connect.driver import HaproxyConnect  # noqa: PLC0415
    from longshore.drivers.docker.engine import DockerEngine  # noqa: PLC0415
    from longshore.drivers.haproxy.access_log import LogFolder  # noqa: PLC0415
    from longshore.drivers.haproxy.driver import HaproxyBalancer  # noqa: PLC0415
    from longshore.drivers.haproxy.endpoints import answers  # noqa: PLC0415

    firewall, why_not, guarded_bridge = _docker_firewall(config, instance, around.bridge_ready)
    connect = HaproxyConnect(runtime_folder(instance) / "connect", sink, clock)
    engine = DockerEngine(
        instance,
        sink,
        clock,
        task_environment=around.task_environment,
        docker_url=config.docker_url,
        pull=config.pull,
        hosted=around.hosted,
        bridge_ready=guarded_bridge,
        bridge_gone=around.bridge_gone,
        name_server=ADDRESS,
        proxies=connect,
    )
    unique = partial(secrets.token_hex, UNIQUE_BYTES)
    logs = None if config.state is None else LogFolder(config.state / ACCESS_LOGS, clock, unique)
    balancer = HaproxyBalancer(
        runtime_folder(instance),
        cookie_key=credentials.path_key("load-balancers", instance),
        claim=engine.claim_addresses,
        host_addresses=[config.lb_address] if config.lb_address else [],
        host_ports=dict(config.lb_ports),
        access_logs=logs,
    )
    return Machine(
        engine=engine,
        balancer=balancer,
        connect=connect,
        firewall=firewall,
        why_no_firewall=why_not,
        probe=answers,
        release=engine.release_addresses,
    )


def _docker_firewall(
    config: Config, instance: str, bridge_ready: BridgeReady
) -> tuple[Firewall | None, str, BridgeReady]:
    """What enforces security groups, or why nothing can; and what is told of bridges, which are guarded before."""
    if not config.docker_url.startswith("unix://"):
        return None, f"the Docker Engine at {config.docker_url} is on another host.", bridge_ready
    from longshore.drivers.docker.names import Names  # noqa: PLC0415
    from longshore.drivers.firewall.nft import NftFirewall  # noqa: PLC0415

    names = Names(instance)
    firewall = NftFirewall(instance, lambda vpc_id: names.device(names.vpc_network(vpc_id)))

    async def guarded(device: str, vpc_id: str | None) -> None:
        if vpc_id is not None:
            await firewall.guard(device)
        await bridge_ready(device, vpc_id)

    return firewall, "", guarded


async def _no_addresses(_keep: Collection[str]) -> None:
    """For an engine without a network."""


async def _passes(_check: EndpointCheck) -> bool:
    """For an engine without a network."""
    return True
