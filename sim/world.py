"""The production control plane in a world of its own: store, handlers, controllers; simulated machine and disk."""

import random
from collections.abc import Collection
from typing import Any

from longshore.api import ecs, elbv2
from longshore.api.access.access import Access
from longshore.api.callers.auth import Caller, root_of
from longshore.api.callers.credentials import Credentials
from longshore.api.ec2.defaults import seed as seed_network
from longshore.api.operation import Call, Handler
from longshore.control.balancers import BalancerController
from longshore.control.ec2.firewall import FirewallController
from longshore.control.ecs.capacity import measure
from longshore.control.ecs.observe import Observer
from longshore.control.ecs.services import ServiceController
from longshore.control.ecs.tasks import TaskController
from longshore.control.names.connect import ConnectController
from longshore.control.names.discovery import Discovery
from longshore.domain.ec2.network import Subnet
from longshore.domain.ecs.service import Deployment, Service
from longshore.domain.kinds import KINDS
from longshore.domain.names.connect import ConnectPlan, ConnectRoute
from longshore.domain.record import Scope
from longshore.drivers.ports import EngineCapacity
from longshore.drivers.sim.balancer import BalancerTimings, SimForwarder
from longshore.drivers.sim.firewall import SimTable
from longshore.drivers.sim.machine import SimMachine, Timings
from longshore.store.events import EventLog
from longshore.store.store import Store
from longshore.vault import MasterVault
from sim.disk import SimDisk, SimJournal
from sim.faults import Fate, FaultyBalancer, FaultyConnect, FaultyEngine, FaultyFirewall
from sim.time import SimClock, SimLoop

SCOPE = Scope("123456789012", "us-east-1")

OPERATIONS = {**elbv2.SERVICE.operations, **ecs.SERVICE.operations}
"""Their names meet nowhere in what a story calls."""
HEALTHY_AFTER_S = 3.0
VAULT = MasterVault(b"v" * 32)
ACCESS = Access(Credentials(b"v" * 32, SCOPE.account))


class SeededIds:
    """Ids from the world's dice."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def hex(self, length: int) -> str:
        """Hexadecimal digits."""
        return f"{self._dice.getrandbits(4 * length):0{length}x}"

    def digits(self, length: int) -> str:
        """Decimal digits."""
        return str(self._dice.randrange(10 ** (length - 1), 10**length))

    def token(self, length: int) -> str:
        """Letters and digits."""
        return "".join(self._dice.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=length))

    def uuid(self) -> str:
        """A UUID's form."""
        return f"{self.hex(8)}-{self.hex(4)}-4{self.hex(3)}-a{self.hex(3)}-{self.hex(12)}"

    def choice(self, options: int) -> int:
        """A number below `options`."""
        return self._dice.randrange(options)


class ControlPlane:
    """One life of the control plane, from a start to a crash."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.journal = SimJournal(world.disk)
        self.store = Store(KINDS, self.journal)
        self.store.load(list(world.disk.rows.values()), world.disk.revision)
        self.engine = FaultyEngine(world.clock, machine=world.machine, capacity=world.capacity)
        self.engine.fate = world.fate
        self.discovery = Discovery(self.store, world.clock)
        self.proxies = FaultyConnect(world.proxies)
        self.proxies.fate = world.fate
        self.connect = ConnectController(self.store, self.proxies, world.clock)
        self.guard = FaultyFirewall(table=world.table)
        self.guard.fate = world.fate
        self.firewall = FirewallController(self.store, self.guard, world.clock)
        guarded = self.firewall.in_force
        self.tasks = TaskController(
            self.store, self.engine, world.clock, world.ids, VAULT, self.connect, guarded=guarded
        )
        self.services = ServiceController(self.store, world.clock, world.ids, healthy_after_s=HEALTHY_AFTER_S)
        self.balancer = FaultyBalancer(world.forwarder)
        self.balancer.fate = world.fate
        self.balancers = BalancerController(
            self.store, self.balancer, world.clock, VAULT, release=world.release, guarded=guarded
        )
        self.observer = Observer(self.store, self.engine.observations(), world.clock)

    async def start(self) -> None:
        """As `main` does it."""
        await self.engine.open()
        await measure(self.store, self.engine, cpu_overcommit=1.0, memory_overcommit=1.0)
        with self.store.transaction() as tx:
            seed_network(tx, SCOPE, "172.31.0.0/16", self.world.ids, self.world.clock.now())
        await self.firewall.start()
        self.guard.calm = False
        self.observer.start()
        self.connect.resume()
        await self.tasks.adopt()
        self.discovery.resume()
        self.connect.start()
        self.tasks.loop.start()
        self.services.loop.start()
        self.balancers.start()
        self.services.resume()

    async def crash(self) -> None:
        """Everything in memory is gone at once; the disk and the machine remain."""
        self.journal.crash()
        for loop in (self.tasks.loop, self.services.loop):
            await loop.stop()
        await self.balancers.stop()
        await self.connect.stop()
        await self.observer.stop()
        await self.firewall.stop()
        await self.engine.close()


class World:
    """A seed's world."""

    def __init__(self, seed: int, loop: SimLoop, *, capacity: EngineCapacity | None = None) -> None:
        self.dice = random.Random(seed)
        self.clock = SimClock(loop)
        self.fate = Fate(self.dice)
        self.disk = SimDisk(self.dice)
        self.ids = SeededIds(self.dice)
        self.capacity = capacity or EngineCapacity(cpu_units=64 * 1024, memory_mib=256 * 1024, architecture="X86_64")
        timings = Timings(*(self.dice.choice([0.01, 0.3, 2.0]) for _ in range(4)))
        self.machine = SimMachine(self.clock, timings)
        probe_s, check_s, drain_s = (self.dice.choice(options) for options in ([0.01, 0.5], [1.0, 5.0], [0.01, 0.5]))
        self.forwarder = SimForwarder(self.machine, BalancerTimings(probe_s, check_s, drain_s))
        self.proxies: dict[str, ConnectPlan] = {}
        """What the proxies of tasks were told."""
        self.table = SimTable()
        self.events = EventLog(None)
        self.timeline: list[str] = []
        self.plane = self.make_plane()

    def make_plane(self) -> ControlPlane:
        """A new life of the control plane."""
        return ControlPlane(self)

    async def release(self, addresses: Collection[str]) -> None:
        """No host has any."""

    def routes_in(self, task_id: str) -> tuple[ConnectRoute, ...]:
        """Where a task that the machine has can connect to by Service Connect."""
        plan = self.proxies.get(task_id) or self.machine.tasks[task_id].launch.connect
        return plan.routes if plan is not None else ()

    def hopeless(self, service: Service, primary: Deployment) -> bool:  # noqa: ARG002  a story knows better
        """Whether a service can't come to rest through no fault of ours."""
        return False

    def subnets(self) -> list[Subnet]:
        """The default VPC's."""
        return self.plane.store.select(Subnet, "scope", SCOPE)

    def note(self, text: str) -> None:
        """A line of the timeline."""
        self.timeline.append(f"{self.clock.now() - 1_800_000_000.0:10.3f}  {text}")

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """A user's call, acknowledged when it returns."""
        return await self.ask(operation, OPERATIONS[operation].handler, params)

    async def ask(self, operation: str, handler: Handler, params: dict[str, Any]) -> dict[str, Any]:
        """As `call`, of any service."""
        store = self.plane.store
        with store.transaction() as tx:
            result = handler(
                Call(
                    tx=tx,
                    events=self.events,
                    scope=SCOPE,
                    now=self.clock.now(),
                    ids=self.ids,
                    vault=VAULT,
                    caller=Caller(root_of(SCOPE.account), SCOPE.region),
                    access=ACCESS,
                    request_id=self.ids.uuid(),
                    params=params,
                )
            )
        await store.durable()
        self.note(f"{operation} acknowledged")
        return result

    async def restart(self) -> None:
        """The control plane dies and comes again."""
        self.note("control plane crashes")
        await self.plane.crash()
        self.plane = self.make_plane()
        await self.plane.start()
        self.note("control plane is back")
