"""One task's proxy: its HAProxy, which endpoint is in which slot of it, and the rules that lead to it.

Endpoints come and go through the runtime socket; another set of routes is a reload. Used by driver.py, one call at a
time.
"""

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from longshore.domain.names.connect import ConnectCounts, ConnectPlan, ConnectRoute, Endpoint
from longshore.drivers.connect.logs import ProxyLogs
from longshore.drivers.connect.render import NOWHERE, Layout, backend, emptied, hosts, render, rules, twin
from longshore.drivers.haproxy.counts import Counters, Sums, sums
from longshore.drivers.haproxy.process import ConfigurationRefused, HaproxyProcess, digest
from longshore.drivers.haproxy.runtime import RuntimeFailure, Worker
from longshore.drivers.haproxy.slots import server_name
from longshore.drivers.ports import Permanent, Retryable
from longshore.drivers.program import find, run

log = logging.getLogger(__name__)

FEWEST_SLOTS = 4
RESTART_S = 0.5
LOG_SOCKET = "log.sock"
IPTABLES = "iptables-restore"


class _Slot:
    """An endpoint in a slot. One that is leaving keeps it until its last connection has ended."""

    def __init__(self, endpoint: Endpoint, *, leaving: bool = False) -> None:
        self.endpoint = endpoint
        self.leaving = leaving


class TaskProxy:
    """One task's. `enter` are the words that start a command in its network namespace, `hosts` is its hosts file."""

    def __init__(
        self, folder: Path, enter: Sequence[str], hosts: Path | None = None, logs: ProxyLogs | None = None
    ) -> None:
        self._hosts = hosts
        self._logs = logs
        self.process = HaproxyProcess(folder, enter=enter)
        self.lock = asyncio.Lock()
        self.enter = enter
        self._plan = ConnectPlan()
        self._slots: dict[int, list[_Slot | None]] = {}
        self._counters = Counters()
        self._guard: asyncio.Task[None] | None = None

    async def begin(self, plan: ConnectPlan) -> None:
        """See to it that it works: take over what an earlier life left, as it is, or start with this plan.

        Raises Permanent and Retryable.
        """
        running = self.process.open()
        if self._logs is not None:
            self._logs.open()
        if running:
            try:
                await self._adopt(plan)
            except RuntimeFailure as error:
                log.warning("ending a proxy that can't be taken over: %s", error)
                await self.process.stop()
        if not self.process.running:
            await self.apply(plan)
        if self._guard is None:
            self._guard = asyncio.create_task(self._keep_alive(), name=f"proxy {self.process.folder.name}")

    async def apply(self, plan: ConnectPlan) -> None:
        """Make it what the plan says. Raises Permanent and Retryable."""
        self._plan = plan
        try:
            self._slots = {route.listen_port: self._slots.get(route.listen_port, []) for route in plan.routes}
            commands = [command for route in plan.routes for command in self._change(route)]
            layout = self._layout()
            structure = digest(self._render(plan, emptied(layout)))
            if not self.process.running or self.process.applied != structure:
                await self._load(plan, layout, structure)
            elif commands:
                await self.process.runtime.tell(commands)
        except RuntimeFailure as error:
            self.process.forget_applied()  # what it has is not known: the next try brings everything
            raise Retryable(str(error)) from error
        except ConfigurationRefused as refused:
            raise Retryable(refused.reason, 5.0) from refused

    async def busy(self) -> frozenset[Endpoint]:
        """The endpoints on their way out that have connections yet. Raises Retryable."""
        if not any(slot and slot.leaving for slots in self._slots.values() for slot in slots):
            return frozenset()
        try:
            open_at = {key for worker in await self._workers() for key in await self._open(worker)}
        except RuntimeFailure as error:
            raise Retryable(str(error)) from error
        found = set()
        for route in self._plan.routes:
            for index, slot in enumerate(self._slots[route.listen_port]):
                if slot is not None and slot.leaving:
                    if (route.listen_port, index) in open_at:
                        found.add(slot.endpoint)
                    else:
                        self._slots[route.listen_port][index] = None
        return frozenset(found)

    async def counts(self) -> list[ConnectCounts]:
        """By discovery name. Raises Retryable."""
        try:
            workers = await self._workers()
            self._counters.update({w.pid: sums(await self.process.runtime.stat(w, "")) for w in workers})
        except RuntimeFailure as error:
            raise Retryable(str(error)) from error
        return [_counts(route, self._counters.of(backend(route), twin(route))) for route in self._plan.routes]

    async def stop(self) -> None:
        """End it, with its connections, and remove its folder."""
        await self.close()
        with contextlib.suppress(Permanent):  # without a HAProxy there is none to end
            if self.process.open():
                await self.process.stop()
        shutil.rmtree(self.process.folder, ignore_errors=True)

    async def close(self) -> None:
        """Let go; it goes on."""
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await guard
        self.process.close()
        if self._logs is not None:
            self._logs.close()

    # ------------------------------------------------------------------------------------------------- the slots

    def _change(self, route: ConnectRoute) -> list[str]:
        """Put the route's endpoints into its slots; returns how to tell a process of that."""
        slots, wanted = self._slots[route.listen_port], dict.fromkeys(route.endpoints)
        commands: list[str] = []
        for index, slot in enumerate(slots):
            if slot is not None and not slot.leaving and slot.endpoint not in wanted:
                slot.leaving = True
                commands += [f"set server {server} state maint" for server in _servers(route, index)]
        held = {slot.endpoint for slot in slots if slot is not None and not slot.leaving}
        for endpoint in wanted:
            if endpoint not in held:
                index = self._free(slots, endpoint)
                slots[index] = _Slot(endpoint)
                where = f"addr {endpoint.address} port {endpoint.port}"
                for server in _servers(route, index):
                    commands += [f"set server {server} {where}", f"set server {server} state ready"]
        if len(slots) < FEWEST_SLOTS:
            slots.extend([None] * (FEWEST_SLOTS - len(slots)))
        return commands

    def _free(self, slots: list[_Slot | None], endpoint: Endpoint) -> int:
        """The slot that the endpoint leaves and comes back to, or an empty one; a full route gets twice as many."""
        for index, slot in enumerate(slots):
            if slot is not None and slot.endpoint == endpoint:
                return index
        if None not in slots:
            slots.extend([None] * max(FEWEST_SLOTS, len(slots)))
        return slots.index(None)

    def _layout(self) -> Layout:
        return {
            port: tuple(None if slot is None or slot.leaving else slot.endpoint for slot in slots)
            for port, slots in self._slots.items()
        }

    # ----------------------------------------------------------------------------------------------- the process

    async def _load(self, plan: ConnectPlan, layout: Layout, structure: str) -> None:
        first = not self.process.running
        self.process.write(self._render(plan, layout), {})
        if first:
            await self.process.start()
        else:
            await self.process.runtime.reload()
        await self._redirect(plan, first=first)
        self._name(plan)
        self.process.note_applied(structure, {})

    def _render(self, plan: ConnectPlan, layout: Layout) -> str:
        return render(plan, layout, str(self.process.folder / LOG_SOCKET))

    async def _redirect(self, plan: ConnectPlan, *, first: bool) -> None:
        """NAT rules. A second rule that leads to our chain, after a proxy that died, does nothing that the first
        one does not."""
        program = find(IPTABLES)
        if program is None:
            raise Permanent("Service Connect needs iptables-restore, and this machine has none: install iptables.")
        said = await run(*self.enter, program, "--wait", "5", "--noflush", given=rules(plan, first=first))
        if said.code:
            raise Retryable(f"iptables-restore failed: {said.errors[-300:]}")

    def _name(self, plan: ConnectPlan) -> None:
        """Names go into the hosts file that the task's containers share, so that they are known without a name server.

        Containers have the file itself, not its name: it is written in place, and new lines in one piece.
        """
        if self._hosts is None:
            return
        try:
            with self._hosts.open("r+") as file:
                present = file.read()
                wanted = hosts(present, plan)
                if wanted.startswith(present):
                    file.write(wanted.removeprefix(present))
                else:
                    file.seek(0)
                    file.write(wanted)
                    file.truncate()
        except OSError as error:  # a task without it asks the name server
            log.warning("can't write %s: %s", self._hosts, error)

    async def _adopt(self, plan: ConnectPlan) -> None:
        """Learn what is in the slots of a process that runs. `plan` says only which routes there may be."""
        worker = (await self.process.runtime.processes()).current
        if worker is None:
            raise RuntimeFailure("It has no worker.")
        self._plan = plan
        known = {backend(route): route for route in plan.routes}
        self._slots = {route.listen_port: [] for route in plan.routes}
        for server in await self.process.runtime.servers(worker):
            route = known.get(server.backend)
            if route is None:
                continue
            empty = f"{server.address}:{server.port}" == NOWHERE or not server.port
            slot = None if empty else _Slot(Endpoint(server.address, server.port), leaving=server.maintenance)
            self._slots[route.listen_port].append(slot)

    async def _workers(self) -> tuple[Worker, ...]:
        return (await self.process.runtime.processes()).workers

    async def _open(self, worker: Worker) -> set[tuple[int, int]]:
        """Slots with connections: `(listen port, index)`."""
        places = {
            (name, server_name(index)): (route.listen_port, index)
            for route in self._plan.routes
            for name in (backend(route), twin(route))
            for index in range(len(self._slots[route.listen_port]))
        }
        rows = await self.process.runtime.stat(worker, "-1 4 -1")
        busy = ((row["pxname"], row["svname"]) for row in rows if int(row.get("scur") or 0))
        return {places[row] for row in busy if row in places}

    async def _keep_alive(self) -> None:
        """One that ends by itself is started again, with everything it had."""
        while True:
            await self.process.ended.wait()
            self.process.ended.clear()
            log.error("the proxy of task %s has ended; starting it again", self.process.folder.name)
            while not await self._restored():  # noqa: ASYNC110  another process is waited for
                await asyncio.sleep(RESTART_S)

    async def _restored(self) -> bool:
        async with self.lock:
            try:
                if not self.process.running:
                    await self.apply(self._plan)
            except (Retryable, Permanent) as error:
                log.warning("the proxy of task %s can't be started: %s", self.process.folder.name, error.reason)
                return False
        return True


def _servers(route: ConnectRoute, index: int) -> tuple[str, str]:
    return f"{backend(route)}/{server_name(index)}", f"{twin(route)}/{server_name(index)}"


def _counts(route: ConnectRoute, total: Sums) -> ConnectCounts:
    first, second, third, fourth, fifth = total.codes
    return ConnectCounts(
        discovery_name=route.discovery_name,
        requests=total.requests,
        codes=(first, second, third, fourth, fifth),
        connections=total.connections,
        bytes_in=total.bytes_in,
        bytes_out=total.bytes_out,
        response_time_s=total.response_time_s,
    )
