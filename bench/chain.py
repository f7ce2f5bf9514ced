"""A whole Longshore in this process, without sockets: chain, controllers, sim engine, a state folder on disk."""

import json
from pathlib import Path
from typing import Any

from longshore.api.app import Chain
from longshore.api.auth import Gate, Listener
from longshore.api.credentials import Credentials
from longshore.api.ec2.defaults import seed
from longshore.api.metrics import Metrics
from longshore.api.services import SERVICES
from longshore.control.capacity import measure
from longshore.control.observe import Observer
from longshore.control.services import ServiceController
from longshore.control.tasks import TaskController
from longshore.domain.kinds import KINDS
from longshore.domain.network import Subnet
from longshore.domain.record import Scope
from longshore.domain.task import Task
from longshore.drivers.ports import EngineCapacity
from longshore.drivers.sim.engine import SimEngine
from longshore.store.events import EventLog
from longshore.store.open import open_store
from longshore.system import SystemClock, SystemIds
from longshore.wire.http import HttpRequest

SCOPE = Scope("123456789012", "us-east-1")
ROOM = EngineCapacity(cpu_units=1 << 30, memory_mib=1 << 30, architecture="X86_64")
LISTENER = Listener("bench", signatures=False)


class Rig:
    """One Longshore."""

    def __init__(self, folder: Path) -> None:
        self.clock, ids = SystemClock(), SystemIds()
        self.store = open_store(folder / "state.db", KINDS)
        self.events = EventLog(None)
        self.engine = SimEngine(self.clock, capacity=ROOM)
        self.tasks = TaskController(self.store, self.engine, self.clock, ids)
        self.services = ServiceController(self.store, self.clock, ids, healthy_after_s=0.0)
        self.observer = Observer(self.store, self.engine.observations(), self.clock)
        self.chain = Chain(
            store=self.store,
            events=self.events,
            services=SERVICES,
            gate=Gate(Credentials(b"b" * 32, SCOPE.account), SCOPE.account, SCOPE.region),
            clock=self.clock,
            ids=ids,
            metrics=Metrics(self.store),
            prepare=lambda tx, scope: void(seed(tx, scope, "10.0.0.0/8", ids, 0.0)),
        )

    async def prepare(self) -> None:
        """Start, and register what there is to run."""
        await self.engine.open()
        await measure(self.store, self.engine, cpu_overcommit=1.0, memory_overcommit=1.0)
        self.observer.start()
        self.tasks.loop.start()
        self.services.loop.start()
        await self.call("CreateCluster", {"clusterName": "default"})
        container = {"name": "app", "image": "app"}
        definition = {"family": "bench", "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
        more = {"requiresCompatibilities": ["FARGATE"], "containerDefinitions": [container]}
        await self.call("RegisterTaskDefinition", definition | more)

    @property
    def subnets(self) -> list[str]:
        """The default VPC's."""
        return [subnet.subnet_id for subnet in self.store.select(Subnet, "scope", SCOPE)]

    async def call(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request, from bytes to bytes."""
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"AmazonEC2ContainerServiceV20141113.{operation}",
        }
        answer = await self.chain.answer(HttpRequest("POST", "/", "", headers, json.dumps(body).encode()), LISTENER)
        result: dict[str, Any] = json.loads(answer.body)
        if answer.status != 200 or result.get("failures"):
            raise RuntimeError(f"{operation}: {answer.body!r}")
        return result

    def task_bytes(self) -> int:
        """About how large a task's record is."""
        return len(repr(next(iter(self.store.all(Task)))))

    async def close(self) -> None:
        """End it."""
        await self.tasks.loop.stop()
        await self.services.loop.stop()
        await self.observer.stop()
        await self.engine.close()
        await self.store.close()


def void(_: object) -> None:
    """Let a lambda return nothing."""
