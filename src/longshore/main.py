"""The composition root: builds every part, in order, and takes them down again in the other order."""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

from longshore.api.access.access import Access
from longshore.api.access.keys import UserKeys
from longshore.api.app import Asgi, Chain, aws_app
from longshore.api.callers.auth import Gate, Listener, check_listen, is_loopback
from longshore.api.callers.credentials import Credentials
from longshore.api.ec2.defaults import CANDIDATE_CIDRS, default_vpc, next_vpc_cidr, seed, seeded
from longshore.api.http.server import HttpServer, bind
from longshore.api.internal import internal_paths
from longshore.api.metrics.page import Metrics
from longshore.api.services import SERVICES
from longshore.api.task_endpoint import TaskEndpoint
from longshore.api.task_endpoint.app import ADDRESS
from longshore.config import TASK_API_PORT, Config, needs_loopback
from longshore.control.balancers import BalancerController
from longshore.control.ec2.firewall import FirewallController
from longshore.control.ec2.networks import NetworkController
from longshore.control.ec2.warm import WarmController
from longshore.control.ecs.capacity import measure
from longshore.control.ecs.history import History
from longshore.control.ecs.observe import Observer
from longshore.control.ecs.services import ServiceController
from longshore.control.ecs.tasks import TaskController
from longshore.control.expiry import Expiry
from longshore.control.logs import StoreLogSink
from longshore.control.loop import Loop, Timer
from longshore.control.names.connect import ConnectController
from longshore.control.names.discovery import Discovery
from longshore.control.names.health import HealthChecks
from longshore.control.names.names import ConnectNames, EndpointNames, LoadBalancerNames, PrivateNames, ReverseNames
from longshore.control.names.zones import HostedZoneNames
from longshore.control.retention import Retention
from longshore.domain.elbv2.quota import LoadBalancerQuota
from longshore.domain.kinds import KINDS, OF_THE_MACHINE
from longshore.domain.record import Scope
from longshore.drivers.dns.server import make_dns_server
from longshore.link_local import LinkLocalServers
from longshore.machine import Machine, Surroundings, docker_machine, sim_machine
from longshore.providers import Providers
from longshore.repositories import Repositories
from longshore.sealing import has_key, hold_to
from longshore.state import (
    ACCESS_LOGS,
    DATABASE,
    EVENTS,
    GIVEN,
    SECRET,
    instance_id,
    master_key,
    open_folder,
    takes_a_file,
)
from longshore.store.errors import StoreFailed
from longshore.store.events import EventLog
from longshore.store.open import open_store
from longshore.store.store import Transaction
from longshore.system import SystemClock, SystemIds
from longshore.vault import MasterVault

DISK_LOOK_S = 1.0
"""How often to look whether the disk can be written."""

Tell = Callable[[str], None]
"""Told in a few words what is being done, for a user who waits."""


class Longshore:
    """One running Longshore."""

    def __init__(self, config: Config, tell: Tell = lambda _text: None) -> None:
        check_listen(config.listen, auth=config.auth)
        self.config = config
        self._tell = tell
        self._clock = SystemClock()
        self._ids = SystemIds()
        self._sockets: list[socket.socket] = [bind(config.listen, config.port)]
        if needs_loopback(config.listen):
            self._sockets.append(bind("127.0.0.1", config.port))
        if config.state is not None:
            open_folder(config.state)
        tell("opening the state")
        self._instance = instance_id(config.state)
        self.store = open_store(config.state and config.state / DATABASE, KINDS)
        master = master_key(config.state, config.master_key, make=not has_key(self.store))
        self.credentials = Credentials(master, config.account)
        self.access = Access(self.credentials, enforce=config.enforces)
        self.vault = MasterVault(master)
        hold_to(self.store, self.vault, GIVEN if config.master_key else SECRET)
        self.events = EventLog(config.state and config.state / EVENTS)
        self._sink = StoreLogSink(self.store, self.events, self._clock, self._ids)
        self._endpoint = TaskEndpoint(self.store, self.access, self._clock)
        self._vpc_cidr = config.vpc_cidr
        self.repositories = Repositories(
            config, self.store, self.vault, self._clock, self.access, instance=self._instance
        )
        machine = self._make_machine()
        self.engine = machine.engine
        self.firewall = FirewallController(self.store, machine.firewall, self._clock, absent=machine.why_no_firewall)
        self._endpoint.stats = self.engine.stats
        self.connect = ConnectController(self.store, machine.connect, self._clock)
        zones = (
            LoadBalancerNames(self.store),
            PrivateNames(),
            EndpointNames(ADDRESS),
            HostedZoneNames(self.store, self._ids),
            ReverseNames(self.store),
        )
        names = make_dns_server(
            zones, self._clock, self._ids, own_address=ADDRESS, task_names=ConnectNames(self.connect)
        )
        self._link_local = LinkLocalServers(self._endpoint.app, self._app, names)
        self.tasks = TaskController(
            self.store,
            self.engine,
            self._clock,
            self._ids,
            self.vault,
            self.connect,
            roles_exist=config.enforces,
            guarded=self.firewall.in_force,
        )
        self.discovery = Discovery(self.store, self._clock)
        self.health = HealthChecks(self.store, machine.probe, self._clock)
        self.services = ServiceController(self.store, self._clock, self._ids, healthy_after_s=config.healthy_after_s)
        self.balancers = BalancerController(
            self.store,
            machine.balancer,
            self._clock,
            self.vault,
            release=machine.release,
            guarded=self.firewall.in_force,
        )
        self.warm = WarmController(self.store, self.engine, self._clock, config.warm)
        self.networks = NetworkController(self.store, self.engine, self._clock)
        self._observer = Observer(self.store, self.engine.observations(), self._clock)
        self._history = History(self.store, self._clock, history_s=config.history_s)
        self._expiry = Expiry(self.store, self._clock)
        self._retention = Retention(self.store, self.events, self._clock)
        self.providers = Providers(config)
        self._delivery = self._make_delivery()
        self._metrics = Metrics(self.store, lambda: self.balancers.counts, lambda: self.connect.counts)
        self._chain = self._make_chain()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """From the first look at the machine to the last answer."""
        config = self.config
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._let_go)
            for provider in self.providers:
                self._tell(f"getting ready: {provider.name}")
                await provider.open()
                stack.push_async_callback(provider.close)
            self._tell(f"connecting to the {self.engine.name} engine")
            await self.engine.open()
            stack.push_async_callback(self.engine.close)
            if not self._vpc_cidr:
                self._vpc_cidr = await self.engine.free_vpc_cidr(CANDIDATE_CIDRS)
            await measure(
                self.store,
                self.engine,
                cpu_overcommit=config.cpu_overcommit,
                memory_overcommit=config.memory_overcommit,
            )
            with self.store.transaction() as tx:
                tx.put(LoadBalancerQuota(account="", region="", load_balancers=config.lb_limit))
            self._tell("putting security groups in force")
            stack.push_async_callback(self.firewall.stop)
            await self.firewall.start(config.security_groups, config.egress)
            if config.engine == "docker":
                # Tasks in host mode come in here; those on bridges when their bridge is made.
                await self._link_local.serve("lo", None)
            self._observer.start()
            stack.push_async_callback(self._observer.stop)
            self._tell("adopting what runs")
            self.connect.resume()
            await self.tasks.adopt()
            self.discovery.resume()
            self.health.resume()
            self.connect.start()
            stack.push_async_callback(self.connect.stop)
            self.warm.resume()
            self.balancers.start()
            stack.push_async_callback(self.balancers.stop)
            stack.push_async_callback(self.repositories.close)
            await self.repositories.resume()
            own: tuple[Loop[Any], ...] = (
                self.tasks.loop,
                self.services.loop,
                self.warm.loop,
                self.health.loop,
                self.networks.loop,
            )
            for loop in (*own, *self.repositories.loops):
                loop.start()
                stack.push_async_callback(loop.stop)
            for sweeper in (self._expiry.timer, self._history.timer, self._retention.timer, *self._delivery):
                sweeper.start()
                stack.push_async_callback(sweeper.stop)
            server = HttpServer(
                self._app(Listener("api", signatures=config.auth, local=is_loopback(config.listen))), self._sockets
            )
            await server.start()
            stack.push_async_callback(server.stop)
            self.services.resume()  # last: a look at every service, while questions are answered already
            yield

    async def until(self, stop: asyncio.Event) -> BaseException | None:
        """Wait for the event, or for a fault after which nothing would be seen or kept any more: that is returned."""
        stopped = asyncio.create_task(stop.wait())
        faulty = (asyncio.create_task(self._observer.wait()), asyncio.create_task(self._disk_failed()))
        await asyncio.wait({stopped, *faulty}, return_when=asyncio.FIRST_COMPLETED)
        for task in (stopped, *faulty):
            task.cancel()
        await asyncio.gather(stopped, *faulty, return_exceptions=True)
        if stop.is_set():
            return None
        return next((task.exception() for task in faulty if not task.cancelled()), None)

    async def _disk_failed(self) -> None:
        """Raise StoreFailed once the state or the event log can't be written."""
        while True:
            failed = self.store.failed or self.events.failed
            if failed is not None:
                raise failed
            await asyncio.sleep(DISK_LOOK_S)

    async def until_writable(self, stop: asyncio.Event) -> None:
        """Wait until the state folder takes a file again, or for the event. Reads are answered meanwhile."""
        while not stop.is_set() and not await asyncio.to_thread(takes_a_file, self.config.state):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), DISK_LOOK_S)

    async def _let_go(self) -> None:
        await self._link_local.stop()
        for opened in self._sockets:
            opened.close()
        with contextlib.suppress(Exception):
            await self.store.durable()
        await self.events.close()
        await self.store.close()

    def _make_machine(self) -> Machine:
        config = self.config
        if config.engine == "sim":
            return sim_machine(self._clock, self._sink)

        async def bridge_ready(device: str, vpc_id: str | None) -> None:
            await self._link_local.serve(device, vpc_id)  # made after the engine, whose proxies its names ask

        async def bridge_gone(vpc_id: str) -> None:
            await self._link_local.leave(vpc_id)

        around = Surroundings(
            hosted=self.repositories.images,
            task_environment=partial(self._endpoint.environment_for, api_port=TASK_API_PORT),
            bridge_ready=bridge_ready,
            bridge_gone=bridge_gone,
        )
        return docker_machine(config, self._instance, self._clock, self._sink, self.credentials, around)

    def _make_delivery(self) -> tuple[Timer, ...]:
        """What brings access logs into buckets that outlive Longshore: not into moto's, which are gone when it ends."""
        config, buckets = self.config, self.providers.forwards.get("s3")
        if config.state is None or config.engine == "sim" or buckets is None:
            return ()
        from longshore.drivers.haproxy.delivery import LOOK_S, Delivery  # noqa: PLC0415  seldom needed

        delivery = Delivery(config.state / ACCESS_LOGS, buckets, self._clock)
        return (Timer("access logs", delivery.deliver, LOOK_S),)

    def _make_chain(self) -> Chain:
        config = self.config
        return Chain(
            store=self.store,
            events=self.events,
            services=SERVICES,
            gate=Gate(self.credentials, UserKeys(self.store, self.vault), config.account, config.region),
            access=self.access,
            clock=self._clock,
            ids=self._ids,
            vault=self.vault,
            metrics=self._metrics,
            prepare=self._prepare,
            forwards=self.providers.forwards,
            everything_else=self.providers.everything_else,
        )

    def _prepare(self, tx: Transaction, scope: Scope) -> None:
        """What a new account has in a region."""
        if seeded(tx, scope):
            return
        # Real networks of one machine can't overlap, so each account and region has a range of its own.
        cidr = self._vpc_cidr if self.config.engine == "sim" else next_vpc_cidr(tx, self._vpc_cidr)
        if cidr is not None or default_vpc(tx, scope) is not None:
            seed(tx, scope, cidr or self._vpc_cidr, self._ids, self._clock.now())

    def _app(self, listener: Listener) -> Asgi:
        reset = self._reset if self.config.engine == "sim" else None
        own = internal_paths(
            store=self.store, metrics=self._metrics, engine=self.engine.name, listener=listener, reset=reset
        )
        return aws_app(self._chain, listener, own, self.repositories.beside(listener, self._metrics))

    def _reset(self) -> None:
        """Forget everything but the machine."""
        engine: Any = self.engine
        engine.clear()
        with self.store.transaction() as tx:
            for kind in KINDS:
                if kind not in OF_THE_MACHINE:
                    for record in list(tx.all(kind)):
                        tx.delete(kind, record.key)
        self.events.clear()
        self._chain.forget()
        for provider in self.providers:
            provider.reset()


@contextlib.contextmanager
def stopping_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGINT and SIGTERM set an event."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def tune() -> None:
    """Set this process's interpreter for a server that holds a large state and has one busy thread beside a writer.

    The collector looks at young objects after 700 allocations by default, which is once or twice per request, and
    freezing spares it the whole state that was loaded. The writer thread gets the interpreter back from a busy event
    loop after a switch interval: 5 ms by default, several times for each group commit that requests wait for.
    """
    gc.set_threshold(20_000, 20, 20)
    gc.freeze()
    gc.enable()
    sys.setswitchinterval(0.0005)


async def run(config: Config, tell: Tell, ready: Callable[[Longshore], None]) -> None:
    """Run until told to stop. After a failure of the disk begin anew, as after a crash, once it can be written."""
    stop = asyncio.Event()
    with stopping_on_signals(stop):
        while not stop.is_set():
            await _live(config, tell, ready, stop)


async def _live(config: Config, tell: Tell, ready: Callable[[Longshore], None], stop: asyncio.Event) -> None:
    """Run until told to stop, or until a disk that failed can be written again. Raises any other fault."""
    gc.disable()  # until `tune`: nothing that is loaded at the start is garbage
    longshore = Longshore(config, tell)
    async with longshore.running():
        tune()
        ready(longshore)
        fault = await longshore.until(stop)
        if isinstance(fault, StoreFailed):
            tell(f"{fault} Until then only reads are answered.")
            await longshore.until_writable(stop)
            fault = None
        tell("stopping; containers go on running and are adopted at the next start")
    if fault is not None:
        raise fault
