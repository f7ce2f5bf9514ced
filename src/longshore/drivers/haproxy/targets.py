"""Targets: taken in, probed, watched and drained, each in a slot of its group's backends, without any reload.

The driver owns plan and process and calls this; what is seen of a target goes out through `report`.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from longshore.domain.elbv2.balancing import GroupPlan, TargetObservation, TargetPlan
from longshore.drivers.ending import cancelled
from longshore.drivers.haproxy import carried, orders, prober
from longshore.drivers.haproxy.commands import Commands
from longshore.drivers.haproxy.drains import Drains
from longshore.drivers.haproxy.health import (
    CHECKING,
    FAILED,
    HEALTHY,
    REGISTERED,
    UNTOLD,
    Verdict,
    groups_in,
    in_maintenance,
    verdict,
)
from longshore.drivers.haproxy.process import HaproxyProcess
from longshore.drivers.haproxy.render.text import group_backend
from longshore.drivers.haproxy.runtime import RuntimeFailure, Worker
from longshore.drivers.haproxy.slots import EMPTY, Layout, Placement, Shape, Slots
from longshore.drivers.ports import Retryable

log = logging.getLogger(__name__)

SYNC_WAIT_S = 0.01
"""Log lines come in bunches; one look serves them all."""
FALLBACK_S = 60.0
CHUNK = 50
"""Groups that are looked at together: others want to say something in between."""
AGAIN_S = 0.5


class Carried(NamedTuple):
    """What a new worker begins with."""

    placement: Placement
    server: carried.Server
    state: carried.State | None
    earlier: int
    """How many checks in a row went against its state before."""


class Flip(NamedTuple):
    """A target whose state is to change by what earlier workers saw."""

    placement: Placement
    row: Mapping[str, str]
    """Of `show stat`."""


class Targets:
    """All targets of one HAProxy."""

    def __init__(
        self,
        process: HaproxyProcess,
        commands: Commands,
        report: Callable[[TargetObservation], None],
        grow: Callable[[], Awaitable[None]],
    ) -> None:
        self.slots = Slots()
        self._process = process
        self._commands = commands
        self._report_out = report
        self._grow = grow
        self.rendered: dict[str, Shape] = {}
        """Each group as it is in the running process."""
        self._groups: dict[str, GroupPlan] = {}
        self._probes: dict[TargetPlan, asyncio.Task[None]] = {}
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._drains = Drains(process, self.slots, self._drained)
        self._tasks: list[asyncio.Task[None]] = []
        self._worker_number = 0
        """Of the newest one. What was seen of an earlier one doesn't count."""

    def start(self) -> None:
        """Begin to watch."""
        self._tasks = [
            asyncio.create_task(work()) for work in (self._watch, self._look_now_and_then, self._drains.follow)
        ]

    async def close(self) -> None:
        """Stop watching and probing."""
        await cancelled([*self._tasks, *self._probes.values()])
        self._probes.clear()

    # ------------------------------------------------------------------------------------------------- the port

    async def serve(self, target: TargetPlan, *, known_healthy: bool) -> None:
        """As the port says. Raises Retryable."""
        group = self._groups.get(target.group_id)
        if group is None:
            raise Retryable(f"The target group {target.group_id} is not in place yet.")
        placement = self.slots.get(target)
        if placement is not None and placement.phase != "draining":
            self._repeat(placement, known_healthy=known_healthy)
            return
        phase: Literal["probing", "serving"] = "serving" if known_healthy or not group.check.enabled else "probing"
        if placement is None:
            placement = self.slots.place(target, phase)
        before, placement.phase, placement.down = placement.phase, phase, False
        withheld, placement.withheld = placement.withheld, False
        placement.earlier = 0
        placement.claimed = True
        if phase == "probing":
            self._report(placement, REGISTERED)
        try:
            await self._take_in(placement)
        except Retryable:
            if before == "draining":
                placement.phase, placement.withheld = before, withheld
            else:
                self.slots.free(placement)
            raise
        if self.slots.get(target) is placement:
            self._begin(placement, group)

    async def drain(self, target: TargetPlan) -> None:
        """As the port says. Raises Retryable."""
        placement = self.slots.get(target)
        if placement is None:
            self._report_out(TargetObservation(target=target, state="drained"))
            return
        self._stop_probe(target)
        placement.phase = "draining"
        placement.claimed = True
        await self._tell(placement, orders.maintenance)
        placement.withheld = True
        self._drains.begin()

    async def remove(self, target: TargetPlan) -> None:
        """As the port says. Raises Retryable."""
        placement = self.slots.get(target)
        if placement is None:
            return
        self._stop_probe(target)
        placement.phase = "draining"
        await self._tell(placement, orders.maintenance, orders.cut, orders.emptied)
        self.slots.free(placement)

    # --------------------------------------------------------------------------------------------- the driver's

    def set_groups(self, groups: Iterable[GroupPlan]) -> None:
        """The groups there are now get slots; call `drop_groups` when those that went are in no configuration."""
        self._groups = {group.group_id: group for group in groups}
        for group_id in self._groups:
            self.slots.add_group(group_id)

    def drop_groups(self) -> None:
        """Forget the targets of groups that are gone; those that were draining have no way back."""
        for group_id in self.slots.groups():
            if group_id not in self._groups:
                for placement in self.slots.drop_group(group_id):
                    self._stop_probe(placement.target)
                    if placement.phase == "draining":
                        self._report_out(TargetObservation(target=placement.target, state="drained"))

    async def adopt(self, worker: Worker) -> None:
        """Take over what an earlier life put into the slots. Raises RuntimeFailure."""
        servers = {(s.backend, s.name): s for s in await self._process.runtime.servers(worker)}
        self.rendered = orders.shapes(servers)
        for group_id, (size, apart) in self.rendered.items():
            self.slots.add_group(group_id, size)
            for index in range(size):
                main, twin = (servers[name] for name in orders.names(group_id, index, apart=apart))
                if twin.address == EMPTY.address:
                    continue
                phase: Literal["probing", "serving", "draining"] = (
                    "draining" if twin.maintenance else "probing" if main.maintenance else "serving"
                )
                target = TargetPlan(group_id=group_id, address=twin.address, port=twin.port)
                placement = self.slots.place(target, phase, index)
                placement.claimed = False
        self.look(self.rendered)

    async def forget_unclaimed(self) -> None:
        """Remove adopted targets of which nobody has spoken."""
        for placement in self.slots:
            if not placement.claimed:
                log.warning("forgetting a target that nobody knows: %s", placement.target)
                await self.remove(placement.target)

    async def look_at_changed(self) -> None:
        """Before a reload: what HAProxy logged and nobody has looked at yet, since the new worker can't say why."""
        changed, self._changed = self._changed, set()
        with contextlib.suppress(RuntimeFailure):
            for some in _chunks(sorted(changed)):
                await self._look(some)
        self.look(changed)

    def carry(self, answer: str) -> list[Carried]:
        """What the next worker begins with, whose configuration `rendered` is already.

        answer: to `show servers state`, of the worker that there is; empty if there is none.
        """
        states = carried.states_in(answer)
        found = []
        for placement in self.slots:
            server = self._server(placement)
            if server is not None:
                state = carried.state_of(server, states)
                count = carried.count_of(state, server) if state is not None else None
                earlier = count.with_earlier(placement.earlier) if count is not None else 0
                found.append(Carried(placement, server, state, earlier))
        return found

    def _server(self, placement: Placement) -> carried.Server | None:
        """What has checks and serves, as the next worker is to have it."""
        group = self._groups.get(placement.target.group_id)
        if group is None or not group.check.enabled or placement.phase != "serving" or not self._is_rendered(placement):
            return None
        return carried.Server(
            backend=group_backend(group.group_id),
            name=placement.server,
            address=placement.target.address,
            port=placement.target.port,
            down=placement.down,
            starts_slowly=self._starts_slowly(placement, group),
            rise=group.check.healthy_threshold,
            fall=group.check.unhealthy_threshold,
            tls=group.tls,
        )

    @staticmethod
    def _starts_slowly(placement: Placement, group: GroupPlan) -> bool:
        return asyncio.get_running_loop().time() - placement.healthy_since < group.slow_start_s

    async def after_reload(self, rendered: Layout, begun: Sequence[Carried]) -> None:
        """A new worker has begun, with these: tell it what its configuration could not. Raises RuntimeFailure.

        Slots may have changed since it was rendered; and what starts slowly would be down at its first failed check.
        Not through Commands: the caller holds its lock.
        """
        self._worker_number += 1
        for each in begun:
            each.placement.earlier = each.earlier
        commands: list[str] = []
        for group_id, (size, apart) in self.rendered.items():
            now = self.slots.layout_of(group_id)
            before = rendered.get(group_id, ())
            for index in range(size):
                if index < len(before) and before[index] != now[index]:
                    commands.extend(orders.filled(group_id, index, now[index], apart=apart))
        for placement, server, state, _ in begun:
            if server.starts_slowly and carried.begins_up(server, state) and self._is_rendered(placement):
                commands.extend(orders.healthy(placement, apart=self.rendered[placement.target.group_id].apart))
        if commands:
            await self._process.runtime.tell(commands)

    def look(self, group_ids: Iterable[str]) -> None:
        """Something may have changed in these groups."""
        self._changed.update(group_ids)
        self._wake.set()

    def on_log(self, line: bytes) -> None:
        """HAProxy logged something: a look at the groups it is about tells what."""
        self.look(groups_in(line))

    # ------------------------------------------------------------------------------------------------ inside

    async def _take_in(self, placement: Placement) -> None:
        if placement.target.group_id in self.rendered and not self._is_rendered(placement):
            await self._grow()
        else:
            await self._tell(placement, orders.taking_in)

    def _is_rendered(self, placement: Placement) -> bool:
        shape = self.rendered.get(placement.target.group_id)
        return shape is not None and placement.index < shape.size

    async def _tell(self, placement: Placement, *what: orders.Order) -> None:
        """Raises Retryable. What the process has no slot for yet, it gets with its next configuration."""

        def commands() -> list[str]:
            if not self._is_rendered(placement):
                return []
            apart = self.rendered[placement.target.group_id].apart
            return [command for order in what for command in order(placement, apart=apart)]

        if self._is_rendered(placement):
            await self._commands.tell(commands)

    def _begin(self, placement: Placement, group: GroupPlan) -> None:
        if placement.phase == "serving":
            self._report(placement, HEALTHY)
        elif placement.phase == "probing" and placement.target not in self._probes:
            self._report(placement, CHECKING)
            task = asyncio.create_task(self._probe(placement, group))
            self._probes[placement.target] = task
            task.add_done_callback(lambda done: self._probed(placement.target, done))

    def _repeat(self, placement: Placement, *, known_healthy: bool) -> None:
        """Asked again for what is there: say again what is known, which for an adopted target may be nothing yet."""
        placement.claimed = True
        if placement.reported is not None:
            self._report_out(placement.reported)
        elif placement.phase == "serving":
            if known_healthy:
                self._report(placement, HEALTHY)
            self.look([placement.target.group_id])
        else:
            self._begin(placement, self._groups[placement.target.group_id])

    async def _probe(self, placement: Placement, group: GroupPlan) -> None:
        await prober.until_success(group, placement.target, lambda found: self._report(placement, found))
        while placement.phase == "probing":
            try:
                await self._tell(placement, orders.ready)
            except Retryable as error:
                await asyncio.sleep(error.after_s)
            else:
                break
        if placement.phase == "probing" and self.slots.get(placement.target) is placement:
            placement.phase = "serving"
            placement.healthy_since = asyncio.get_running_loop().time()
            self._report(placement, HEALTHY)

    def _probed(self, target: TargetPlan, task: asyncio.Task[None]) -> None:
        if self._probes.get(target) is task:
            del self._probes[target]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("probing %s failed", target, exc_info=error)

    def _stop_probe(self, target: TargetPlan) -> None:
        if (task := self._probes.pop(target, None)) is not None:
            task.cancel()

    def _report(self, placement: Placement, found: Verdict) -> None:
        observation = TargetObservation(
            target=placement.target, state=found.state, reason=found.reason, description=found.description
        )
        if placement.reported != observation:
            placement.reported = observation
            if placement.claimed:
                self._report_out(observation)

    async def _watch(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(SYNC_WAIT_S)
            self._wake.clear()
            changed, self._changed = self._changed, set()
            try:
                for some in _chunks(sorted(changed)):
                    await self._sync(some)
            except (RuntimeFailure, Retryable) as error:
                log.debug("looking at targets again: %s", error)
                await asyncio.sleep(AGAIN_S)
                if self._process.running:
                    self.look(changed)

    async def _look_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(FALLBACK_S)
            self.look({placement.target.group_id for placement in self.slots})

    async def _sync(self, group_ids: Sequence[str]) -> None:
        """See what the newest worker's checks say of these groups' targets, and tell it what it can't know."""
        number = self._worker_number
        for flip in await self._look(group_ids):
            if number != self._worker_number:
                self.look(group_ids)  # what was counted is another worker's
                return
            await self._flip(flip)

    async def _look(self, group_ids: Sequence[str]) -> list[Flip]:
        """See what the checks say; those of whom the worker has to be told that they say so for long enough."""
        group_ids = [group_id for group_id in group_ids if group_id in self.rendered]
        if not self._process.running or not group_ids:
            return []
        number = self._worker_number
        worker = (await self._process.runtime.processes()).current
        if worker is None:
            raise RuntimeFailure("HAProxy has no worker at the moment.")
        queries = [f"{group_backend(group_id)} 4 -1" for group_id in group_ids]
        rows = await self._process.runtime.stat(worker, *queries)
        if number != self._worker_number:
            raise RuntimeFailure("Another worker has begun meanwhile.")
        found = {(row["pxname"], row["svname"]): row for row in rows}
        flips = []
        for group_id in group_ids:
            for placement in self.slots.of_group(group_id):
                row = found.get((group_backend(group_id), placement.server))
                if placement.phase != "serving" or row is None or in_maintenance(row):
                    continue
                if self._is_long_enough(placement, row):
                    flips.append(Flip(placement, row))
                else:
                    self._see(placement, verdict(row))
        return flips

    def _is_long_enough(self, placement: Placement, row: Mapping[str, str]) -> bool:
        """Whether checks that its worker counted and those before it are together enough to change its state."""
        group = self._groups.get(placement.target.group_id)
        if not placement.earlier or group is None:
            return False
        count = carried.count_in(row)
        against = count.with_earlier(placement.earlier)
        placement.earlier = placement.earlier if against else 0
        return against >= (group.check.unhealthy_threshold if count.up else group.check.healthy_threshold)

    async def _flip(self, flip: Flip) -> None:
        """Its worker is told, by whom it is as healthy, or as unhealthy, as can be from then on."""
        placement, row = flip
        up = carried.count_in(row).up
        order = orders.unhealthy if up else orders.healthy
        await self._tell(placement, lambda it, *, apart: order(it, apart=apart) if self._still_serves(it) else [])
        if self._still_serves(placement):
            placement.earlier = 0
            self._see(placement, verdict({**row, "status": "DOWN" if up else "UP"}))

    def _still_serves(self, placement: Placement) -> bool:
        return placement.phase == "serving" and self.slots.get(placement.target) is placement

    def _see(self, placement: Placement, seen: Verdict) -> None:
        was_down, placement.down = placement.down, seen.state != "healthy"
        if was_down and not placement.down:
            placement.healthy_since = asyncio.get_running_loop().time()
        if seen is not UNTOLD:
            self._report(placement, seen)
        elif placement.reported is None or placement.reported.state != "unhealthy":  # else the reason is known
            self._report(placement, FAILED)

    async def _drained(self, placement: Placement) -> None:
        """Its last connection has ended. Raises Retryable."""
        if not placement.is_draining():
            return
        # Emptied first: the observation may bring a new target into the slot.
        await self._tell(placement, orders.emptied)
        if placement.is_draining() and self.slots.get(placement.target) is placement:
            self.slots.free(placement)
            if placement.claimed:
                self._report_out(TargetObservation(target=placement.target, state="drained"))


def _chunks(group_ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (group_ids[first : first + CHUNK] for first in range(0, len(group_ids), CHUNK))
