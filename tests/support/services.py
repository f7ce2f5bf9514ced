"""Services in an `Api`, kept by the real controller, with tasks that start and stop when the test says so."""

from typing import Any

import msgspec

from longshore.api.ecs import deployments, services, tasks
from longshore.control.ecs.services import ServiceController
from longshore.decide.ecs import task as life
from longshore.domain.ecs.service import Deployment, Service
from longshore.domain.ecs.task import Task
from tests.support.api import SCOPE, Api, awsvpc


class ServiceApi(Api):
    """The operations on tasks, services and deployments, and what would carry them out."""

    def __init__(self) -> None:
        super().__init__(tasks.OPERATIONS, services.OPERATIONS, deployments.OPERATIONS)
        self.define()
        self.controller = ServiceController(self.store, ClockOf(self), self.ids, healthy_after_s=3.0)

    def create(self, name: str = "web", **params: Any) -> dict[str, Any]:
        """CreateService of two tasks."""
        asked = {"taskDefinition": "web", "desiredCount": 2, "networkConfiguration": awsvpc(), **params}
        made: dict[str, Any] = self("CreateService", serviceName=name, **asked)["service"]
        return made

    def described(self, name: str = "web", **params: Any) -> dict[str, Any]:
        """DescribeServices of one."""
        [shown] = self("DescribeServices", services=[name], **params)["services"]
        result: dict[str, Any] = shown
        return result

    def record(self, name: str = "web") -> Service:
        """The service as it is stored."""
        found = self.store.get(Service, (*SCOPE, "default", name))
        assert found is not None
        return found

    def live(self, name: str = "web") -> list[Task]:
        """Its tasks that are not stopped."""
        return self.store.select(Task, "live_service", (self.record(name).uid,))

    def deployments(self, name: str = "web") -> list[Deployment]:
        """All its deployments, newest first."""
        found = self.store.select(Deployment, "service", (self.record(name).uid,))
        return sorted(found, key=lambda d: -d.created_at)

    async def settle(self, name: str = "web", rounds: int = 20) -> None:
        """Let the controller act, tasks start and stop, and time pass, until nothing changes."""
        for _ in range(rounds):
            revision = self.store.revision
            await self.turn(name)
            self.obey(name)
            self.now += 4
            if self.store.revision == revision:
                return
        raise AssertionError("the service does not settle")

    async def turn(self, name: str = "web") -> None:
        """The controller looks at the service once."""
        await self.controller._reconcile(self.record(name).uid)

    def obey(self, name: str = "web", *, address: str = "") -> None:
        """Every task does at once what is wished of it; those that start get this address."""
        for task in self.live(name):
            if task.desired_status == "STOPPED":
                stopping = life.stopping(task, self.now, withdrawn=True)
                if stopping.last_status == "STOPPING":
                    stopping = life.move(stopping, "ended")
                self.put(life.released(stopping, self.now))
            elif task.last_status == "PROVISIONING":
                place = task.attachment and msgspec.structs.replace(task.attachment, private_ip=address)
                self.put(life.move(life.attached(task, place), "started").but(started_at=self.now))


class ClockOf:
    """The Api's time as a clock."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def now(self) -> float:
        """What the test says."""
        return self._api.now
